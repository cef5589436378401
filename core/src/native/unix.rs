//! Unix files by directory descriptor, never by a joined path.

#![allow(clippy::unnecessary_cast, reason = "the fields of `stat` have other widths elsewhere")]

use std::fs;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::vec::Vec;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::errno::{code, code_of};
use crate::error::ErrorCode;
use crate::platform::{DirectoryState, EntryKind, Identity, Metadata, Platform};

mod listing;
mod removal;

pub use listing::Entries;

/// The operating system's files, with the rights of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

/// `O_CLOEXEC` always: a child process has no business with a temporary file.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// Owner only, before the umask takes more away.
const FILE_MODE: RawMode = 0o600;
const DIRECTORY_MODE: RawMode = 0o700;

/// Write permission for others than the owner.
const OTHERS_WRITE: RawMode = 0o022;
const STICKY: RawMode = 0o1000;

/// Opens a directory by its path, following links.
pub(super) fn open_base(path: &str) -> Result<OwnedFd, ErrorCode> {
    open_directory(CWD, path.as_bytes(), OFlags::empty())
}

/// An absolute path without slashes at its end, unless it is the root.
pub(super) fn without_end(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

/// Opens a directory, also one that may be searched and written but not read, such as one of mode
/// 1733.
fn open_directory(dir: impl AsFd, name: &[u8], flags: OFlags) -> Result<OwnedFd, ErrorCode> {
    let flags = DIRECTORY | flags;
    match open(&dir, name, flags, 0) {
        #[cfg(target_os = "linux")]
        Err(ErrorCode::Access) => open(&dir, name, flags | OFlags::PATH, 0),
        opened => opened,
    }
}

impl Platform for Native {
    type Dir = Arc<OwnedFd>;
    type File = fs::File;
    type Entries = Entries;

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let flags = FILE | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        open(dir, name, flags, FILE_MODE).map(fs::File::from)
    }

    fn create_delete_on_close(&self, _: &Self::Dir, _: &[u8]) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    #[cfg(target_os = "linux")]
    fn create_unnamed(
        &self,
        dir: &Self::Dir,
        state: DirectoryState,
    ) -> Result<Self::File, ErrorCode> {
        let is_removed = || Ok(rustix::fs::fstat(dir).map_err(code)?.st_nlink == 0);
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        match retry_on_intr(|| rustix::fs::openat(dir, c".", flags, Mode::from_raw_mode(FILE_MODE)))
        {
            // Some file systems, such as tmpfs, create files in a directory that has been removed.
            Ok(_) if state == DirectoryState::MaybeRemoved && is_removed()? => {
                Err(ErrorCode::NoEntry)
            }
            Ok(file) => Ok(file.into()),
            // What file systems and kernels without O_TMPFILE answer. EPERM comes from a directory
            // that has been removed: creating with a name gives a better error for that.
            Err(Errno::ISDIR | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
                Err(ErrorCode::Unsupported)
            }
            Err(errno) => Err(code(errno)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn create_unnamed(&self, _: &Self::Dir, _: DirectoryState) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        open_regular(dir, name, OFlags::RDWR)
    }

    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        match open_regular(dir, name, OFlags::RDONLY) {
            Err(ErrorCode::Access) => open_regular(dir, name, OFlags::WRONLY),
            // Unlike the other two ways, reading opens a directory too.
            Err(ErrorCode::Invalid) if is_directory(dir, name) => Err(ErrorCode::IsDirectory),
            opened => opened,
        }
    }

    fn duplicate(&self, file: &Self::File) -> Result<Self::File, ErrorCode> {
        file.try_clone().map_err(|error| code_of(&error))
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(DIRECTORY_MODE)).map_err(code)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open_directory(dir, name, OFlags::NOFOLLOW).map(Arc::new)
    }

    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        removal::open(dir, name).map(Arc::new)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode> {
        Entries::new(dir)
    }

    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode> {
        let stat = stat_at(dir, name)?;
        let kind = entry_kind(FileType::from_raw_mode(stat.st_mode));
        let size = if kind == EntryKind::File { stat.st_size as u64 } else { 0 };
        Ok(Metadata { kind, size })
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
            // POSIX allows EPERM for a directory.
            Err(Errno::PERM) if is_directory(dir, name) => Err(ErrorCode::IsDirectory),
            removed => removed.map_err(code),
        }
    }

    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
            // POSIX allows EEXIST for a directory that is not empty.
            Err(Errno::EXIST) => Err(ErrorCode::NotEmpty),
            removed => removed.map_err(code),
        }
    }

    fn rename(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        match rustix::fs::renameat(dir, name, to, target) {
            Err(Errno::EXIST) => Err(ErrorCode::NotEmpty),
            renamed => renamed.map_err(code),
        }
    }

    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    fn rename_no_replace(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        match rustix::fs::renameat_with(dir, name, to, target, rustix::fs::RenameFlags::NOREPLACE) {
            // The answer of a file system without the flag.
            Err(Errno::INVAL) => Err(ErrorCode::Unsupported),
            renamed => renamed.map_err(code),
        }
    }

    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    fn rename_no_replace(
        &self,
        _: &Self::Dir,
        _: &[u8],
        _: &Self::Dir,
        _: &[u8],
    ) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        rustix::fs::linkat(dir, name, to, target, AtFlags::empty()).map_err(code)
    }

    #[cfg(target_os = "linux")]
    fn link_unnamed(
        &self,
        file: &Self::File,
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        // As open(2) recommends: linking the descriptor itself needs a privilege, linking its entry
        // in /proc does not.
        let source = std::format!("/proc/self/fd/{}", file.as_raw_fd());
        match rustix::fs::linkat(CWD, &source, to, target, AtFlags::SYMLINK_FOLLOW) {
            Err(Errno::NOENT) if rustix::fs::lstat(&source).is_err() => Err(ErrorCode::Unsupported),
            linked => linked.map_err(code),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn locks_open_names(&self) -> bool {
        false
    }

    fn is_shared(&self, dir: &Self::Dir) -> Result<bool, ErrorCode> {
        let stat = rustix::fs::fstat(dir).map_err(code)?;
        Ok(others_may_rename(&stat, rustix::process::geteuid().as_raw()))
    }

    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode> {
        rustix::fs::fstat(file).map(identity).map_err(code)
    }

    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode> {
        rustix::fs::fstat(dir).map(identity).map_err(code)
    }

    fn is_same_directory(&self, dir: &Self::Dir, other: &Self::Dir) -> bool {
        let identity = self.directory_identity(dir);
        identity.is_ok() && identity == self.directory_identity(other)
    }

    fn is_directory_at(
        &self,
        dir: &Self::Dir,
        parent: &Self::Dir,
        name: &[u8],
    ) -> Result<bool, ErrorCode> {
        Ok(self.directory_identity(dir)? == self.identity_at(parent, name)?)
    }

    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        stat_at(dir, name).map(identity)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        stat_at(dir, name).map(|stat| stat.st_nlink as u64)
    }

    fn read_into(
        &self,
        file: &Self::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        retry(|| file.read_at(buffer, offset))
    }

    fn read(&self, file: &Self::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| ErrorCode::OutOfMemory)?;
        // Into spare capacity, which need not be zeroed first.
        retry_on_intr(|| {
            rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), offset)
        })
        .map_err(code)?;
        Ok(bytes)
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        match retry(|| file.write_at(data, offset))? {
            0 => Err(ErrorCode::Io),
            count => Ok(count),
        }
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        retry(|| Ok(file.metadata()?.len()))
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        // EINVAL means that the file system has no files of this size: core checks for 2^63-1.
        retry(|| file.set_len(size)).map_err(|code| match code {
            ErrorCode::Invalid => ErrorCode::FileTooLarge,
            code => code,
        })
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_data().map_err(|error| code_of(&error))
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_all().map_err(|error| code_of(&error))
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        rustix::fs::fsync(dir).map_err(code)
    }
}

