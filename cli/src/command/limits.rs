//! What `run` lets a plugin have at one time.

use std::time::Duration;

use clap::Args;
use wasi_tempfile_host::provider::Limits;

use super::values;

/// Limits of the two providers in this program that count: the host's own, and a component for it.
#[derive(Args)]
pub(super) struct Limited {
    /// Bytes of temporary files, all together; a gap counts as the zeros it reads as
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    bytes: Option<u64>,

    /// Names of files and directories
    #[arg(long, value_name = "NUMBER")]
    entries: Option<u64>,

    /// Open handles: files, names and directories that will be removed
    #[arg(long, value_name = "NUMBER")]
    handles: Option<u64>,

    /// Memory of spooled files, all together; before they would take more, the largest move to disk
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    spool_memory: Option<u64>,

    /// Bytes of any one file
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    file_size: Option<u64>,

    /// Close what is older, and remove it; looked at whenever the plugin asks for something (with --provider host)
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    time_to_live: Option<Duration>,

    /// Close what has not been used for longer, and remove it, likewise
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    idle: Option<Duration>,
}

impl Limited {
    /// Nothing if none is set: then nothing is counted.
    pub(super) fn limits(&self) -> Option<Limits> {
        let Self { bytes, entries, handles, spool_memory, file_size, time_to_live, idle } = *self;
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (time_to_live, idle) = (time_to_live.map(nanoseconds), idle.map(nanoseconds));
        let limits = Limits { bytes, entries, handles, memory: spool_memory, file_size, time_to_live, idle };
        (limits != Limits::default()).then_some(limits)
    }
}
