//! A pseudoterminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;
use std::process::{Command, Stdio};
use std::ptr::null_mut;
use std::thread;

/// A terminal that a test reads.
pub(crate) struct Terminal {
    /// The end that shows what is written.
    ours: File,
    /// The end for a command's standard streams.
    theirs: File,
}

impl Terminal {
    /// What no command of the tests writes.
    const END: &str = "the end of the test";

    pub(crate) fn new() -> Self {
        let (mut ours, mut theirs) = (-1, -1);
        // SAFETY: the first two are written, and nothing else is asked for.
        let made =
            unsafe { libc::openpty(&mut ours, &mut theirs, null_mut(), null_mut(), null_mut()) };
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: both have just been opened, and nobody else has them.
        unsafe { Self { ours: File::from_raw_fd(ours), theirs: File::from_raw_fd(theirs) } }
    }

    /// It as a standard stream of a command.
    pub(crate) fn stream(&self) -> Stdio {
        self.theirs.try_clone().expect("duplicate a descriptor").into()
    }

    /// Runs a command whose standard error it is; returns the exit code and what it shows.
    pub(crate) fn run(mut self, command: &mut Command) -> (Option<i32>, String) {
        command.stderr(self.stream());
        let mut child = command.spawn().expect("start the command");
        // Somebody has to read meanwhile, since a terminal keeps only a few kilobytes.
        let reader = thread::spawn(move || {
            let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
            while !shown.ends_with(Self::END.as_bytes()) {
                let count = self.ours.read(&mut buffer).expect("read the terminal");
                shown.extend_from_slice(&buffer[..count]);
            }
            String::from_utf8(shown).expect("text").replace("\r\n", "\n")
        });
        let code = child.wait().expect("wait for the command").code();
        self.theirs.write_all(Self::END.as_bytes()).expect("write to the terminal");
        let shown = reader.join().expect("read the terminal");
        (code, shown.strip_suffix(Self::END).expect("it is at the end").to_owned())
    }
}
