//! Plays a sequence: draws an operation, performs it, and formats its answer.

use super::answer::{self, RANDOM, short};
use super::draw::Draw;
use wasi_tempfile::interface::{
    self, Durability, File, Location, Options, ReplaceMode, TempDir, TempPath,
};

/// The most handles of a kind; one more replaces the oldest.
const HANDLES: usize = 5;

/// The handles of a sequence. Closed ones stay in the lists, to be used again.
pub(super) struct Player {
    /// The first is the sequence's own directory, which stays open.
    dirs: Vec<TempDir>,
    files: Vec<File>,
    paths: Vec<Name>,
}

struct Name {
    path: TempPath,
    /// Keeps the file open, so that its inode is not reused: `reopen` could not tell the new file
    /// from this one.
    _held: Option<File>,
}

/// Where something is created: drawn first, borrowed after.
enum Where {
    Within(usize),
    At(String),
}

impl Player {
    /// Starts with two nested directories and a file.
    pub(super) fn new(root: TempDir) -> Self {
        let prepared = root
            .create_directory("d")
            .and_then(|()| root.create_directory("d/e"))
            .and_then(|()| root.create_file("a"))
            .and_then(|file| file.close());
        prepared.expect("a fresh directory takes them");
        Player { dirs: vec![root], files: Vec::new(), paths: Vec::new() }
    }

    /// Performs one operation, and returns it with its answer.
    pub(super) fn step(&mut self, draw: &mut Draw) -> String {
        match draw.below(20) {
            0 => self.unnamed(draw),
            1..=2 => self.named(draw),
            3..=4 => self.spooled(draw),
            5 => self.directory(draw),
            6..=11 if !self.files.is_empty() => self.on_file(draw),
            12..=14 if !self.paths.is_empty() => self.on_path(draw),
            15 => format!("usage -> {:?}", interface::usage().live),
            _ => self.on_directory(draw),
        }
    }

    /// Drops the handles in the order of their creation, and closes the directory.
    pub(super) fn end(mut self) -> Vec<String> {
        let root = self.dirs.remove(0);
        let listed = answer::of(root.entries(""), answer::entries);
        self.files.clear();
        self.paths.clear();
        self.dirs.clear();
        let left = answer::of(root.entries(""), answer::entries);
        let closed = answer::failures(&root.path(), root.close());
        vec![
            format!("entries -> {listed}"),
            format!("after all drops -> {left}"),
            format!("close -> {closed}"),
        ]
    }

    fn root(&self) -> String {
        self.dirs[0].path()
    }

    fn place(&self, draw: &mut Draw) -> Where {
        match draw.below(10) {
            0..=5 => Where::Within(draw.below(self.dirs.len() as u64) as usize),
            6 => Where::At(self.root()),
            7..=8 => Where::At(format!("{}/{}", self.root(), draw.guest())),
            _ => Where::At(draw.of(&["", "/no/such/place", "no/such/place", "/\0"]).to_owned()),
        }
    }

    fn location<'a>(&'a self, place: &'a Where) -> Location<'a> {
        match place {
            Where::Within(dir) => Location::Within(&self.dirs[*dir]),
            Where::At(path) => Location::Directory(path),
        }
    }

    fn shown(&self, place: &Where) -> String {
        match place {
            Where::Within(dir) => format!("within directory {dir}"),
            Where::At(path) => format!("in {}", answer::path(&self.root(), path)),
        }
    }

    fn unnamed(&mut self, draw: &mut Draw) -> String {
        let place = self.place(draw);
        let made = interface::unnamed(self.location(&place));
        let shown = self.shown(&place);
        format!("unnamed {shown} -> {}", answer::of(made, |file| self.hold_file(file)))
    }

    fn spooled(&mut self, draw: &mut Draw) -> String {
        let (place, max) =
            (self.place(draw), draw.of(&[None, Some(0), Some(1), Some(100), Some(5000)]));
        let made = interface::spooled(max, self.location(&place));
        let shown = self.shown(&place);
        format!("spooled {max:?} {shown} -> {}", answer::of(made, |file| self.hold_file(file)))
    }

    fn named(&mut self, draw: &mut Draw) -> String {
        let (place, options) = (self.place(draw), options(draw));
        let made = interface::named(&options, self.location(&place));
        let shown = format!("named {} {}", naming(&options), self.shown(&place));
        let held = answer::of(made, |(file, path)| {
            let name = answer::path(&self.root(), &path.path());
            let held = path.reopen().ok();
            insert(&mut self.paths, Name { path, _held: held }, 0);
            format!("{} and {name}", self.hold_file(file))
        });
        format!("{shown} -> {held}")
    }

    fn directory(&mut self, draw: &mut Draw) -> String {
        let (place, options) = (self.place(draw), options(draw));
        let made = interface::directory(&options, self.location(&place));
        let shown = format!("directory {} {}", naming(&options), self.shown(&place));
        let held = answer::of(made, |dir| {
            let name = answer::path(&self.root(), &dir.path());
            insert(&mut self.dirs, dir, 1);
            name
        });
        format!("{shown} -> {held}")
    }

    fn hold_file(&mut self, file: File) -> String {
        insert(&mut self.files, file, 0);
        "a file".to_owned()
    }

