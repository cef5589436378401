//! What no case of the suite can arrange: a full table of handles, streams that outlive their file.

use std::path::PathBuf;

use super::bindings::scratch::tempfile_wasi::descriptors;
use super::interface::ledger;
use super::interface::tempfile::{Host, HostFile, HostTempPath, Location, Options};
use super::*;
use crate::scratch::ScratchRoot;

/// A scratch directory in a root of the test's own.
struct World {
    root: PathBuf,
    scratch: ScratchDir,
}

impl World {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("provider-{name}-{}", std::process::id()));
        let scratch =
            ScratchRoot::open(&root).and_then(|root| root.create_dir()).expect("make a directory");
        Self { root, scratch }
    }

    fn builder(&self) -> TempfileCtxBuilder {
        TempfileCtx::builder(&self.scratch).expect("open it")
    }

    fn entries(&self) -> usize {
        self.scratch.entries().expect("list it").len()
    }

    fn end(self) {
        assert!(self.scratch.close().is_empty());
        std::fs::remove_dir(self.root).expect("nothing else is in the root");
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
    let mut view = ctx.view(&mut table);
    let (_file, path) = view.named(options(), Location::Scratch).expect("room for two handles");
    for _ in 0..3 {
        // The path would have room, the file would not.
        assert_code(
            view.named(options(), Location::Scratch),
            tempfile_core::ErrorCode::OutOfHandles,
        );
        assert_eq!(world.entries(), 1);
    }
    HostTempPath::drop(&mut view, path).expect("a handle");
    view.named(options(), Location::Scratch).expect("room again");
    drop(table);
    assert_eq!(ctx.usage().live, tempfile_core::Counts::default());
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
        assert_eq!(add_to_linker(&mut linker).is_ok(), allowed);
        assert_eq!(file::define_write(&mut linker, State::tempfile).is_ok(), allowed);
    }
}
