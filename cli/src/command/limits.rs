//! The limits on the files of a plugin, as options of `run`.

use clap::Args;
use wasi_tempfile_host::Limits;

use super::values;

/// Limits that both providers of this program enforce.
#[derive(Args)]
pub(super) struct Limited {
    /// Limit the bytes of all temporary files; a gap counts as the zeros that it reads as
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    bytes: Option<u64>,

    /// Limit the names of files and directories
    #[arg(long, value_name = "NUMBER", value_parser = values::count)]
    entries: Option<u64>,

    /// Limit the handles: open files, streams, guarded names and directories [default: 4096]
    #[arg(long, value_name = "NUMBER", value_parser = values::count)]
    handles: Option<u64>,

    /// Limit the memory of all spooled files; before it is exceeded, the largest move to disk
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    spool_memory: Option<u64>,

    /// Limit the bytes of each file
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    file_size: Option<u64>,
}

impl Limited {
    /// The limits; none if no option is set.
    pub(super) fn limits(&self) -> Option<Limits> {
        let Self { bytes, entries, handles, spool_memory, file_size } = *self;
        let limits = Limits { bytes, entries, handles, memory: spool_memory, file_size };
        (limits != Limits::default()).then_some(limits)
    }
}
