//! What the suite can't see from inside an instance: a table that is full, the account, and a clock that a test holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::interface::tempfile::{Host, HostFile, HostTempDir, HostTempPath, Location, Options};
use super::interface::{direct, ledger, streams};
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
        Err(Failure::Answer(error)) => assert_eq!(error.code, code, "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_that_is_full_is_an_error_and_leaves_nothing() {
    let world = World::new("full");
    let mut ctx = world.builder().build();
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
fn nothing_goes_round_the_limits_and_the_plugin_can_read_them() {
    let world = World::new("limits");
    let limits = Limits { bytes: Some(10), handles: Some(8), ..Limits::default() };
    for limits in [Some(limits), None] {
        let mut builder = world.builder();
        if let Some(limits) = limits {
            builder = builder.limits(limits);
        }
        let mut ctx = builder.build();
        let mut table = ResourceTable::new();
        let mut view = ctx.view(&mut table);
        let dir = view.directory(options(), Location::Scratch).expect("a directory");
        let _file = view.unnamed(within(&dir)).expect("a file");
        let opened = direct::Host::open_directory(&mut view, lent(&dir));
        match limits {
            Some(_) => assert_code(opened.map(drop), tempfile_core::ErrorCode::Unsupported),
            None => drop(opened.expect("nobody counts")),
        }
        let told = ledger::Host::limits(&mut view).expect("no trap");
        assert_eq!((told.bytes, told.handles), (limits.and(Some(10)), limits.and(Some(8))));
        let live = ledger::Host::usage(&mut view).expect("no trap").live;
        assert_eq!(
            (live.files, live.directories, live.entries),
            (1, 1, u64::from(limits.is_some()))
        );
        drop(table);
    }
    world.end();
}

#[test]
fn a_stream_counts_like_the_file_it_is_of_and_goes_on_after_it() {
    let world = World::new("streams");
    let limits = Limits { bytes: Some(10), ..Limits::default() };
    let mut ctx = world.builder().limits(limits).build();
    let mut table = ResourceTable::new();
    let mut view = ctx.view(&mut table);
    let file = view.unnamed(Location::Scratch).expect("a file");
    let writer = streams::Host::writer(&mut view, lent(&file), 4).expect("a stream");
    let reader = streams::Host::reader(&mut view, lent(&file), 0).expect("a stream");
    HostFile::drop(&mut view, file).expect("a handle");
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

/// An instance whose clock only the test moves, in seconds.
fn with_clock(
    name: &str,
    limits: Limits,
    test: impl FnOnce(&World, &mut TempfileCtxView<'_>, &AtomicU64),
) {
    let world = World::new(name);
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = seconds.clone();
    let clock = move || Duration::from_secs(clock.load(Ordering::Relaxed));
    let mut ctx = world.builder().limits(limits).clock(clock).build();
    let mut table = ResourceTable::new();
    test(&world, &mut ctx.view(&mut table), &seconds);
    drop(table);
    world.end();
}

const SECOND: u64 = 1_000_000_000;

#[test]
fn an_expired_handle_is_closed_by_the_next_call() {
    let limits = Limits { time_to_live: Some(10 * SECOND), ..Limits::default() };
    with_clock("old", limits, |world, view, seconds| {
        let (file, path) = view.named(options(), Location::Scratch).expect("a file");
        let dir = view.directory(options(), Location::Scratch).expect("a directory");
        view.create_file(lent(&dir), "inside".into()).expect("a file in it");
        seconds.store(9, Ordering::Relaxed);
        let young = view.unnamed(Location::Scratch).expect("a file");
        view.write(lent(&file), 0, b"x".into()).expect("a second is left");
        seconds.store(10, Ordering::Relaxed);
        assert_eq!(world.entries(), 2);
        view.size(lent(&young)).expect("this one has nine");
        assert_eq!(world.entries(), 0);
        let closed = tempfile_core::ErrorCode::Closed;
        assert_code(view.read(lent(&file), 0, 1), closed);
        assert_code(view.reopen(lent(&path)), closed);
        assert_code(view.entries(lent(&dir), String::new()), closed);
        HostTempPath::close(view, path).expect("closing again is a success");
    });
}

#[test]
fn a_kept_name_has_no_time_to_live() {
    let limits = Limits { time_to_live: Some(10 * SECOND), ..Limits::default() };
    with_clock("kept", limits, |world, view, seconds| {
        let (_file, path) = view.named(options(), Location::Scratch).expect("a file");
        HostTempPath::keep(view, path).expect("keep it");
        seconds.store(1000, Ordering::Relaxed);
        view.expire();
        assert_eq!(world.entries(), 1);
    });
}

#[test]
fn a_file_in_use_keeps_its_name_and_its_directory() {
    let limits = Limits { idle: Some(10 * SECOND), ..Limits::default() };
    with_clock("idle", limits, |world, view, seconds| {
        let dir = view.directory(options(), Location::Scratch).expect("a directory");
        let (file, path) = view.named(options(), within(&dir)).expect("a file");
        let other = view.unnamed(Location::Scratch).expect("a file");
        for now in [9, 18, 27] {
            seconds.store(now, Ordering::Relaxed);
            view.write(lent(&file), 0, b"x".into()).expect("it is in use");
        }
        view.reopen(lent(&path)).expect("its name is there");
        assert_code(view.size(other), tempfile_core::ErrorCode::Closed);
        seconds.store(37, Ordering::Relaxed);
        view.expire();
        assert_eq!(world.entries(), 0);
        let usage = ledger::Host::usage(view).expect("no trap");
        assert_eq!((usage.live.files, usage.live.paths, usage.live.directories), (0, 0, 0));
    });
}

#[test]
fn without_a_time_limit_nothing_expires() {
    let limits = Limits { bytes: Some(10), ..Limits::default() };
    with_clock("never", limits, |world, view, seconds| {
        let _pair = view.named(options(), Location::Scratch).expect("a file");
        seconds.store(u64::MAX, Ordering::Relaxed);
        view.expire();
        assert_eq!(world.entries(), 1);
    });
}

/// Has a runtime's only thread wait in a call, and says whether another task ends before that is released.
fn others_go_on(waiting: Waiting) -> bool {
    let alone = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let (runtime, elsewhere) = (alone().expect("make a runtime"), alone().expect("make a runtime"));
    let (began, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let call = runtime.spawn(async move {
        waiting.wait(|| {
            began.send(()).expect("the test waits");
            released.recv().expect("the test releases it");
        });
    });
    begun.recv().expect("the call begins");
    let other = runtime.spawn(async {});
    // Until it has ended or, if it does not, until a whole runtime has come and gone.
    if matches!(waiting, Waiting::Told) {
        runtime.block_on(other).expect("no panic");
        release.send(()).expect("the call waits");
        runtime.block_on(call).expect("no panic");
        return true;
    }
    elsewhere.block_on(elsewhere.spawn(async {})).expect("no panic");
    drop(elsewhere);
    let gone_on = other.is_finished();
    release.send(()).expect("the call waits");
    runtime.block_on(call).expect("no panic");
    gone_on
}

#[test]
fn a_blocking_call_does_not_stall_other_tasks() {
    assert!(others_go_on(Waiting::Told));
    assert!(!others_go_on(Waiting::Here), "the control");
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
