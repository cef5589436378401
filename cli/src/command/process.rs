//! The command as a process: signals that end it for its limits, and panics.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Resource, getrlimit};
use signal_hook::consts::{SIGABRT, SIGXFSZ};
use signal_hook::{flag, low_level};

use super::{HOST_FAILED, Result, complain};

/// Wasmtime reserves 4 GiB of addresses for each memory of a plugin, and compiling takes some too.
const ADDRESS_SPACE: u64 = 5 << 30;

/// Makes what would end the process by a signal an error, or at least exit code 3.
///
/// A write past the limit on a file's size (`ulimit -f`) fails then, and is the plugin's
/// `file-too-large`. Rust's standard library aborts when there is no memory (`ulimit -v`), after a
/// line on standard error.
///
/// Best effort: what cannot be set stays as the system has it.
pub(super) fn survive_limits() {
    let _ = flag::register(SIGXFSZ, Arc::default());
    let always = Arc::new(AtomicBool::new(true));
    let _ = flag::register_conditional_shutdown(SIGABRT, HOST_FAILED.into(), always);
}

/// Checks that there are enough addresses for a plugin: where they run out in the middle of the
/// compiler, the process can only abort.
pub(super) fn check_address_space() -> Result<()> {
    match getrlimit(Resource::As).current {
        Some(limit) if limit < ADDRESS_SPACE => Err(format!(
            "the limit on addresses (`ulimit -v`) is {} KiB, and a run needs {} KiB",
            limit >> 10,
            ADDRESS_SPACE >> 10
        )),
        Some(_) | None => Ok(()),
    }
}

/// Makes every panic one line and the end of the process, with exit code 3.
///
/// A library may panic on a thread for which another waits, when the system refuses it something at
/// the wrong moment. A scratch directory is left to the next run, since what panicked may hold it.
pub(super) fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no reason given");
        match panic.location() {
            Some(place) => complain(format_args!("internal error: {text} ({place})")),
            None => complain(format_args!("internal error: {text}")),
        }
        low_level::exit(HOST_FAILED.into());
    }));
}

/// Whether a signal is ignored, as `nohup` sets it for a command, which should then go on.
#[allow(unsafe_code, reason = "no crate asks the system for a signal's action")]
pub(super) fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action this only writes the present one, for which zeros are valid.
    let action = unsafe {
        if libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0 {
            return false;
        }
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}
