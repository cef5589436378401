//! Blocking system calls on the threads of a tokio runtime.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::runtime::{Handle, RuntimeFlavor, worker_index};

thread_local! {
    /// The runtime that polls this thread's future, while [`on_blocking_pool_of`] hides it.
    static POLLING: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Polls a future on the threads of its own runtime, while `runtime` is the current one: what the
/// future spawns, also for blocking work, and its timers belong to `runtime`.
///
/// wasmtime-wasi needs this. It panics when the blocking pool that it uses shuts down under it, and
/// on a runtime without a timer; `runtime` is one that does neither.
pub(crate) async fn on_blocking_pool_of<T>(runtime: &Handle, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _polling = Polling(POLLING.replace(Handle::try_current().ok()));
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// RAII guard that restores [`POLLING`].
struct Polling(Option<Handle>);

impl Drop for Polling {
    fn drop(&mut self) {
        POLLING.replace(self.0.take());
    }
}

/// Makes a call that may wait for the disk, without stalling the other tasks of this thread where
/// tokio can move them to another one.
///
/// On a worker thread of a multi-thread runtime this is [`tokio::task::block_in_place`]; everywhere
/// else it is a plain call: on a current-thread runtime, in a `LocalSet`, in `block_on`, outside of
/// any runtime. `block_in_place` itself panics in the first two.
pub(crate) fn block_in_place<T>(call: impl FnOnce() -> T) -> T {
    // It starts another worker thread on the pool of the current runtime: that must be the
    // worker's.
    let polling = POLLING.with_borrow(Clone::clone);
    let _entered = polling.as_ref().map(Handle::enter);
    if is_worker() { tokio::task::block_in_place(call) } else { call() }
}

/// Whether this is a worker thread of a multi-thread runtime.
///
/// A `LocalSet` is never polled by one. A current-thread runtime has a worker index as well, hence
/// the look at the flavor, which is that of the runtime entered last.
fn is_worker() -> bool {
    let multi_thread = |handle: Handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread;
    worker_index().is_some() && Handle::try_current().is_ok_and(multi_thread)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::LocalSet;

    use super::*;

    fn multi_thread() -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).build().expect("make a runtime")
    }

    fn current_thread() -> Runtime {
        Builder::new_current_thread().build().expect("make a runtime")
    }

    /// Makes a call, and says whether this is a worker.
    fn called() -> bool {
        let mut calls = 0;
        block_in_place(|| calls += 1);
        assert_eq!(calls, 1);
        is_worker()
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
        runtime.block_on(runtime.spawn(async { wait_for_another_task() })).expect("no panic");
    }

    #[test]
    fn a_call_inside_another_one_is_made() {
        let runtime = multi_thread();
        let nested = runtime.spawn(async { block_in_place(called) });
        runtime.block_on(nested).expect("no panic");
    }

    #[test]
    fn a_worker_that_uses_another_blocking_pool_gives_its_tasks_away() {
        let pool = current_thread();
        let handle = pool.handle().clone();
        let runtime = multi_thread();
        let task = runtime.spawn(async move {
            on_blocking_pool_of(&handle, async {
                wait_for_another_task();
                Handle::current().id()
            })
            .await
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), pool.handle().id());
    }

    #[test]
    fn block_on_of_a_multi_thread_runtime_calls_directly() {
        assert!(!multi_thread().block_on(async { called() }));
    }

    #[test]
    fn a_local_set_on_a_multi_thread_runtime_calls_directly() {
        let runtime = multi_thread();
        let set = LocalSet::new();
        let local = set.spawn_local(async { called() });
        assert!(!set.block_on(&runtime, async { called() }));
        assert!(!set.block_on(&runtime, local).expect("no panic"));
    }

    #[test]
    fn a_local_set_on_a_worker_thread_calls_without_a_panic() {
        let runtime = multi_thread();
        let handle = runtime.handle().clone();
        let task = runtime.spawn(async move {
            tokio::task::block_in_place(|| {
                handle.block_on(LocalSet::new().run_until(async { called() }));
            });
        });
        runtime.block_on(task).expect("no panic");
    }

    #[test]
    fn a_current_thread_runtime_calls_directly() {
        let runtime = current_thread();
        assert!(!runtime.block_on(async { called() }));
        assert!(!runtime.block_on(runtime.spawn(async { called() })).expect("no panic"));
        assert!(!LocalSet::new().block_on(&runtime, async { called() }));
    }

    #[test]
    fn a_thread_without_a_runtime_calls_directly() {
        assert!(!called());
        let runtime = multi_thread();
        let _entered = runtime.enter();
        assert!(!called(), "entered, and not a worker");
    }

    #[test]
    fn the_blocking_pool_calls_directly() {
        let runtime = multi_thread();
        assert!(!runtime.block_on(runtime.spawn_blocking(called)).expect("no panic"));
    }
}