fn open(dir: &impl AsFd, name: &[u8], flags: OFlags, mode: RawMode) -> Result<OwnedFd, ErrorCode> {
    match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))) {
        // FreeBSD's ELOOP for a link that is not followed.
        Err(Errno::MLINK) => Err(code(Errno::LOOP)),
        opened => opened.map_err(code),
    }
}

/// Opens a regular file for the access that `flags` ask for.
fn open_regular(dir: &impl AsFd, name: &[u8], flags: OFlags) -> Result<fs::File, ErrorCode> {
    // O_NONBLOCK, so that a fifo or device that somebody planted does not block the open.
    let flags = FILE | flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty())) {
        Err(errno) if is_no_regular_file(errno) => return Err(ErrorCode::Invalid),
        opened => opened.map_err(code)?,
    };
    match FileType::from_raw_mode(rustix::fs::fstat(&file).map_err(code)?.st_mode) {
        FileType::RegularFile => Ok(file.into()),
        _ => Err(ErrorCode::Invalid),
    }
}

/// Whether the refusal to open a file without following a link means that it is no regular file.
fn is_no_regular_file(refusal: Errno) -> bool {
    // A link: ELOOP, and EMLINK on FreeBSD. A socket: ENXIO, and EOPNOTSUPP on other systems than
    // Linux. A device that is not there: ENXIO or ENODEV.
    let refusals = [Errno::LOOP, Errno::MLINK, Errno::NXIO, Errno::OPNOTSUPP, Errno::NODEV];
    refusals.contains(&refusal)
}

