//! What a run needs of its process: threads and descriptors.
//!
//! The libraries below this one panic, or wait for ever, where the system refuses them a thread or
//! a descriptor at the wrong moment. So that is tried beforehand, where it can be an error.

use std::fs::File;
use std::io;
use std::sync::mpsc;
use std::thread;

use crate::error::Error;

/// Threads besides those of the compiler and of tokio, which have one of each for a processor: the
/// epoch ticker, a reader of standard input, the embedder's own.
const THREADS: usize = 6;

/// Descriptors of tokio's runtime, of the scratch directory, and of a few files.
const DESCRIPTORS: usize = 16;

/// Checks that this process may start the threads and open the descriptors of one run.
///
/// [`SandboxBuilder::build`](crate::SandboxBuilder::build) does this. Call it yourself before you
/// make a [`Cache`](wasmtime::Cache), which panics if it gets no thread. Other threads of the
/// process, and other processes of the user, may take what is free now the next moment.
///
/// # Errors
///
/// [`Error::Process`], with the error of the system.
pub fn check_process() -> Result<(), Error> {
    let failed = |operation| move |source| Error::Process { operation, source };
    let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let files: io::Result<Vec<File>> = (0..DESCRIPTORS).map(|_| File::open(null)).collect();
    files.map_err(failed("open a file"))?;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    start_threads(2 * processors + THREADS).map_err(failed("start a thread"))
}

/// Starts so many threads that live at one time, and ends them.
fn start_threads(count: usize) -> io::Result<()> {
    let mut started = Vec::with_capacity(count);
    let mut result = Ok(());
    for _ in 0..count {
        let (end, ended) = mpsc::channel::<()>();
        match thread::Builder::new().spawn(move || ended.recv()) {
            Ok(thread) => started.push((end, thread)),
            Err(cause) => {
                result = Err(cause);
                break;
            }
        }
    }
    for (end, thread) in started {
        drop(end);
        // Its answer is that the channel was closed.
        let _ = thread.join();
    }
    result
}
