//! What no case of the suite can arrange: a full table of handles, streams that outlive their file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bindings::scratch::tempfile_wasi::descriptors;
use super::interface::ledger;
use super::interface::tempfile::{Host, HostFile, HostTempDir, HostTempPath, Location, Options};
use super::*;
use crate::scratch::ScratchRoot;

/// A root of the test's own.
struct World {
    path: PathBuf,
    root: ScratchRoot,
}

impl World {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("provider-{name}-{}", std::process::id()));
        let root = ScratchRoot::open(&path).expect("make a root");
        Self { path, root }
    }

    fn builder(&self) -> TempfileCtxBuilder {
        TempfileCtx::builder(self.root.create_dir().expect("make a directory")).expect("open it")
    }

    fn end(self) {
        std::fs::remove_dir(self.path).expect("nothing is left in the root");
    }
}

fn options() -> Options {
    Options { prefix: "x".into(), suffix: String::new(), random_chars: None, label: None }
}

/// A handle, lent to a call.
fn lent<T: 'static>(handle: &Resource<T>) -> Resource<T> {
    Resource::new_borrow(handle.rep())
}

fn within(dir: &Resource<TempDir>) -> Location {
    Location::Within(lent(dir))
}

#[track_caller]
fn assert_code<T: std::fmt::Debug>(result: Result<T, Failure>, code: tempfile_core::ErrorCode) {
    match result {
        Err(Failure::Error(error)) => assert_eq!(error.code, code, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_that_is_full_is_an_error_and_leaves_nothing() {
    let world = World::new("full");
    let mut ctx = world.builder().build().expect("room for it");
    let mut table = ResourceTable::new();
    table.set_max_capacity(3);
    let scratch = ctx.scratch().clone();
    let mut view = ctx.view(&mut table);
    let (_file, path) = view.named(options(), Location::Scratch).expect("room for two handles");
    for _ in 0..3 {
        // The path would have room, the file would not.
        assert_code(
            view.named(options(), Location::Scratch),
            tempfile_core::ErrorCode::OutOfHandles,
        );
        assert_eq!(scratch.entries().expect("list it").len(), 1);
    }
    HostTempPath::drop(&mut view, path).expect("a handle");
    view.named(options(), Location::Scratch).expect("room again");
    drop(table);
    assert_eq!(ctx.usage().live, tempfile_core::Counts::default());
    drop((ctx, scratch));
    world.end();
}

#[test]
fn no_descriptor_bypasses_the_limits_and_the_plugin_can_read_them() {
    let world = World::new("limits");
    let limits = Limits { bytes: Some(10), handles: Some(8), ..Limits::default() };
    for limits in [Some(limits), None] {
        let mut builder = world.builder();
        if let Some(limits) = limits {
            builder = builder.limits(limits);
        }
        let mut ctx = builder.build().expect("room for it");
        let mut table = ResourceTable::new();
        let mut view = ctx.view(&mut table);
        let dir = view.directory(options(), Location::Scratch).expect("a directory");
        let _file = view.unnamed(within(&dir)).expect("a file");
        let opened = descriptors::Host::directory_descriptor(&mut view, lent(&dir));
        match limits {
            Some(_) => assert_code(opened.map(drop), tempfile_core::ErrorCode::Unsupported),
            None => drop(opened.expect("nobody counts")),
        }
        let told = ledger::Host::get_limits(&mut view).expect("no trap");
        let handles = limits.map_or(Limits::DEFAULT_HANDLES, |_| 8);
        assert_eq!((told.bytes, told.handles), (limits.and(Some(10)), Some(handles)));
        let live = ledger::Host::get_usage(&mut view).expect("no trap").live;
        assert_eq!(
            (live.files, live.directories, live.entries),
            (1, 1, u64::from(limits.is_some()))
        );
        drop(table);
    }
    world.end();
}

#[test]
fn a_stream_counts_as_a_handle_and_outlives_its_file() {
    let world = World::new("streams");
    let limits = Limits { bytes: Some(10), ..Limits::default() };
    let mut ctx = world.builder().limits(limits).build().expect("room for it");
    let mut table = ResourceTable::new();
    let mut view = ctx.view(&mut table);
    let file = view.unnamed(Location::Scratch).expect("a file");
    let writer = descriptors::Host::write_via_stream(&mut view, lent(&file), 4).expect("a stream");
    let reader = descriptors::Host::read_via_stream(&mut view, lent(&file), 0).expect("a stream");
    HostFile::drop(&mut view, file).expect("a handle");
    assert_eq!(view.ctx.usage().live.files, 2);
    let writer = table.get_mut(&writer).expect("a stream");
    writer.write("abcd".into()).expect("room");
    assert_eq!(ctx.usage().live.bytes, 8, "the gap counts, and the file has a handle still");
    writer.write("efgh".into()).expect_err("no room");
    let reader_ = table.get_mut(&reader).expect("a stream");
    assert_eq!(reader_.read(100).expect("to read"), "\0\0\0\0abcdef", "what fitted is there");
    assert_eq!(ctx.usage().peak.bytes, 10);
    drop(table);
    assert_eq!(ctx.usage().live.bytes, 0);
    drop(ctx);
    world.end();
}

/// What gives the plugin a handle.
type Give = fn(&mut TempfileCtxView<'_>, &Resource<File>, &Resource<TempDir>) -> Option<Failure>;

/// Every function that gives out something that WASI serves, and drops.
const FOR_WASI: [Give; 3] = [
    |view, file, _| descriptors::Host::read_via_stream(view, lent(file), 0).err(),
    |view, file, _| descriptors::Host::write_via_stream(view, lent(file), 0).err(),
    |view, _, dir| descriptors::Host::directory_descriptor(view, lent(dir)).err(),
];

#[test]
fn what_wasi_drops_leaves_an_eighth_of_the_table_free() {
    let world = World::new("eighth");
    for give in FOR_WASI {
        let mut ctx = world.builder().build().expect("room for it");
        let mut table = ResourceTable::new();
        table.set_max_capacity(80);
        let mut view = ctx.view(&mut table);
        let file = view.unnamed(Location::Scratch).expect("a file");
        let dir = view.directory(options(), Location::Scratch).expect("a directory");
        let given = (0..80).take_while(|_| give(&mut view, &file, &dir).is_none()).count();
        assert_eq!(given, 68, "seven eighths of it, with the file and the directory");
        assert_code(view.unnamed(Location::Scratch), tempfile_core::ErrorCode::OutOfHandles);
        let refused = give(&mut view, &file, &dir).expect("no room");
        view.convert_error(refused).expect("an error of the plugin's");
        assert_eq!(ctx.refused(), 1);
        for free in 0..10 {
            table.push(()).unwrap_or_else(|_| panic!("{free} entries are left to WASI"));
        }
    }
    world.end();
}

#[test]
fn what_wasi_has_dropped_gives_its_room_back() {
    let world = World::new("room");
    let mut ctx = world.builder().build().expect("room for it");
    let mut table = ResourceTable::new();
    table.set_max_capacity(8);
    let file = ctx.view(&mut table).unnamed(Location::Scratch).expect("a file");
    for _ in 0..100 {
        let mut view = ctx.view(&mut table);
        let stream = descriptors::Host::read_via_stream(&mut view, lent(&file), 0);
        table.delete(stream.expect("the last one was dropped")).expect("drop it");
    }
    drop((table, ctx));
    world.end();
}

#[test]
fn a_removal_that_is_stopped_goes_on_when_the_store_is_dropped() {
    let world = World::new("stopped");
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = stopped.clone();
    let builder = world.builder().stop_when(move || stop.load(Ordering::Relaxed));
    let mut ctx = builder.build().expect("room for it");
    let mut table = ResourceTable::new();
    let mut view = ctx.view(&mut table);
    let dir = view.directory(options(), Location::Scratch).expect("a directory");
    for name in ["a", "b"] {
        HostTempDir::create_directory(&mut view, lent(&dir), name.into()).expect("make it");
    }
    stopped.store(true, Ordering::Relaxed);
    assert_code(
        HostTempDir::entries(&mut view, lent(&dir), String::new()),
        tempfile_core::ErrorCode::Other,
    );
    let closed = HostTempDir::close(&mut view, lent(&dir)).expect("a handle");
    assert_eq!(closed.expect_err("it was stopped").len(), 1);
    let trap = HostTempDir::drop(&mut view, dir).expect_err("the plugin ends here");
    assert_eq!(trap.downcast_ref(), Some(&wasmtime::Trap::Interrupt));
    let scratch = ctx.scratch().clone();
    assert_eq!(scratch.entries().expect("list it").len(), 1, "nothing has been removed");
    stopped.store(false, Ordering::Relaxed);
    drop(table);
    assert!(scratch.entries().expect("list it").is_empty());
    drop((ctx, scratch));
    world.end();
}

#[test]
fn two_stores_on_one_directory_share_its_limits() {
    let world = World::new("shared");
    let limits = Limits { handles: Some(3), ..Limits::default() };
    let mut first = world.builder().limits(limits).build().expect("room for it");
    let mut second = first.share();
    let mut tables = [ResourceTable::new(), ResourceTable::new()];
    first.view(&mut tables[0]).named(options(), Location::Scratch).expect("two handles");
    second.view(&mut tables[1]).unnamed(Location::Scratch).expect("the third");
    for (ctx, table) in [&mut first, &mut second].into_iter().zip(&mut tables) {
        assert_code(ctx.view(table).unnamed(Location::Scratch), tempfile_core::ErrorCode::Quota);
    }
    assert_eq!(first.usage(), second.usage());
    let scratch = Arc::downgrade(first.scratch());
    drop((first, second));
    assert!(scratch.upgrade().is_some(), "the handles have it open");
    drop(tables);
    assert!(scratch.upgrade().is_none());
    world.end();
}

struct State {
    ctx: TempfileCtx,
    table: ResourceTable,
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        self.ctx.view(&mut self.table)
    }
}

#[test]
fn a_linker_keeps_its_rule_on_names_that_are_taken() {
    let engine = wasmtime::Engine::default();
    for allowed in [false, true] {
        let mut linker = Linker::<State>::new(&engine);
        linker.allow_shadowing(allowed);
        add_to_linker(&mut linker).expect("no name is taken");
        for interface in SERVED {
            let is_free = linker.clone().root().func_wrap(interface, |_, ()| Ok(())).is_ok();
            assert_eq!(is_free, allowed, "{interface}");
        }
        assert_eq!(add_to_linker(&mut linker).is_ok(), allowed);
        assert_eq!(file::define_write(&mut linker, State::tempfile).is_ok(), allowed);
    }
}
