//! Signals, limits of the process, and modes.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::{FileType, Gid, Mode, Uid, fchmod, fchown, fstat};
use rustix::process::{Resource, getrlimit};
use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::command::{HOST_FAILED, Result};

/// The signals that stop a run: those that ask for an end, and the limit on processor time. SIGQUIT
/// is not among them: whoever sends it wants to look at what is left.
const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGXCPU];

/// Wasmtime reserves 4 GiB of addresses for each memory of a plugin, and compiling takes some too.
const ADDRESS_SPACE: u64 = 5 << 30;

/// Makes what would end the process by a signal an error, or at least exit code 3.
///
/// A write past the limit on a file's size (`ulimit -f`) fails then, and is the plugin's
/// `file-too-large`. Rust's standard library aborts when there is no memory (`ulimit -v`), after a
/// line on standard error.
///
/// Best effort: what cannot be set stays as the system has it.
pub(crate) fn survive_limits() {
    let _ = flag::register(SIGXFSZ, Arc::default());
    let always = Arc::new(AtomicBool::new(true));
    let _ = flag::register_conditional_shutdown(SIGABRT, HOST_FAILED.into(), always);
}

/// Checks that there are enough addresses for a plugin: where they run out in the middle of the
/// compiler, the process can only abort.
pub(crate) fn check_address_space() -> Result<()> {
    match getrlimit(Resource::As).current {
        Some(limit) if limit < ADDRESS_SPACE => Err(format!(
            "the limit on addresses (`ulimit -v`) is {} KiB, and a run needs {} KiB",
            limit >> 10,
            ADDRESS_SPACE >> 10
        )),
        Some(_) | None => Ok(()),
    }
}

/// Ends the process at once.
pub(crate) fn exit(code: u8) -> ! {
    low_level::exit(code.into())
}

/// Waits for the signals that stop a run, one after the other. They are received from now on.
pub(crate) fn signals() -> Result<impl Iterator<Item = i32> + Send> {
    // One that is ignored stays so, as after `nohup`.
    let wanted = SIGNALS.into_iter().filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(wanted).map_err(|cause| format!("receive signals: {cause}"))?;
    Ok(std::iter::from_fn(move || signals.forever().next()))
}

/// Whether a signal is ignored, as `nohup` sets it for a command, which should then go on.
#[allow(unsafe_code, reason = "no crate asks the system for a signal's action")]
fn is_ignored(signal: i32) -> bool {
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

/// Lets only this user into files and directories that are made from now on.
pub(crate) fn make_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Gives a new file the mode of the one that it replaces, and its owner where the system allows it;
/// one that replaces none gets the mode that the umask leaves.
pub(crate) fn keep_owner_and_mode(
    file: &wasi_tempfile::File,
    old: Option<&Metadata>,
) -> io::Result<()> {
    let Some(old) = old else { return Ok(fchmod(file, Mode::from_raw_mode(0o666) - umask())?) };
    // Only the superuser may give a file away. For others it is theirs from now on, as if they had
    // removed the old one.
    let owner = (Uid::from_raw(old.uid()), Gid::from_raw(old.gid()));
    let _ = fchown(file, Some(owner.0), Some(owner.1));
    Ok(fchmod(file, Mode::from_raw_mode((old.mode() & 0o777) as _))?)
}

fn umask() -> Mode {
    // It can only be read by setting it. No other thread creates a file meanwhile.
    let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(mask);
    mask
}

/// Whether other users may write to a directory.
pub(crate) fn may_others_write(directory: &Path) -> bool {
    directory.metadata().is_ok_and(|found| found.mode() & 0o022 != 0)
}

/// Whether somebody reads standard output while the command runs, and may print it on the same
/// terminal: that itself, or a program behind a pipe.
pub(crate) fn is_read_meanwhile() -> bool {
    let kind = fstat(io::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match kind {
        Ok(FileType::RegularFile) | Err(_) => false,
        Ok(FileType::CharacterDevice) => io::stdout().is_terminal(),
        Ok(_) => true,
    }
}

/// A file that no crash can leave behind.
pub(crate) fn unnamed_file() -> io::Result<File> {
    Ok(wasi_tempfile::tempfile()?.as_fd().try_clone_to_owned()?.into())
}
