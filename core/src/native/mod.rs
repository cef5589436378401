//! The operating system: its files by directory handle, and the process as a context.

#[cfg(unix)]
mod errno;
mod process;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as sys;
#[cfg(windows)]
use windows as sys;

#[cfg(unix)]
pub use errno::code_of as error_code_of;
pub use process::Process;
pub use sys::{Entries, Native};
#[cfg(windows)]
pub use windows::code_of as error_code_of;
