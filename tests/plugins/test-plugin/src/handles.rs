//! Calls every function that takes a handle, with handles that no language's bindings would pass:
//! it uses the imports directly, below the client.

use std::cell::UnsafeCell;

use super::say;

/// Declares imports by their names in the canonical ABI. The last argument points to the result.
macro_rules! imports {
    ($($module:literal { $($name:literal $function:ident($($argument:ty),*);)* })*) => {$(
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $(#[link_name = $name] fn $function($(_: $argument),*);)*
        }
    )*};
}

imports! {
    "scratch:tempfile/tempfile@0.1.0" {
        "unnamed" unnamed(i32, i32, i32, i32);
        "named" named(i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32);
        "directory" directory(i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32);
        "spooled" spooled(i32, i64, i32, i32, i32, i32);
        "link" link(i32, i32, i32, i32, i32);
        "[method]file.read" read(i32, i64, i32, i32);
        "[method]file.write" write(i32, i64, i32, i32, i32);
        "[method]file.size" size(i32, i32);
        "[method]file.set-size" set_size(i32, i64, i32);
        "[method]file.sync" sync(i32, i32, i32);
        "[method]file.storage" storage(i32, i32);
        "[method]file.roll-over" roll_over(i32, i32);
        "[method]file.close" close_file(i32, i32);
        "[resource-drop]file" drop_file(i32);
        "[method]temp-path.path" path_of_path(i32, i32);
        "[method]temp-path.reopen" reopen(i32, i32);
        "[method]temp-path.persist" persist(i32, i32, i32, i32, i32, i32);
        "[method]temp-path.keep" keep_path(i32, i32);
        "[method]temp-path.close" close_path(i32, i32);
        "[resource-drop]temp-path" drop_path(i32);
        "[method]temp-dir.path" path_of_dir(i32, i32);
        "[method]temp-dir.create-file" create_file(i32, i32, i32, i32);
        "[method]temp-dir.open-file" open_file(i32, i32, i32, i32);
        "[method]temp-dir.create-directory" create_directory(i32, i32, i32, i32);
        "[method]temp-dir.rename" rename(i32, i32, i32, i32, i32, i32);
        "[method]temp-dir.remove" remove(i32, i32, i32, i32);
        "[method]temp-dir.entries" entries(i32, i32, i32, i32);
        "[method]temp-dir.keep" keep_dir(i32, i32);
        "[method]temp-dir.close" close_dir(i32, i32);
        "[resource-drop]temp-dir" drop_dir(i32);
    }
    "scratch:tempfile/direct@0.1.0" {
        "hand-over" hand_over(i32, i32);
        "open-directory" open_directory(i32, i32);
    }
    "scratch:tempfile/streams@0.1.0" {
        "reader" reader(i32, i64, i32);
        "writer" writer(i32, i64, i32);
    }
}

/// The memory for a result: the discriminant, and the payload at an offset.
#[repr(align(8))]
struct Answer(UnsafeCell<[u8; 64]>);

// SAFETY: a component has one thread.
unsafe impl Sync for Answer {}

static ANSWER: Answer = Answer(UnsafeCell::new([0; 64]));

fn answer() -> i32 {
    ANSWER.0.get() as i32
}

fn byte(at: usize) -> u8 {
    // SAFETY: nobody else has it, and nothing borrows from it.
    unsafe { (*ANSWER.0.get())[at] }
}

fn handle(at: usize) -> i32 {
    i32::from_le_bytes([byte(at), byte(at + 1), byte(at + 2), byte(at + 3)])
}

/// Arguments with a static lifetime, so that a pointer to them is valid in any call.
const NAME: &str = "name";
const ELSEWHERE: &str = "/tmp/elsewhere";

fn text(text: &'static str) -> (i32, i32) {
    (text.as_ptr() as i32, text.len() as i32)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Path,
    Dir,
}

/// The answer of a closed handle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// The error `closed`, at this offset of the result.
    Error(usize),
    /// Success, as `close` does.
    Success,
    /// A path, which is not a `result`.
    Path,
}

