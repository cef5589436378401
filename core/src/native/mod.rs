//! The operating system: its files by directory descriptor, and the process as a context.

mod errno;
mod process;
mod unix;

pub use process::Process;
pub use unix::{Entries, Native};
