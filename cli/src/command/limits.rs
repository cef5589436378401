//! What `run` lets a plugin have at one time.

use clap::Args;
use wasi_tempfile_host::provider::Limits;

use super::values;

/// Limits that both providers in this program keep to: the host and the component.
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
}

impl Limited {
    /// Nothing if none is set: then nothing is counted.
    pub(super) fn limits(&self) -> Option<Limits> {
        let Self { bytes, entries, handles, spool_memory, file_size } = *self;
        let limits = Limits {
            bytes,
            entries,
            handles,
            memory: spool_memory,
            file_size,
            ..Limits::default()
        };
        (limits != Limits::default()).then_some(limits)
    }
}
