//! The cost of operations, in calls of the platform and in allocations.
//!
//! A time on a busy machine says little, and one more call costs every file of every plugin.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tempfile_core::{Durability, File, Location, Options, ReplaceMode, TempDir, TempPath};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir, TestInstance};

/// Counts the allocations of each thread: tests run side by side.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    // Fails in a thread that is ending, whose allocations nobody reads.
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

/// Runs `act`; returns its result, the number of its allocations, and the sum of their bytes.
fn allocations<T>(act: impl FnOnce() -> T) -> (T, usize, usize) {
    let (before, bytes) = (ALLOCATIONS.get(), BYTES.get());
    let done = act();
    (done, ALLOCATIONS.get() - before, BYTES.get() - bytes)
}

type Context = TestContext<Stepped>;

/// A user of a platform that records its calls.
struct Fixture {
    dir: TestDir,
    instance: TestInstance<Stepped>,
    log: Rc<RefCell<Vec<&'static str>>>,
}

impl Fixture {
    fn new() -> Self {
        Self::in_directory(TestDir::new())
    }

    #[cfg(unix)]
    fn shared() -> Self {
        let dir = TestDir::new();
        dir.share();
        Self::in_directory(dir)
    }

    fn in_directory(dir: TestDir) -> Self {
        // Recording a call allocates nothing.
        let log = Rc::new(RefCell::new(Vec::with_capacity(4096)));
        let calls = log.clone();
        let platform = Stepped::new(move |call| {
            calls.borrow_mut().push(call);
            Ok(())
        });
        let instance = TestContext::new(&dir, platform).instance();
        // Later calls find the default directory open.
        instance.default_directory().unwrap();
        Fixture { dir, instance, log }
    }

    /// Runs `act`; returns its result and the calls that it makes.
    fn calls<T>(&self, act: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        self.log.borrow_mut().clear();
        let done = act();
        (done, self.log.borrow().clone())
    }

    fn named(&self) -> (File<Context>, TempPath<Context>) {
        self.instance.named(&Options::default(), Location::Scratch).unwrap()
    }

    fn unnamed(&self) -> File<Context> {
        self.instance.unnamed(Location::Scratch).unwrap()
    }

    fn directory(&self) -> TempDir<Context> {
        self.instance.directory(&Options::default(), Location::Scratch).unwrap()
    }
}

#[test]
fn a_named_file_costs_its_creation_and_its_removal() {
    let fixture = Fixture::new();
    let ((), calls) = fixture.calls(|| {
        let (file, path) = fixture.named();
        drop(path);
        drop(file);
    });
    assert_eq!(calls, ["create_file", "remove_file"]);
}

#[test]
fn without_a_limit_on_memory_spooled_files_are_in_no_list() {
    let fixture = Fixture::new();
    let spooled = || fixture.instance.spooled(Some(1), Location::Scratch).unwrap();
    // The ledger's own lists have grown then.
    drop((fixture.unnamed(), fixture.unnamed(), fixture.unnamed()));
    let (first, allocated, _) = allocations(spooled);
    let (second, again, _) = allocations(spooled);
    assert_eq!(allocated, again);
    drop((first, second));
}

#[test]
fn closing_a_file_before_its_name_costs_no_call() {
    let fixture = Fixture::new();
    let (file, mut path) = fixture.named();
    let ((), calls) = fixture.calls(|| drop(file));
    assert!(calls.is_empty(), "{calls:?}");
    let ((), calls) = fixture.calls(|| path.close().unwrap());
    assert_eq!(calls, ["remove_file"]);
}

#[cfg(unix)]
#[test]
fn in_a_shared_directory_a_name_is_compared_once() {
    let fixture = Fixture::shared();
    let ((), calls) = fixture.calls(|| drop(fixture.named()));
    assert_eq!(calls, ["create_file", "identity", "identity_at", "remove_file"]);
}

#[test]
fn reopening_costs_one_call_in_a_private_directory() {
    let fixture = Fixture::new();
    let (_file, path) = fixture.named();
    let (_again, calls) = fixture.calls(|| path.reopen().unwrap());
    assert_eq!(calls, ["open_file"]);
}

#[test]
fn an_unnamed_file_costs_one_call_or_its_creation_and_its_removal() {
    let fixture = Fixture::new();
    let ((), calls) = fixture.calls(|| drop(fixture.unnamed()));
    // A call that the system lacks is none.
    let expected: &[_] = if cfg!(target_os = "linux") {
        &["create_unnamed"]
    } else if cfg!(windows) {
        &["create_unnamed", "create_delete_on_close"]
    } else {
        &["create_unnamed", "create_delete_on_close", "create_file", "remove_file"]
    };
    assert_eq!(calls, expected);
}

