//! Blocking system calls on the threads of a tokio runtime.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use tokio::runtime::{Handle, Id, worker_index};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Threads of a runtime that may block at the same time. Clones share them.
///
/// Tokio starts a thread for each blocking task, and another worker for each `block_in_place`, up
/// to 512 by default: more than a few do not make a disk faster.
#[derive(Clone)]
pub(crate) struct Threads(Arc<Semaphore>);

impl Threads {
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// Waits until a thread is free. None is never: the semaphore is not closed.
    pub(crate) async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().acquire_owned().await.ok()
    }

    pub(crate) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

thread_local! {
    /// The worker that this thread is, while it polls a future of [`on_worker_of`].
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// A worker thread of a multi-thread runtime that polls a future.
struct Worker {
    runtime: Handle,
    threads: Threads,
    /// Until the poll ends: a worker that has blocked goes on polling while another one has taken
    /// its place.
    permit: Option<OwnedSemaphorePermit>,
    /// The runtime that is the current one meanwhile. Another one is that of a nested `block_on`.
    current: Id,
}

/// Marks a future as one that only workers of `runtime`, a multi-thread runtime, poll: a task that
/// was spawned there. Only in such a future does [`block_in_place`] give the worker's tasks away,
/// while one of the `threads` is free. Without a runtime, the future is polled as it is.
///
/// tokio has no stable way to distinguish a worker from the thread of a current-thread runtime on
/// which another runtime was entered, and `tokio::task::block_in_place` panics on the latter. So
/// the caller that spawned the task has to mark it.
pub(crate) async fn on_worker_of<T>(
    runtime: Option<Handle>,
    threads: Threads,
    future: impl Future<Output = T>,
) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let worker = runtime.clone().zip(Handle::try_current().ok()).map(|(runtime, current)| {
            Worker { runtime, threads: threads.clone(), permit: None, current: current.id() }
        });
        let _restore = Restore(WORKER.replace(worker));
        future.as_mut().poll(context)
    })
    .await
}