type Function = (&'static str, Kind, Says, fn(i32));

/// Every function that takes a handle.
// SAFETY: the arguments of each call follow the canonical ABI, point to static data, and leave room
// for every result. An invalid handle is what the other side has to refuse.
const FUNCTIONS: &[Function] = &[
    ("file.read", Kind::File, Says::Error(4), |file| unsafe { read(file, 0, 1, answer()) }),
    ("file.write", Kind::File, Says::Error(8), |file| unsafe {
        write(file, 0, text(NAME).0, 1, answer())
    }),
    ("file.size", Kind::File, Says::Error(8), |file| unsafe { size(file, answer()) }),
    ("file.set-size", Kind::File, Says::Error(4), |file| unsafe { set_size(file, 0, answer()) }),
    ("file.sync", Kind::File, Says::Error(4), |file| unsafe { sync(file, 0, answer()) }),
    ("file.storage", Kind::File, Says::Error(4), |file| unsafe { storage(file, answer()) }),
    ("file.roll-over", Kind::File, Says::Error(4), |file| unsafe { roll_over(file, answer()) }),
    ("file.close", Kind::File, Says::Success, |file| unsafe { close_file(file, answer()) }),
    ("link", Kind::File, Says::Error(4), |file| unsafe {
        let (target, length) = text(ELSEWHERE);
        link(file, target, length, 0, answer());
    }),
    ("direct.hand-over", Kind::File, Says::Error(4), |file| unsafe { hand_over(file, answer()) }),
    ("streams.reader", Kind::File, Says::Error(4), |file| unsafe { reader(file, 0, answer()) }),
    ("streams.writer", Kind::File, Says::Error(4), |file| unsafe { writer(file, 0, answer()) }),
    ("temp-path.path", Kind::Path, Says::Path, |path| unsafe { path_of_path(path, answer()) }),
    ("temp-path.reopen", Kind::Path, Says::Error(4), |path| unsafe { reopen(path, answer()) }),
    ("temp-path.persist", Kind::Path, Says::Error(4), |path| unsafe {
        let (target, length) = text(ELSEWHERE);
        persist(path, target, length, 0, 0, answer());
    }),
    ("temp-path.keep", Kind::Path, Says::Error(4), |path| unsafe { keep_path(path, answer()) }),
    ("temp-path.close", Kind::Path, Says::Success, |path| unsafe { close_path(path, answer()) }),
    ("temp-dir.path", Kind::Dir, Says::Path, |dir| unsafe { path_of_dir(dir, answer()) }),
    ("temp-dir.create-file", Kind::Dir, Says::Error(4), |dir| unsafe {
        create_file(dir, text(NAME).0, text(NAME).1, answer());
    }),
    ("temp-dir.open-file", Kind::Dir, Says::Error(4), |dir| unsafe {
        open_file(dir, text(NAME).0, text(NAME).1, answer());
    }),
    ("temp-dir.create-directory", Kind::Dir, Says::Error(4), |dir| unsafe {
        create_directory(dir, text(NAME).0, text(NAME).1, answer());
    }),
    ("temp-dir.rename", Kind::Dir, Says::Error(4), |dir| unsafe {
        rename(dir, text(NAME).0, text(NAME).1, text(NAME).0, text(NAME).1, answer());
    }),
    ("temp-dir.remove", Kind::Dir, Says::Error(4), |dir| unsafe {
        remove(dir, text(NAME).0, text(NAME).1, answer());
    }),
    ("temp-dir.entries", Kind::Dir, Says::Error(4), |dir| unsafe { entries(dir, 0, 0, answer()) }),
    ("temp-dir.keep", Kind::Dir, Says::Error(4), |dir| unsafe { keep_dir(dir, answer()) }),
    ("temp-dir.close", Kind::Dir, Says::Success, |dir| unsafe { close_dir(dir, answer()) }),
    ("direct.open-directory", Kind::Dir, Says::Error(4), |dir| unsafe {
        open_directory(dir, answer())
    }),
    ("unnamed", Kind::Dir, Says::Error(4), |dir| unsafe { unnamed(1, dir, 0, answer()) }),
    ("named", Kind::Dir, Says::Error(4), |dir| unsafe { named_in(1, dir) }),
    ("directory", Kind::Dir, Says::Error(4), |dir| unsafe { directory_in(1, dir) }),
    ("spooled", Kind::Dir, Says::Error(4), |dir| unsafe { spooled(1, 0, 1, dir, 0, answer()) }),
];

unsafe fn named_in(location: i32, dir: i32) {
    let (prefix, length) = text(NAME);
    // SAFETY: the caller's.
    unsafe { named(prefix, length, prefix, 0, 0, 0, 0, 0, 0, location, dir, 0, answer()) }
}

unsafe fn directory_in(location: i32, dir: i32) {
    let (prefix, length) = text(NAME);
    // SAFETY: the caller's.
    unsafe { directory(prefix, length, prefix, 0, 0, 0, 0, 0, 0, location, dir, 0, answer()) }
}

/// A handle that is alive.
fn alive(kind: Kind) -> i32 {
    // SAFETY: as for the functions.
    unsafe {
        match kind {
            Kind::File => unnamed(0, 0, 0, answer()),
            Kind::Path => named_in(0, 0),
            Kind::Dir => directory_in(0, 0),
        }
    }
    assert_eq!(byte(0), 0, "created");
    handle(if kind == Kind::Path { 8 } else { 4 })
}

/// A handle in a state, or none if its kind does not have that state here.
fn in_state(kind: Kind, state: &str) -> Option<i32> {
    let end = |end: unsafe extern "C" fn(i32, i32)| {
        let handle = alive(kind);
        // SAFETY: as for the functions.
        unsafe { end(handle, answer()) };
        // `unsupported` is an answer too: then there is no such state.
        (byte(0) == 0).then_some(handle)
    };
    match (state, kind) {
        ("alive", _) => Some(alive(kind)),
        ("closed", Kind::File) => end(close_file),
        ("closed", Kind::Path) => end(close_path),
        ("closed", Kind::Dir) => end(close_dir),
        ("kept", Kind::Path) => end(keep_path),
        ("kept", Kind::Dir) => end(keep_dir),
        ("handed-over", Kind::File) => end(hand_over),
        ("persisted", Kind::Path) => {
            let path = alive(kind);
            let (target, length) = text("/tmp/persisted");
            // SAFETY: as for the functions.
            unsafe { persist(path, target, length, 0, 0, answer()) };
            (byte(0) == 0).then_some(path)
        }
        ("dropped", _) => {
            let handle = alive(kind);
            // SAFETY: as for the functions.
            unsafe {
                match kind {
                    Kind::File => drop_file(handle),
                    Kind::Path => drop_path(handle),
                    Kind::Dir => drop_dir(handle),
                }
            }
            Some(handle)
        }
        ("another's", Kind::File) => Some(alive(Kind::Dir)),
        ("another's", Kind::Path) => Some(alive(Kind::File)),
        ("another's", Kind::Dir) => Some(alive(Kind::Path)),
        ("nobody's", _) => Some(60_000),
        ("zero", _) => Some(0),
        ("the largest", _) => Some(-1),
        _ => None,
    }
}

/// Calls a function with a handle in a state, and prints whether the answer is that of a closed
/// handle. Without a function, prints their names.
pub(super) fn call(function: &str, state: &str) {
    if function.is_empty() {
        return FUNCTIONS.iter().for_each(|(name, ..)| say(name));
    }
    let Some((_, kind, says, call)) = FUNCTIONS.iter().find(|(name, ..)| *name == function) else {
        panic!("no such function: {function}");
    };
    let Some(handle) = in_state(*kind, state) else { return say("no such state") };
    call(handle);
    /// Where `closed` stands in the interface's enumeration.
    const CLOSED: u8 = 2;
    say(match says {
        Says::Path => "as it should",
        Says::Success if byte(0) == 0 => "as it should",
        Says::Error(at) if byte(0) == 1 && byte(*at) == CLOSED => "as it should",
        Says::Success | Says::Error(_) => "otherwise",
    });
}
