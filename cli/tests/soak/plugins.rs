//! The test plugin, served by either provider, in the sandbox of this crate.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use wasi_tempfile_host::{Capture, Control, Outcome, Plugin, RunOptions, Sandbox};

use crate::support::PLUGIN;

/// Who serves the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Component,
    Host,
}

impl Provider {
    pub(crate) const BOTH: [Provider; 2] = [Provider::Component, Provider::Host];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Provider::Component => "component",
            Provider::Host => "host",
        }
    }
}

/// The plugin in the sandbox.
pub(crate) fn sandboxed(provider: Provider) -> Plugin {
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    match provider {
        Provider::Component => sandbox.load(&plugin, wasi_tempfile_host::Provider::Component),
        Provider::Host => sandbox.load(&plugin, wasi_tempfile_host::Provider::Host),
    }
    .expect("load the plugin")
}

/// A plugin that runs in the sandbox, on a thread of its own, while others look.
pub(crate) struct Running {
    input: PipeWriter,
    said: BufReader<PipeReader>,
    complained: Capture,
    control: Control,
    thread: JoinHandle<Outcome>,
}

impl Running {
    pub(crate) fn start(plugin: &Plugin, run: RunOptions) -> Self {
        let (from, input) = std::io::pipe().expect("make a pipe");
        let (said, to) = std::io::pipe().expect("make a pipe");
        let complained = Capture::new(1 << 16);
        let run = run
            .stdin(fs::File::from(OwnedFd::from(from)))
            .stdout(fs::File::from(OwnedFd::from(to)))
            .stderr(&complained);
        let control = run.control();
        let plugin = plugin.clone();
        let thread = thread::spawn(move || plugin.run(run).expect("run the plugin"));
        Running { input, said: BufReader::new(said), complained, control, thread }
    }

    /// The next line it says.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self.said.read_line(&mut line).expect("read a line");
        assert!(count > 0, "it says no more: {}", self.complained.text());
        line.trim_end().to_owned()
    }

    /// The next line it says, unless it has ended.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.said.read_line(&mut line).expect("read a line");
        (count > 0).then(|| line.trim_end().to_owned())
    }

    /// Tells it a line, unless it has ended.
    pub(crate) fn tell(&mut self, line: &str) {
        let _ = writeln!(self.input, "{line}");
    }

    /// Its scratch directory.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.control.scratch_path().expect("it has not ended")
    }

    /// Ends its standard input, and gives what it then says, and how it ends.
    pub(crate) fn end(self) -> (String, Outcome) {
        self.end_after(&[])
    }

    /// As [`end`](Self::end), after telling it these lines. It may answer meanwhile, as much as it
    /// likes.
    pub(crate) fn end_after(mut self, lines: &[String]) -> (String, Outcome) {
        let mut said = String::new();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut input = BufWriter::new(self.input);
                // Whoever has ended hears no more; its ending tells.
                let _ = lines.iter().try_for_each(|line| writeln!(input, "{line}"));
            });
            self.said.read_to_string(&mut said).expect("read the rest");
        });
        (said, self.thread.join().expect("no panic"))
    }
}