fn stat_at(dir: &impl AsFd, name: &[u8]) -> Result<Stat, ErrorCode> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(code)
}

fn identity(stat: Stat) -> Identity {
    [stat.st_dev as u64, stat.st_ino as u64]
}

/// Whether others than `user` may rename or remove the user's names in a directory. In a sticky
/// directory only the owners of a name and of the directory may.
fn others_may_rename(stat: &Stat, user: u32) -> bool {
    const ROOT: u32 = 0;
    let trusted_owner = stat.st_uid == user || stat.st_uid == ROOT;
    let mode = stat.st_mode as RawMode;
    !trusted_owner || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0)
}

fn entry_kind(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        _ => EntryKind::Other,
    }
}

fn is_directory(dir: &impl AsFd, name: &[u8]) -> bool {
    stat_at(dir, name)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> Result<T, ErrorCode> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map_err(|error| code_of(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::{Path, PathBuf};

    use getrandom::SysRng;

    #[cfg(target_os = "linux")]
    use super::removal::open_unless_mount_root;
    use super::removal::{grant_owner, open_on_same_device, open_same_mount};
    use super::*;
    use crate::{Instance, Location, Options, Process, TempDir};

    fn directory() -> TempDir<Process> {
        let instance = Instance::new(Process, SysRng);
        instance.directory(&Options::default(), Location::Scratch).expect("a directory")
    }

    fn at(dir: &TempDir<Process>, name: &str) -> PathBuf {
        Path::new(dir.path()).join(name)
    }

    type Opened = Result<OwnedFd, ErrorCode>;

    /// Opens an entry in each way that this system has to detect a mount point.
    fn opened(dir: &OwnedFd, name: &[u8]) -> Vec<Opened> {
        Vec::from([
            open_same_mount(dir, name),
            open_on_same_device(dir, name),
            #[cfg(target_os = "linux")]
            open_unless_mount_root(dir, name),
        ])
    }

    #[test]
    fn a_mount_point_is_detected_by_its_device() {
        let root = open_base("/").expect("the root directory");
        // Mount points nearly everywhere, Apple's systems and containers included.
        for name in ["dev", "proc"] {
            let device = |path: &str| rustix::fs::stat(path).map(|stat| stat.st_dev);
            match device(&std::format!("/{name}")) {
                Ok(device_there) if Ok(device_there) != device("/") => {}
                Ok(_) | Err(_) => continue,
            }
            for opened in opened(&root, name.as_bytes()) {
                assert_eq!(opened.err(), Some(ErrorCode::Busy), "{name}");
            }
        }
    }

    #[test]
    fn a_directory_that_is_no_mount_point_is_opened_in_every_way() {
        let dir = directory();
        dir.create_directory("sub").expect("a directory");
        dir.create_file("file").expect("a file");
        symlink("sub", at(&dir, "link")).expect("a link");
        let handle = dir.get_ref().expect("open");
        assert!(opened(handle, b"sub").iter().all(Result::is_ok));
        for name in ["file", "link"] {
            for opened in opened(handle, name.as_bytes()) {
                assert_eq!(opened.err(), Some(ErrorCode::NotDirectory), "{name}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_mount_of_the_same_file_system_is_detected_without_openat2() {
        let dir = directory();
        dir.create_directory("sub").expect("a directory");
        dir.create_directory("mounted").expect("a directory");
        let mounted = at(&dir, "mounted");
        let mount = std::process::Command::new("mount")
            .arg("--bind")
            .arg(at(&dir, "sub"))
            .arg(&mounted)
            .output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            std::println!("skipped: this process may not mount");
            return;
        }
        let opened = open_unless_mount_root(dir.get_ref().expect("open"), b"mounted");
        let unmounted = std::process::Command::new("umount").arg(mounted).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
        assert_eq!(opened.err(), Some(ErrorCode::Busy));
    }

    #[test]
    fn a_directory_gets_the_rights_that_its_removal_needs() {
        let dir = directory();
        dir.create_directory("closed").expect("a directory");
        symlink("closed", at(&dir, "link")).expect("a link");
        let handle = dir.get_ref().expect("open");
        let mode = || {
            let metadata = fs::metadata(at(&dir, "closed")).expect("metadata");
            metadata.permissions().mode() & 0o777
        };
        fs::set_permissions(at(&dir, "closed"), fs::Permissions::from_mode(0o000)).expect("a mode");
        assert_eq!(grant_owner(handle, b"link"), Err(ErrorCode::NotDirectory));
        assert_eq!(mode(), 0, "no link is followed");
        grant_owner(handle, b"closed").expect("it is ours");
        assert_eq!(mode(), 0o700);
        assert_eq!(grant_owner(handle, b"closed"), Err(ErrorCode::Access), "nothing to give");
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let dir = directory();
        symlink("file", at(&dir, "link")).expect("a link");
        let _socket = UnixListener::bind(at(&dir, "socket")).expect("a socket");
        for name in ["link", "socket"] {
            let opened = Native.open_file(dir.get_ref().expect("open"), name.as_bytes());
            assert_eq!(opened.err(), Some(ErrorCode::Invalid), "{name}");
        }
    }

    /// What other systems answer where Linux says ELOOP or ENXIO.
    #[test]
    fn every_refusal_of_a_link_or_socket_is_known() {
        for refusal in [Errno::LOOP, Errno::MLINK, Errno::NXIO, Errno::OPNOTSUPP] {
            assert!(is_no_regular_file(refusal), "{refusal}");
        }
        for other in [Errno::ACCESS, Errno::NOENT, Errno::ISDIR, Errno::MFILE] {
            assert!(!is_no_regular_file(other), "{other}");
        }
    }

    #[test]
    fn a_call_that_a_file_system_lacks_is_unsupported() {
        for errno in [Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP] {
            assert_eq!(code(errno), ErrorCode::Unsupported, "{errno}");
        }
    }

    fn shared(owner: u32, mode: RawMode) -> bool {
        let mut stat = rustix::fs::stat(c"/").expect("the root directory");
        (stat.st_uid, stat.st_mode) = (owner, mode);
        others_may_rename(&stat, 1000)
    }

    #[test]
    fn a_directory_is_shared_if_others_may_rename_in_it() {
        for (owner, mode, expected) in [
            (1000, 0o700, false),
            (1000, 0o755, false),
            (1000, 0o770, true),
            (1000, 0o702, true),
            (1000, 0o1777, false),
            (0, 0o1777, false),
            (0, 0o777, true),
            (1001, 0o1777, true),
            (1001, 0o755, true),
        ] {
            assert_eq!(shared(owner, mode), expected, "owner {owner}, mode {mode:o}");
        }
    }
}