    fn on_file(&mut self, draw: &mut Draw) -> String {
        let at = draw.below(self.files.len() as u64) as usize;
        let file = &self.files[at];
        let did = match draw.below(16) {
            0..=2 => {
                let (offset, max) = (draw.offset(), draw.max());
                format!(
                    "read {offset} {max} -> {}",
                    answer::of(file.read(max, offset), answer::bytes)
                )
            }
            3..=6 => {
                let (offset, data) = (draw.offset(), draw.data());
                let wrote = answer::of(file.write(&data, offset), answer::number);
                format!("write {offset} {} -> {wrote}", answer::bytes(data))
            }
            7 => format!("size -> {}", answer::of(file.size(), answer::number)),
            8..=9 => {
                let size = draw.offset();
                format!("set-size {size} -> {}", answer::of(file.set_size(size), answer::ok))
            }
            10 => {
                let durability = if draw.once_in(20) { Durability::Full } else { Durability::None };
                format!("sync {durability:?} -> {}", answer::of(file.sync(durability), answer::ok))
            }
            11 => format!(
                "storage -> {}",
                answer::of(file.storage(), |storage| format!("{storage:?}"))
            ),
            12 => format!("roll-over -> {}", answer::of(file.roll_over(), answer::ok)),
            13 => self.link(at, draw),
            14 => format!("close -> {}", answer::of(file.close(), answer::ok)),
            _ => {
                self.files.remove(at);
                "drop".to_owned()
            }
        };
        format!("file {at}: {did}")
    }

    /// Removes the name again where linking works, so that all placements continue from the same
    /// state.
    fn link(&self, at: usize, draw: &mut Draw) -> String {
        let target = format!("{}/linked", self.root());
        let durability = if draw.once_in(20) { Durability::Full } else { Durability::None };
        let linked = interface::link(&self.files[at], &target, durability);
        if linked.is_ok() {
            self.dirs[0].remove("linked").expect("what was linked can be removed");
        }
        format!("link -> {}", answer::link(&linked))
    }

    fn on_path(&mut self, draw: &mut Draw) -> String {
        let at = draw.below(self.paths.len() as u64) as usize;
        let root = self.root();
        let path = &self.paths[at].path;
        let did = match draw.below(10) {
            0 => format!("path -> {}", answer::path(&root, &path.path())),
            1..=2 => {
                let opened = path.reopen();
                format!("reopen -> {}", answer::of(opened, |file| self.hold_file(file)))
            }
            3..=5 => {
                let target = draw.guest();
                let mode = draw.of(&[ReplaceMode::Overwrite, ReplaceMode::NoClobber]);
                let durability = if draw.once_in(20) { Durability::Full } else { Durability::None };
                let persisted = path.persist(&format!("{root}/{target}"), mode, durability);
                format!(
                    "persist {} {mode:?} {durability:?} -> {}",
                    short(&target),
                    answer::of(persisted, answer::ok)
                )
            }
            6 => format!("keep -> {}", answer::of(path.keep(), |kept| answer::path(&root, &kept))),
            7..=8 => format!("close -> {}", answer::of(path.close(), answer::ok)),
            _ => {
                self.paths.remove(at);
                "drop".to_owned()
            }
        };
        format!("name {at}: {did}")
    }

    fn on_directory(&mut self, draw: &mut Draw) -> String {
        let at = draw.below(self.dirs.len() as u64) as usize;
        let root = self.root();
        let (dir, child) = (&self.dirs[at], draw.child());
        let did = match draw.below(18) {
            0..=3 => {
                let made = dir.create_file(&child);
                format!(
                    "create-file {} -> {}",
                    short(&child),
                    answer::of(made, |file| self.hold_file(file))
                )
            }
            4..=5 => {
                let opened = dir.open_file(&child);
                format!(
                    "open-file {} -> {}",
                    short(&child),
                    answer::of(opened, |file| self.hold_file(file))
                )
            }
            6..=8 => {
                format!(
                    "create-directory {} -> {}",
                    short(&child),
                    answer::of(dir.create_directory(&child), answer::ok)
                )
            }
            9..=10 => {
                let (old, new) = (draw.movable(), draw.child());
                let renamed = answer::of(dir.rename(&old, &new), answer::ok);
                format!("rename {} {} -> {renamed}", short(&old), short(&new))
            }
            11..=12 => format!(
                "remove {} -> {}",
                short(&child),
                answer::of(dir.remove(&child), answer::ok)
            ),
            13 => {
                format!(
                    "entries {} -> {}",
                    short(&child),
                    answer::of(dir.entries(&child), answer::entries)
                )
            }
            14 => format!("entries -> {}", answer::of(dir.entries(""), answer::entries)),
            _ if at == 0 => format!("path -> {}", answer::path(&root, &dir.path())),
            15 => format!("keep -> {}", answer::of(dir.keep(), |kept| answer::path(&root, &kept))),
            16 => format!("close -> {}", answer::failures(&root, dir.close())),
            _ => {
                self.dirs.remove(at);
                "drop".to_owned()
            }
        };
        format!("directory {at}: {did}")
    }
}

/// Adds a handle. If there are too many, the oldest is dropped, but never the first `spared`.
fn insert<T>(handles: &mut Vec<T>, handle: T, spared: usize) {
    if handles.len() == HANDLES {
        handles.remove(spared);
    }
    handles.push(handle);
}

/// Mostly a fixed name; else one with a random part, under a prefix that marks it.
fn options(draw: &mut Draw) -> Options {
    let suffix = draw.piece();
    let label = draw.once_in(10).then(|| "label".to_owned());
    match draw.below(3) {
        0 => Options { prefix: RANDOM.to_owned(), suffix, random_chars: None, label },
        _ => Options { prefix: draw.piece(), suffix, random_chars: Some(0), label },
    }
}

fn naming(options: &Options) -> String {
    format!("{} {}", short(&options.prefix), short(&options.suffix))
}
