//! What an operation costs, in calls of the platform and in allocations: a time on a busy machine says little, and a call that crept in costs
//! every file of every plugin.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use getrandom::SysRng;
use tempfile_core::{
    Durability, ErrorCode, File, Options, Place, ReplaceMode, TempPath, default_place, directory,
    named, place_at, spooled, unnamed,
};

#[allow(dead_code, reason = "others use more of it")]
mod stepped;

use stepped::{Step, Stepped};

/// Counts the allocations of each thread: tests run side by side.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    // A thread that is ending has nobody to tell.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
    let _ = BYTES.try_with(|all| all.set(all.get() + bytes));
}

// SAFETY: the system's allocator does the work, as it was asked to.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations something makes, and of how many bytes in all.
fn allocations<T>(act: impl FnOnce() -> T) -> (T, usize, usize) {
    let (before, bytes) = (ALLOCATIONS.get(), BYTES.get());
    let done = act();
    (done, ALLOCATIONS.get() - before, BYTES.get() - bytes)
}

/// The calls that were made, in order. The room for them is there before.
#[derive(Clone)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Step for Log {
    fn step(&self, verb: &'static str) -> Result<(), ErrorCode> {
        self.0.borrow_mut().push(verb);
        Ok(())
    }
}

type P = Stepped<Log>;

/// A platform that counts, with the default directory and a directory that others may write to.
struct World {
    platform: P,
    private: Place<P>,
    shared: Place<P>,
}

impl World {
    fn new() -> Self {
        let platform = Stepped(Log(Rc::new(RefCell::new(Vec::with_capacity(4096)))));
        let private = default_place(&platform, &mut SysRng).unwrap();
        let shared = place_at(&platform, private.path()).unwrap();
        World { platform, private, shared }
    }

    /// The calls that something makes.
    fn calls<T>(&self, act: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        let log = &self.platform.0.0;
        log.borrow_mut().clear();
        let done = act();
        (done, log.borrow().clone())
    }

    fn named(&self, place: &Place<P>) -> (File<P>, TempPath<P>) {
        named(&self.platform, &mut SysRng, &Options::default(), place).unwrap()
    }
}

#[test]
fn a_named_file_is_created_and_removed_and_nothing_else() {
    let world = World::new();
    let ((), calls) = world.calls(|| {
        let (file, path) = world.named(&world.private);
        drop(path);
        drop(file);
    });
    assert_eq!(calls, ["create_file", "remove_file"]);
}

#[test]
fn a_file_that_is_closed_before_its_name_is_gone_says_who_it_was() {
    let world = World::new();
    let (file, mut path) = world.named(&world.private);
    let ((), calls) = world.calls(|| drop(file));
    assert_eq!(calls, ["identity"]);
    let ((), calls) = world.calls(|| path.close().unwrap());
    assert_eq!(calls, ["remove_file"]);
}

#[test]
fn where_others_may_write_a_name_is_compared_once() {
    let world = World::new();
    let ((), calls) = world.calls(|| drop(world.named(&world.shared)));
    assert_eq!(calls, ["create_file", "identity", "identity_at", "remove_file"]);
}

#[test]
fn an_unnamed_file_is_one_call() {
    let world = World::new();
    let ((), calls) =
        world.calls(|| drop(unnamed(&world.platform, &mut SysRng, &world.private).unwrap()));
    assert_eq!(calls, ["create_unnamed"]);
}

#[test]
fn an_empty_directory_is_read_once() {
    let world = World::new();
    let make =
        || directory(&world.platform, &mut SysRng, &Options::default(), &world.private).unwrap();
    let ((), calls) = world.calls(|| drop(make()));
    assert_eq!(calls, ["create_directory", "open_directory", "entries", "remove_directory"]);
}

#[test]
fn a_tree_goes_with_a_call_for_each_entry_and_three_for_each_directory() {
    let world = World::new();
    let mut dir =
        directory(&world.platform, &mut SysRng, &Options::default(), &world.private).unwrap();
    for name in 0..10 {
        dir.create_directory(&name.to_string()).unwrap();
        for file in 0..10 {
            dir.create_file(&format!("{name}/{file}")).unwrap();
        }
    }
    let ((), calls) = world.calls(|| dir.close().unwrap());
    let of = |verb| calls.iter().filter(|call| **call == verb).count();
    assert_eq!((of("remove_file"), of("open_doomed")), (100, 10));
    assert_eq!((of("entries"), of("remove_directory")), (11, 11));
    assert_eq!(calls.len(), 132);
}

#[test]
fn a_persisted_file_is_renamed_and_its_old_name_looked_for() {
    let world = World::new();
    let (_file, mut path) = world.named(&world.private);
    let target = format!("{}.persisted", path.path());
    let ((), calls) =
        world.calls(|| path.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap());
    std::fs::remove_file(target).unwrap();
    assert_eq!(calls, ["anchor", "rename", "identity_at"]);
}

#[test]
fn a_named_file_is_two_texts_and_what_its_halves_share() {
    let world = World::new();
    let options = Options::default();
    let make = || named(&world.platform, &mut SysRng, &options, &world.private).unwrap();
    let (made, created, _) = allocations(make);
    let ((), dropped, _) = allocations(|| drop(made));
    assert_eq!((created, dropped), (4, 0));
}

#[test]
fn reading_and_writing_allocate_nothing_and_call_once() {
    let world = World::new();
    let file = unnamed(&world.platform, &mut SysRng, &world.private).unwrap();
    let mut buffer = vec![b'x'; 64 << 10];
    let ((written, allocated, _), calls) =
        world.calls(|| allocations(|| file.write(0, &buffer).unwrap()));
    assert_eq!((written, allocated, &calls[..]), (64 << 10, 0, &["write"][..]));
    let ((read, allocated, _), calls) =
        world.calls(|| allocations(|| file.read_into(0, &mut buffer).unwrap()));
    assert_eq!((read, allocated, &calls[..]), (64 << 10, 0, &["read_into"][..]));
}

#[test]
fn a_list_that_is_read_is_allocated_once() {
    let world = World::new();
    let file = unnamed(&world.platform, &mut SysRng, &world.private).unwrap();
    file.write(0, &[b'x'; 4096]).unwrap();
    let (read, allocated, bytes) = allocations(|| file.read(0, 4096).unwrap());
    assert_eq!((read.len(), allocated, bytes), (4096, 1, 4096));
}

#[test]
fn a_spooled_file_that_grows_takes_no_room_for_what_it_has() {
    const SIZE: usize = 16 << 20;
    let world = World::new();
    let mut file = spooled(&world.platform, SysRng, None, &world.private).unwrap();
    let piece = [b'x'; 4096];
    let ((), _, bytes) = allocations(|| {
        for offset in (0..SIZE).step_by(piece.len()) {
            file.write(offset as u64, &piece).unwrap();
        }
    });
    assert!(bytes < SIZE + SIZE / 100, "{bytes} bytes for {SIZE}");
}

#[test]
fn a_spooled_file_that_stays_small_calls_nobody() {
    let world = World::new();
    let ((), calls) = world.calls(|| {
        let mut file = spooled(&world.platform, SysRng, Some(1 << 20), &world.private).unwrap();
        file.write(0, &[b'x'; 4096]).unwrap();
        assert_eq!(file.read(0, 4096).unwrap().len(), 4096);
        file.close().unwrap();
    });
    assert!(calls.is_empty(), "{calls:?}");
}
