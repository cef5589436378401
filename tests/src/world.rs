//! The world of a case: its scratch directory, and a witness that observes and changes it.

use crate::differences::Difference;
use crate::witness::Witness;
use crate::{Case, Mount, Outcome, Placement, Setup};
use wasi_tempfile::interface::{self, ErrorCode};

/// The environment variable with the scratch directory's path, as the case sees it. Without it,
/// `/tmp`.
pub const SCRATCH: &str = "CONFORMANCE_SCRATCH";

/// The environment variable with the placement's name.
pub const PLACEMENT: &str = "CONFORMANCE_PLACEMENT";

/// The environment variable with the name of the operating system that has the files, as
/// `std::env::consts::OS` says it. Without it, the system that the suite is compiled for; in a
/// component, Linux.
pub const SYSTEM: &str = "CONFORMANCE_SYSTEM";

/// The environment variable that is set if the suite itself, on another host, is to see the scratch
/// directory among its preopens.
pub const SEES_SCRATCH: &str = "CONFORMANCE_SEES_SCRATCH";

/// The operating system that has the files, as far as cases depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// Another Unix.
    Unix,
}

impl System {
    /// The system that the suite is compiled for. A component is on another, usually Linux.
    const OURS: System = if cfg!(windows) {
        System::Windows
    } else if cfg!(any(target_os = "linux", target_arch = "wasm32")) {
        System::Linux
    } else {
        System::Unix
    };

    /// The system with a name of `std::env::consts::OS`.
    fn from_name(name: &str) -> Self {
        match name {
            "linux" => System::Linux,
            "windows" => System::Windows,
            _ => System::Unix,
        }
    }
}

/// An empty scratch directory for one case, and a witness of it. The witness takes paths relative
/// to that directory.
pub struct World {
    placement: Placement,
    system: System,
    scratch: String,
    granted: String,
    witness: Box<dyn Witness>,
}

impl World {
    /// Reads the world from the environment of this process.
    #[cfg(target_arch = "wasm32")]
    pub fn from_environment() -> Self {
        Self::from_variables(|_| Box::new(crate::witness::Imported))
    }

