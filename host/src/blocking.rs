//! Blocking system calls on the threads of a tokio runtime.

use tokio::runtime::{Handle, RuntimeFlavor, worker_index};

/// Makes a call that may wait for the disk, without stalling the other tasks of this thread where
/// tokio can move them to another one.
///
/// On a worker thread of a multi-thread runtime this is [`tokio::task::block_in_place`]; everywhere
/// else it is a plain call: on a current-thread runtime, in a `LocalSet`, in `block_on`, outside of
/// any runtime. `block_in_place` itself panics in the first two.
pub(crate) fn block_in_place<T>(call: impl FnOnce() -> T) -> T {
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

    /// The call is made, and whether it was in place of the worker's other tasks.
    fn called() -> bool {
        let mut calls = 0;
        block_in_place(|| calls += 1);
        assert_eq!(calls, 1);
        is_worker()
    }

    #[test]
    fn a_worker_of_a_multi_thread_runtime_gives_its_tasks_away() {
        let runtime = multi_thread();
        assert!(runtime.block_on(runtime.spawn(async { called() })).expect("no panic"));
    }

    #[test]
    fn a_call_inside_another_one_is_made() {
        let runtime = multi_thread();
        let nested = runtime.spawn(async { block_in_place(called) });
        runtime.block_on(nested).expect("no panic");
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