/// Polls a future while `runtime` is the current one: what the future spawns, also for blocking
/// work, and its timers belong to `runtime`.
///
/// wasmtime-wasi needs this. It panics when the blocking pool that it uses shuts down under it, and
/// on a runtime without a timer; `runtime` is one that does neither.
pub(crate) async fn on_blocking_pool_of<T>(runtime: &Handle, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// RAII guard that restores [`WORKER`].
struct Restore(Option<Worker>);

impl Drop for Restore {
    fn drop(&mut self) {
        WORKER.replace(self.0.take());
    }
}

/// Makes a call that may wait for the disk, without stalling the other tasks of this thread where
/// tokio can move them to another one.
///
/// In a future of [`on_worker_of`] this is [`tokio::task::block_in_place`]; everywhere else it is a
/// plain call: on a current-thread runtime, in a `LocalSet`, in `block_on`, outside of any runtime.
/// `block_in_place` itself panics in the first two. It is a plain call as well if no thread is
/// free.
pub(crate) fn block_in_place<T>(call: impl FnOnce() -> T) -> T {
    let Some(runtime) = runtime_to_leave() else { return call() };
    // It starts another worker thread on the pool of the current runtime: that must be the
    // worker's.
    let _entered = runtime.enter();
    tokio::task::block_in_place(call)
}

/// The runtime for which this thread may call `block_in_place`, with a permit acquired. None if the
/// thread is not polling a future of [`on_worker_of`], as in a nested `block_on`, or if no permit
/// is free.
fn runtime_to_leave() -> Option<Handle> {
    WORKER.with_borrow_mut(|worker| {
        let worker = worker.as_mut()?;
        let current = Handle::try_current().is_ok_and(|current| current.id() == worker.current);
        if !current || worker_index().is_none() {
            return None;
        }
        if worker.permit.is_none() {
            worker.permit = Some(worker.threads.try_acquire()?);
        }
        Some(worker.runtime.clone())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::{JoinHandle, LocalSet};

    use super::*;

    fn multi_thread() -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).build().expect("make a runtime")
    }

    fn current_thread() -> Runtime {
        Builder::new_current_thread().build().expect("make a runtime")
    }

    fn spawn<T: Send + 'static>(
        runtime: &Runtime,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        runtime.spawn(on_worker_of(Some(runtime.handle().clone()), Threads::new(9), future))
    }

    /// Makes a call, and says whether the tasks of this thread could be moved.
    fn called() -> bool {
        let mut calls = 0;
        block_in_place(|| calls += 1);
        assert_eq!(calls, 1);
        runtime_to_leave().is_some()
    }

    /// Blocks the only worker of a runtime until another of its tasks has run.
    fn wait_for_another_task() {
        block_in_place(|| {
            let (ran, wait) = mpsc::channel();
            Handle::current().spawn(async move { ran.send(()) });
            wait.recv_timeout(Duration::from_secs(60)).expect("the other task runs");
        });
    }

    #[test]
    fn a_worker_of_a_multi_thread_runtime_gives_its_tasks_away() {
        let runtime = multi_thread();
        runtime.block_on(spawn(&runtime, async { wait_for_another_task() })).expect("no panic");
    }

    #[test]
    fn a_call_inside_another_one_is_made() {
        let runtime = multi_thread();
        let nested = spawn(&runtime, async { block_in_place(called) });
        runtime.block_on(nested).expect("no panic");
    }

    #[test]
    fn a_worker_that_uses_another_blocking_pool_gives_its_tasks_away() {
        let pool = current_thread();
        let (handle, runtime) = (pool.handle().clone(), multi_thread());
        let worker = runtime.handle().clone();
        let task = runtime.spawn(async move {
            let waits = on_worker_of(Some(worker), Threads::new(9), async {
                wait_for_another_task();
                Handle::current().id()
            });
            on_blocking_pool_of(&handle, waits).await
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), pool.handle().id());
    }

    #[test]
    fn a_call_is_direct_while_no_thread_is_free() {
        let (runtime, threads) = (multi_thread(), Threads::new(1));
        let task = || {
            let called = on_worker_of(Some(runtime.handle().clone()), threads.clone(), async {
                (called(), called())
            });
            runtime.block_on(runtime.spawn(called)).expect("no panic")
        };
        let taken = threads.try_acquire().expect("one is free");
        assert_eq!(task(), (false, false));
        drop(taken);
        assert_eq!(task(), (true, true), "the thread is the poll's until its end");
        assert_eq!(task(), (true, true));
    }

    #[test]
    fn a_nested_runtime_calls_directly() {
        let runtime = multi_thread();
        let nested = |nested: fn() -> bool| {
            let task = spawn(&runtime, async move { tokio::task::block_in_place(nested) });
            runtime.block_on(task).expect("no panic")
        };
        assert!(!nested(|| current_thread().block_on(async { called() })));
        assert!(!nested(|| LocalSet::new().block_on(&current_thread(), async { called() })));
        nested(|| Handle::current().block_on(LocalSet::new().run_until(async { called() })));
    }

    #[test]
    fn what_is_not_known_to_be_a_worker_calls_directly() {
        let runtime = multi_thread();
        let one = current_thread();
        assert!(!called(), "without a runtime");
        let entered = runtime.enter();
        assert!(!called(), "entered");
        drop(entered);
        for runtime in [&runtime, &one] {
            assert!(!runtime.block_on(async { called() }));
            assert!(!runtime.block_on(runtime.spawn(async { called() })).expect("no panic"));
            assert!(!runtime.block_on(runtime.spawn_blocking(called)).expect("no panic"));
            let set = LocalSet::new();
            let local = set.spawn_local(async { called() });
            assert!(!set.block_on(runtime, async { called() }));
            assert!(!set.block_on(runtime, local).expect("no panic"));
        }
    }

    #[test]
    fn a_current_thread_runtime_inside_of_an_entered_one_calls_directly() {
        let (many, one) = (multi_thread(), current_thread());
        let handle = many.handle().clone();
        let inside = async move {
            let _entered = handle.enter();
            called()
        };
        assert!(!one.block_on(async { tokio::spawn(inside).await }).expect("no panic"));
    }
}