    /// Reads the world from the environment of this process.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn from_environment() -> Self {
        Self::from_variables(|scratch| Box::new(crate::witness::Os::of(scratch.as_ref())))
    }

    fn from_variables(witness: impl FnOnce(&str) -> Box<dyn Witness>) -> Self {
        let ours =
            if cfg!(target_arch = "wasm32") { Placement::Component } else { Placement::Native };
        let named = std::env::var(PLACEMENT).ok().and_then(|name| Placement::from_name(&name));
        let system = std::env::var(SYSTEM).map_or(System::OURS, |name| System::from_name(&name));
        let scratch = std::env::var(SCRATCH).unwrap_or_else(|_| "/tmp".to_owned());
        let witness = witness(&scratch);
        let placement = named.unwrap_or(ours);
        World { placement, system, scratch, granted: String::new(), witness }
    }

    /// A native world with this scratch directory, and with granted directories in that one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn native(scratch: &std::path::Path, granted: Option<&std::path::Path>) -> Self {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        World {
            placement: Placement::Native,
            system: System::OURS,
            scratch: text(scratch),
            granted: granted.map(text).unwrap_or_default(),
            witness: Box::new(crate::witness::Os::of(scratch)),
        }
    }

    /// Where the interface under test is implemented.
    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// The code that is declared for this placement and this system.
    pub fn declared(&self, difference: &Difference) -> Option<ErrorCode> {
        difference.code(self.placement, self.system)
    }

    /// The scratch directory's path, as the case sees it.
    pub fn scratch(&self) -> &str {
        &self.scratch
    }

    /// The witness of the scratch directory.
    pub fn witness(&self) -> &dyn Witness {
        &*self.witness
    }

    /// A path in the scratch directory, as the case sees it.
    pub fn path(&self, name: &str) -> String {
        as_shown(format!("{}/{name}", self.scratch))
    }

    /// The path of a granted directory, as the case sees it. It is outside the scratch directory,
    /// so the standard library can read it in a sandbox too.
    pub fn granted(&self, path: &str) -> String {
        as_shown(format!("{}/{path}", self.granted))
    }

    /// Converts a path that the interface returned to one for the witness.
    pub fn inside(&self, path: impl AsRef<std::path::Path>) -> String {
        let path = path.as_ref().to_str().expect("a path in UTF-8");
        // On Windows the system's separator is another, and it takes both.
        let slashes =
            |path: &str| if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
        slashes(path)
            .strip_prefix(&slashes(&self.scratch))
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or_else(|| panic!("{path} is not in the scratch directory {}", self.scratch))
            .to_owned()
    }

    /// Prepares the scratch directory as the case's setup requires, or returns the reason why that
    /// is impossible here.
    pub(crate) fn begin(&self, case: &Case) -> Result<(), String> {
        self.witness.begin(&case.name())
    }

    /// The names in the scratch directory, and in the setup's mounts there.
    pub(crate) fn left_behind(&self, setup: &Setup) -> Vec<String> {
        if setup.nowhere {
            return Vec::new();
        }
        let mut left = setup.left_behind(self.list(""));
        for mount in setup.mounts {
            if let Mount::FileSystem { name, .. } = mount {
                left.extend(self.list(name).into_iter().map(|inside| format!("{name}/{inside}")));
            }
        }
        left
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &str) -> Vec<String> {
        said(self.witness.list(path))
    }

    /// The bytes of a file.
    pub fn read(&self, path: &str) -> Vec<u8> {
        said(self.witness.read(path))
    }

    /// The permission bits of an existing entry.
    pub fn mode(&self, path: &str) -> u32 {
        said(self.witness.mode(path))
    }

    /// Whether an entry of that name exists; a dangling link does.
    pub fn exists(&self, path: &str) -> bool {
        said(self.witness.exists(path))
    }

    /// Sets permission bits.
    pub fn set_mode(&self, path: &str, mode: u32) {
        said(self.witness.set_mode(path, mode));
    }

    /// Writes a whole file.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        said(self.witness.write(path, bytes.as_ref()));
    }

    /// Creates a symbolic link. A target that begins with `/` is relative to the scratch directory.
    pub fn plant_link(&self, path: &str, target: &str) {
        said(self.witness.plant_link(path, target));
    }

    /// Gives a file a second name: a hard link.
    pub fn plant_second_name(&self, path: &str, file: &str) {
        said(self.witness.plant_second_name(path, file));
    }

    /// Creates a directory.
    pub fn plant_directory(&self, path: &str) {
        said(self.witness.plant_directory(path));
    }

    /// Removes a file or a whole directory.
    pub fn remove(&self, path: &str) {
        said(self.witness.remove(path));
    }

    /// Renames an entry, replacing one that has the new name.
    pub fn rename(&self, old: &str, new: &str) {
        said(self.witness.rename(old, new));
    }

    /// Reads and removes a file.
    pub fn take(&self, path: &str) -> Vec<u8> {
        let bytes = self.read(path);
        self.remove(path);
        bytes
    }

    /// Asserts that the scratch directory is empty.
    #[track_caller]
    pub fn assert_empty(&self) {
        assert_eq!(self.list(""), [""; 0], "the scratch directory should be empty");
    }

    /// How many of `count` open files without a name a listing shows: on Windows, where no file is
    /// without a name, each of them until it is closed.
    pub fn shown_unnamed(&self, count: usize) -> usize {
        if self.system == System::Windows { count } else { 0 }
    }

    /// Asserts that a directory holds nothing but `count` open files without a name.
    #[track_caller]
    pub fn assert_only_unnamed(&self, path: &str, count: usize) {
        let (listed, shown) = (self.list(path), self.shown_unnamed(count));
        assert_eq!(listed.len(), shown, "no other name should be in {path:?}: {listed:?}");
    }

    /// Asserts that the result is the one declared for this placement.
    #[track_caller]
    pub fn assert_differs<T>(&self, result: Result<T, interface::Error>, difference: &Difference) {
        let declared = self.declared(difference);
        let seen = result.as_ref().err().map(|error| error.code);
        assert_eq!(seen, declared, "{} ({})", difference.cause, difference.reason);
    }
}

/// A path as the system shows it.
fn as_shown(path: String) -> String {
    if cfg!(windows) { path.replace('/', "\\") } else { path }
}

/// The outcome of a case that cannot test its behaviour here.
pub(crate) fn skip(reason: impl Into<String>) -> Outcome {
    Outcome::Skipped(reason.into())
}

/// Asserts that a call failed with this code, and returns its message.
#[track_caller]
pub(crate) fn assert_code<T>(result: Result<T, interface::Error>, code: ErrorCode) -> String {
    match result {
        Ok(_) => panic!("it succeeded; expected {}", code.as_str()),
        Err(error) => {
            assert_eq!(error.code, code, "{}", error.message);
            error.message
        }
    }
}

fn said<T>(answer: Result<T, String>) -> T {
    answer.unwrap_or_else(|problem| panic!("{problem}"))
}
