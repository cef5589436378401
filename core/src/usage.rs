//! What is in use, and the maxima.

/// The kind of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    /// An open file, or a stream of one.
    File,
    /// A name that is removed with its handle.
    Path,
    /// A directory that is removed with its handle.
    Directory,
}

/// What is in use at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Open files and streams.
    pub files: u32,
    /// Names that are guarded.
    pub paths: u32,
    /// Directories that are guarded.
    pub directories: u32,
    /// Bytes of spooled files in memory.
    pub memory: u64,
    /// Bytes on disk, where they are limited: see [`Limited`](crate::Limited).
    pub bytes: u64,
    /// Names of files and directories, where they are limited.
    pub entries: u64,
}

/// What is in use, and the maxima so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Now.
    pub live: Counts,
    /// The maximum of each count by itself.
    pub peak: Counts,
    /// How many names and directories were kept, persisted or linked.
    pub kept: u64,
}

impl Usage {
    pub(crate) fn handles(&mut self, kind: HandleKind) -> (&mut u32, &mut u32) {
        let Usage { live, peak, .. } = self;
        match kind {
            HandleKind::File => (&mut live.files, &mut peak.files),
            HandleKind::Path => (&mut live.paths, &mut peak.paths),
            HandleKind::Directory => (&mut live.directories, &mut peak.directories),
        }
    }

    pub(crate) fn count_memory(&mut self, more: u64, less: u64) {
        count(&mut self.live.memory, &mut self.peak.memory, more, less);
    }

    pub(crate) fn count_bytes(&mut self, more: u64, less: u64) {
        count(&mut self.live.bytes, &mut self.peak.bytes, more, less);
    }

    pub(crate) fn count_entries(&mut self, more: u64, less: u64) {
        count(&mut self.live.entries, &mut self.peak.entries, more, less);
    }
}

fn count(live: &mut u64, peak: &mut u64, more: u64, less: u64) {
    *live = live.saturating_sub(less).saturating_add(more);
    *peak = (*peak).max(*live);
}
