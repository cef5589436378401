//! The operations that are measured. Natively they are called; as a component they are run with a
//! name and a count as arguments, and print the nanoseconds.
//!
//! What [`theirs`] can do as well is one file, compiled against either crate.

use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

mod data;
#[cfg(target_family = "wasm")]
mod floor;
mod memory;
mod removal;
mod stream;

/// With the crate `tempfile`.
#[allow(missing_docs, unreachable_pub, reason = "one file for both")]
pub mod theirs {
    include!("shared.rs");

    /// Does a work, and says how long it took: see [`crate::ours::run`].
    pub fn run(work: &str, count: u64) -> std::io::Result<u64> {
        let done = shared(work, count);
        #[cfg(target_family = "wasm")]
        let done = done.or_else(|| crate::floor::run(work, count));
        done.ok_or_else(|| crate::unknown(work))?
    }
}

/// With this repository's.
#[allow(missing_docs, unreachable_pub, reason = "one file for both")]
pub mod ours {
    use wasi_tempfile as tempfile;
    include!("shared.rs");

    /// Does a work so many times, and says how many nanoseconds that took, by the program's own
    /// clock: what it takes to start and to warm up is left out. Works of memory answer in bytes.
    /// Some have a size after a colon.
    ///
    /// # Errors
    /// Those of the work; `InvalidInput` if there is no such work.
    pub fn run(work: &str, count: u64) -> std::io::Result<u64> {
        let (name, size) = work.split_once(':').unwrap_or((work, ""));
        let size = size.parse().unwrap_or(0);
        shared(work, count)
            .or_else(|| crate::data::run(name, size, count))
            .or_else(|| crate::memory::run(name, size))
            .or_else(|| crate::removal::run(name, size, count))
            .or_else(|| crate::stream::run(name, count))
            .ok_or_else(|| crate::unknown(work))?
    }
}

/// The whole of a plugin.
pub fn plugin(run: impl FnOnce(&str, u64) -> io::Result<u64>) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let work = arguments.next().unwrap_or_default();
    let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1);
    match run(&work, count) {
        Ok(took) => {
            println!("{took}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{work}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs something `count` times, and returns the nanoseconds. The first iteration, which finds the
/// default directory, is not counted.
fn time(count: u64, mut once: impl FnMut() -> io::Result<()>) -> io::Result<u64> {
    once()?;
    let start = Instant::now();
    for _ in 0..count {
        once()?;
    }
    Ok(nanoseconds(start.elapsed()))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn unknown(work: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, format!("there is no work `{work}`"))
}
