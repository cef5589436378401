//! Events of the console. There are no limits of the process and no modes.

use std::fs::{File, Metadata};
use std::future::poll_fn;
use std::io::{self, IsTerminal};
use std::os::windows::io::AsHandle;
use std::path::Path;
use std::task::Poll;

use tokio::runtime::Builder;
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};

use crate::command::Result;

/// The numbers of the Unix signals that have these meanings. Exit codes are made of them.
const INTERRUPT: i32 = 2;
const HANGUP: i32 = 1;
const TERMINATE: i32 = 15;

/// Nothing ends a process here for its limits.
pub(crate) fn survive_limits() {}

/// There is no limit on addresses.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(crate) fn check_address_space() -> Result<()> {
    Ok(())
}

/// Ends the process at once.
pub(crate) fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Waits for the events that stop a run, one after the other: Ctrl-C, Ctrl-Break, and the end of
/// the console, the session or the system. They are received from now on.
pub(crate) fn signals() -> Result<impl Iterator<Item = i32> + Send> {
    let failed = |cause: io::Error| format!("receive events of the console: {cause}");
    let runtime = Builder::new_current_thread().build().map_err(failed)?;
    let (mut interrupt, mut terminate) = (ctrl_c().map_err(failed)?, ctrl_break().map_err(failed)?);
    // The system ends the process some seconds after these three.
    let mut close = ctrl_close().map_err(failed)?;
    let mut logoff = ctrl_logoff().map_err(failed)?;
    let mut shutdown = ctrl_shutdown().map_err(failed)?;
    Ok(std::iter::from_fn(move || {
        Some(runtime.block_on(poll_fn(|context| {
            let events = [
                (interrupt.poll_recv(context), INTERRUPT),
                (terminate.poll_recv(context), TERMINATE),
                (close.poll_recv(context), HANGUP),
                (logoff.poll_recv(context), HANGUP),
                (shutdown.poll_recv(context), TERMINATE),
            ];
            let come = events.iter().find(|(event, _)| event.is_ready());
            come.map_or(Poll::Pending, |(_, signal)| Poll::Ready(*signal))
        })))
    }))
}

/// What is made has the access list of the directory that it is in.
pub(crate) fn make_private() {}

/// A new file has the access list of its directory.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(crate) fn keep_owner_and_mode(_: &wasi_tempfile::File, _: Option<&Metadata>) -> io::Result<()> {
    Ok(())
}

/// Whether other users may write to a directory: its access list is not looked at.
pub(crate) fn may_others_write(_: &Path) -> bool {
    false
}

/// Whether somebody reads standard output while the command runs, and may print it on the same
/// terminal.
pub(crate) fn is_read_meanwhile() -> bool {
    io::stdout().is_terminal()
}

/// A file that no crash can leave behind.
pub(crate) fn unnamed_file() -> io::Result<File> {
    Ok(wasi_tempfile::tempfile()?.as_handle().try_clone_to_owned()?.into())
}
