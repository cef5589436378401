//! The command as a process: panics.

use super::{HOST_FAILED, complain, system};

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
        system::exit(HOST_FAILED);
    }));
}