#[test]
fn an_empty_directory_costs_three_calls() {
    let fixture = Fixture::new();
    let ((), calls) = fixture.calls(|| drop(fixture.directory()));
    assert_eq!(calls, ["create_directory", "open_directory", "remove_directory"]);
}

#[test]
fn removing_a_tree_costs_one_call_per_file_and_four_per_directory() {
    let fixture = Fixture::new();
    let mut dir = fixture.directory();
    for name in 0..10 {
        dir.create_directory(&name.to_string()).unwrap();
        for file in 0..10 {
            dir.create_file(&format!("{name}/{file}")).unwrap();
        }
    }
    let ((), calls) = fixture.calls(|| dir.close().unwrap());
    let count = |call| calls.iter().filter(|made| **made == call).count();
    assert_eq!((count("remove_file"), count("open_for_removal")), (100, 10));
    // An attempt for each directory, and one after it is emptied.
    assert_eq!((count("entries"), count("remove_directory")), (11, 11 + 11));
    assert_eq!(count("is_directory_at"), 1);
    // A listing ends with one entry more than there are: none.
    assert_eq!(count("next_entry"), 100 + 10 + 11);
    assert_eq!(calls.len(), 100 + 10 + 11 + 22 + 1 + 121);
}

#[test]
fn removing_an_empty_directory_in_a_tree_costs_one_call() {
    let fixture = Fixture::new();
    let mut dir = fixture.directory();
    dir.create_directory("empty").unwrap();
    let ((), calls) = fixture.calls(|| dir.close().unwrap());
    let outer = ["remove_directory", "is_directory_at", "entries", "next_entry"];
    assert_eq!(
        calls,
        [&outer[..], &["remove_directory", "next_entry", "remove_directory"]].concat()
    );
}

#[test]
fn persisting_costs_one_rename_and_one_check_of_the_old_name() {
    let fixture = Fixture::new();
    let (_file, mut path) = fixture.named();
    let target = fixture.dir.join("target");
    let (persisted, calls) =
        fixture.calls(|| path.persist(&target, ReplaceMode::Overwrite, Durability::None));
    persisted.unwrap();
    assert_eq!(calls, ["is_shared", "rename", "link_count_at"]);
}

#[test]
fn a_named_file_costs_two_allocations() {
    let fixture = Fixture::new();
    let options = Options::default();
    // The ledger has room for the handles afterwards.
    drop((fixture.named(), fixture.named()));
    let create = || fixture.instance.named(&options, Location::Scratch).unwrap();
    let (created, on_creation, _) = allocations(create);
    let ((), on_drop, _) = allocations(|| drop(created));
    // The path while it is drawn, and the path once it is shared.
    assert_eq!((on_creation, on_drop), (2, 0));
}

#[test]
fn reading_and_writing_cost_one_call_and_no_allocation() {
    let fixture = Fixture::new();
    let file = fixture.unnamed();
    let mut buffer = vec![b'x'; 64 << 10];
    let ((written, allocated, _), calls) =
        fixture.calls(|| allocations(|| file.write(&buffer, 0).unwrap()));
    assert_eq!((written, allocated, &calls[..]), (64 << 10, 0, &["write"][..]));
    let ((read, allocated, _), calls) =
        fixture.calls(|| allocations(|| file.read_into(&mut buffer, 0).unwrap()));
    assert_eq!((read, allocated, &calls[..]), (64 << 10, 0, &["read_into"][..]));
}

#[test]
fn a_read_allocates_once_what_it_returns() {
    let fixture = Fixture::new();
    let file = fixture.unnamed();
    file.write(&[b'x'; 4096], 0).unwrap();
    let ((read, allocated, bytes), calls) =
        fixture.calls(|| allocations(|| file.read(4096, 0).unwrap()));
    assert_eq!((read.len(), allocated, bytes, &calls[..]), (4096, 1, 4096, &["read"][..]));
}

#[test]
fn a_spooled_file_grows_without_copying_its_bytes() {
    const SIZE: usize = 16 << 20;
    let fixture = Fixture::new();
    let mut file = fixture.instance.spooled(None, Location::Scratch).unwrap();
    let piece = [b'x'; 4096];
    let ((), _, bytes) = allocations(|| {
        for offset in (0..SIZE).step_by(piece.len()) {
            file.write(&piece, offset as u64).unwrap();
        }
    });
    assert!(bytes < SIZE + SIZE / 100, "{bytes} bytes for {SIZE}");
}

#[test]
fn a_spooled_file_that_stays_small_costs_no_call() {
    let fixture = Fixture::new();
    let ((), calls) = fixture.calls(|| {
        let mut file = fixture.instance.spooled(Some(1 << 20), Location::Scratch).unwrap();
        file.write(&[b'x'; 4096], 0).unwrap();
        assert_eq!(file.read(4096, 0).unwrap().len(), 4096);
        file.close().unwrap();
    });
    assert!(calls.is_empty(), "{calls:?}");
}
