//! Removal of trees: what it does not touch, and how it goes on past failures.
#![allow(missing_docs)]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use tempfile_core::{
    CleanupFailure, Durability, ErrorCode, Location, Options, ReplaceMode, TempDir,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{SHARED, Stepped, TestContext, TestDir};

type C = TestContext<Stepped>;

fn directory(root: &TestDir, platform: Stepped) -> TempDir<C> {
    let instance = TestContext::new(root, platform).instance();
    instance.directory(&Options::default(), Location::Scratch).unwrap()
}

/// Fails calls while it is switched on.
#[derive(Clone, Default)]
struct Switch(Rc<Cell<bool>>);

impl Switch {
    fn failing(&self, fails: impl Fn(&str) -> Option<ErrorCode> + 'static) -> Stepped {
        let on = self.0.clone();
        Stepped::new(move |call| {
            let code = if on.get() { fails(call) } else { None };
            code.map_or(Ok(()), Err)
        })
    }
}

/// A mount, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    fn bind(from: &Path, to: PathBuf) -> Option<Self> {
        Self::new(Command::new("mount").arg("--bind").arg(from), to)
    }

    fn in_memory(to: PathBuf) -> Option<Self> {
        Self::new(Command::new("mount").args(["-t", "tmpfs", "test"]), to)
    }

    /// None, with the reason printed, where this process may not mount.
    fn new(mount: &mut Command, to: PathBuf) -> Option<Self> {
        match mount.arg(&to).output() {
            Ok(output) if output.status.success() => Some(Mount(to)),
            Ok(output) => {
                println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// A directory with a file, and in it another directory, which is to be a mount point.
fn around_a_mount_point(root: &TestDir, mount_point: &str, platform: Stepped) -> TempDir<C> {
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("thesis"), "valuable").unwrap();
    let dir = directory(root, platform);
    dir.create_directory("sub").unwrap();
    dir.create_directory(mount_point).unwrap();
    dir.create_file("file").unwrap();
    dir
}

/// Removes one entry and then everything, both of which a mount point prevents.
#[track_caller]
fn assert_busy(dir: &mut TempDir<C>, mount_point: &str) {
    assert_eq!(dir.remove(mount_point).unwrap_err().code, ErrorCode::Busy);
    let failures = dir.close().unwrap_err();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].error.code, ErrorCode::Busy);
    assert_eq!(failures[0].path, format!("{}/{mount_point}", dir.path()));
    assert!(!Path::new(dir.path()).join("file").exists(), "the rest is removed");
}

#[test]
fn a_mount_point_is_busy_and_nothing_behind_it_is_touched() {
    for depth in ["mounted", "sub/mounted"] {
        let root = TestDir::new();
        let outside = root.path().join("outside");
        let mut dir = around_a_mount_point(&root, depth, Stepped::new(|_| Ok(())));
        let Some(mount) = Mount::bind(&outside, Path::new(dir.path()).join(depth)) else { return };
        assert_busy(&mut dir, depth);
        assert_eq!(fs::read(outside.join("thesis")).unwrap(), b"valuable");
        drop(mount);
        dir.close().unwrap();
        assert_eq!(root.names(), ["outside"]);
    }
}

#[test]
fn a_mount_point_is_detected_by_a_platform_that_sees_none() {
    let root = TestDir::new();
    // The attempt to remove it shows it, before it would be opened.
    let platform = Stepped::failing("open_for_removal", ErrorCode::Other);
    let mut dir = around_a_mount_point(&root, "mounted", platform);
    let mounted = Path::new(dir.path()).join("mounted");
    let Some(_mount) = Mount::bind(&root.path().join("outside"), mounted) else { return };
    assert_busy(&mut dir, "mounted");
}

#[test]
fn a_file_system_in_a_tree_is_busy() {
    let root = TestDir::new();
    let mut dir = around_a_mount_point(&root, "mounted", Stepped::new(|_| Ok(())));
    let mounted = Path::new(dir.path()).join("mounted");
    let Some(mount) = Mount::in_memory(mounted.clone()) else { return };
    fs::write(mounted.join("thesis"), "valuable").unwrap();
    assert_busy(&mut dir, "mounted");
    assert_eq!(fs::read(mounted.join("thesis")).unwrap(), b"valuable");
    drop(mount);
    dir.close().unwrap();
}

#[test]
fn a_file_that_is_a_mount_point_is_busy() {
    let root = TestDir::new();
    let thesis = root.path().join("outside/thesis");
    let mut dir = around_a_mount_point(&root, "other", Stepped::new(|_| Ok(())));
    drop(dir.create_file("mounted").unwrap());
    let mounted = Path::new(dir.path()).join("mounted");
    let Some(mount) = Mount::bind(&thesis, mounted) else { return };
    assert_busy(&mut dir, "mounted");
    assert_eq!(fs::read(thesis).unwrap(), b"valuable");
    drop(mount);
    dir.close().unwrap();
}

#[test]
fn a_mount_over_the_directory_itself_is_busy() {
    let root = TestDir::new();
    let outside = root.path().join("outside");
    let mut dir = around_a_mount_point(&root, "other", Stepped::new(|_| Ok(())));
    let Some(mount) = Mount::bind(&outside, dir.path().into()) else { return };
    let failures = dir.close().unwrap_err();
    let found: Vec<_> =
        failures.iter().map(|failure| (&*failure.path, failure.error.code)).collect();
    assert_eq!(found, [(dir.path(), ErrorCode::Busy)]);
    assert_eq!(fs::read(outside.join("thesis")).unwrap(), b"valuable");
    drop(mount);
    dir.close().unwrap();
}

#[test]
fn what_is_in_a_directory_that_took_the_name_stays() {
    let root = TestDir::new();
    let mut dir = directory(&root, Stepped::new(|_| Ok(())));
    dir.create_file("ours").unwrap();
    let name = Path::new(dir.path()).to_owned();
    fs::rename(&name, root.path().join("moved")).unwrap();
    fs::create_dir(&name).unwrap();
    fs::write(name.join("theirs"), "precious").unwrap();
    for _ in 0..2 {
        assert_eq!(dir.close().unwrap_err()[0].error.code, ErrorCode::NotEmpty);
    }
    drop(dir);
    assert_eq!(fs::read(name.join("theirs")).unwrap(), b"precious");
    assert!(root.path().join("moved/ours").exists());
}

#[test]
fn a_listing_that_ends_early_is_a_failure() {
    let root = TestDir::new();
    let switch = Switch::default();
    let listed = Cell::new(0);
    let platform = switch.failing(move |call| {
        listed.set(listed.get() + u32::from(call == "next_entry"));
        (call == "next_entry" && listed.get().is_multiple_of(3)).then_some(ErrorCode::Io)
    });
    let mut dir = directory(&root, platform);
    for name in ["a", "b", "c", "d"] {
        dir.create_directory(name).unwrap();
        dir.create_file(&format!("{name}/file")).unwrap();
    }
    switch.0.set(true);
    assert_eq!(dir.entries("").unwrap_err().code, ErrorCode::Io);
    let failures = dir.close().unwrap_err();
    assert!(failures.iter().all(|failure| failure.error.code == ErrorCode::Io), "{failures:?}");
    assert!(!failures.is_empty() && Path::new(dir.path()).is_dir());
    switch.0.set(false);
    dir.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
}

#[test]
fn a_directory_removed_by_hand_is_a_success() {
    for &shared in SHARED {
        let root = TestDir::new();
        if shared {
            root.share();
        }
        let mut dir = directory(&root, Stepped::new(|_| Ok(())));
        fs::remove_dir(dir.path()).unwrap();
        assert_eq!(dir.close(), Ok(()), "shared: {shared}");
    }
}

#[test]
fn a_directory_that_was_renamed_is_left_alone() {
    for &shared in SHARED {
        let root = TestDir::new();
        if shared {
            root.share();
        }
        let mut dir = directory(&root, Stepped::new(|_| Ok(())));
        dir.create_file("file").unwrap();
        fs::rename(dir.path(), root.join("moved")).unwrap();
        assert_eq!(dir.close(), Ok(()), "shared: {shared}");
        assert_eq!(fs::read_dir(root.join("moved")).unwrap().count(), 1);
    }
}

#[test]
fn a_removed_directory_that_cannot_be_listed_is_a_success() {
    // Where the listing says so, and where its first entry does.
    for method in ["entries", "next_entry"] {
        let root = TestDir::new();
        let switch = Switch::default();
        let no_entry = move |call: &str| (call == method).then_some(ErrorCode::NoEntry);
        let mut dir = directory(&root, switch.failing(no_entry));
        fs::remove_dir(dir.path()).unwrap();
        switch.0.set(true);
        assert_eq!(dir.close(), Ok(()), "{method}");
    }
}

#[test]
fn at_most_1024_failures_are_listed() {
    let root = TestDir::new();
    let switch = Switch::default();
    let busy = |call: &str| (call == "remove_file").then_some(ErrorCode::Busy);
    let mut dir = directory(&root, switch.failing(busy));
    for name in 0..1100 {
        drop(dir.create_file(&name.to_string()).unwrap());
    }
    switch.0.set(true);
    let failures = dir.close().unwrap_err();
    assert_eq!(failures.len(), 1024);
    assert!(failures.iter().all(|failure| failure.error.code == ErrorCode::Busy));
    switch.0.set(false);
    dir.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
}

#[test]
fn at_most_1024_leftovers_are_recorded() {
    let root = TestDir::new();
    let switch = Switch::default();
    let busy = |call: &str| (call == "remove_file").then_some(ErrorCode::Busy);
    let instance = TestContext::new(&root, switch.failing(busy)).instance();
    instance.default_directory().unwrap();
    switch.0.set(true);
    for _ in 0..1100 {
        drop(instance.named(&Options::default(), Location::Scratch).unwrap());
    }
    assert_eq!(instance.context().ledger.leftovers().len(), 1024);
    assert_eq!(root.names().len(), 1100);
}

#[test]
fn what_is_gone_is_left_over_no_more() {
    type End = fn(&mut TempDir<C>, &str);
    let ends: [End; 4] = [
        |dir, _| dir.close().unwrap(),
        |dir, name| dir.remove(name).unwrap(),
        |dir, name| dir.rename(name, "renamed").unwrap(),
        |dir, _| {
            let target = format!("{}-persisted", dir.path());
            dir.persist(&target, ReplaceMode::NoClobber, Durability::None).unwrap();
        },
    ];
    for end in ends {
        let root = TestDir::new();
        let switch = Switch::default();
        let fails = |call: &str| (call == "remove_file").then_some(ErrorCode::Io);
        let instance = TestContext::new(&root, switch.failing(fails)).instance();
        let mut dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
        let within = Location::Within(&dir);
        let (file, path) = instance.named(&Options::default(), within).unwrap();
        let name = path.path().rsplit('/').next().unwrap().to_owned();
        switch.0.set(true);
        drop((file, path));
        switch.0.set(false);
        assert_eq!(instance.context().ledger.leftovers().len(), 1);
        end(&mut dir, &name);
        assert_eq!(instance.context().ledger.leftovers(), []);
    }
}

#[test]
fn removal_goes_on_past_an_entry_that_stays() {
    let root = TestDir::new();
    let switch = Switch::default();
    let first = Cell::new(true);
    let busy = move |call: &str| {
        (call == "remove_file" && first.replace(false)).then_some(ErrorCode::Busy)
    };
    let platform = switch.failing(busy);
    let mut dir = directory(&root, platform);
    for name in ["a", "b", "c"] {
        drop(dir.create_file(name).unwrap());
    }
    switch.0.set(true);
    assert_eq!(dir.close().unwrap_err().len(), 1);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    dir.close().unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_is_removed_and_not_followed() {
    let root = TestDir::new();
    fs::create_dir(root.path().join("outside")).unwrap();
    fs::write(root.path().join("outside/file"), "valuable").unwrap();
    let mut dir = directory(&root, Stepped::new(|_| Ok(())));
    std::os::unix::fs::symlink("../outside", Path::new(dir.path()).join("link")).unwrap();
    dir.close().unwrap();
    assert_eq!(fs::read(root.path().join("outside/file")).unwrap(), b"valuable");
}

#[test]
fn a_wide_directory_below_a_deep_one_is_removed() {
    let root = TestDir::new();
    let mut dir = directory(&root, Stepped::new(|_| Ok(())));
    let deep = ["d"; 400].join("/");
    for (end, _) in deep.match_indices('/').chain([(deep.len(), "")]) {
        dir.create_directory(&deep[..end]).unwrap();
    }
    for name in 0..100 {
        dir.create_directory(&format!("{deep}/{name}")).unwrap();
    }
    assert_eq!(dir.close(), Ok(()));
    assert_eq!(root.names(), [""; 0]);
}

#[test]
fn only_so_many_deep_directories_wait_to_be_removed() {
    // How many directories were moved since one was removed last, now and at most.
    let waiting = Rc::new(Cell::new((0_u32, 0_u32)));
    let count = waiting.clone();
    let platform = Stepped::new(move |call| {
        let (now, most) = count.get();
        match call {
            "rename" => count.set((now + 1, most.max(now + 1))),
            "remove_directory" => count.set((0, most)),
            _ => {}
        }
        Ok(())
    });
    let root = TestDir::new();
    let mut dir = directory(&root, platform);
    let deep = PathBuf::from(dir.path()).join(["d"; 11].join("/"));
    fs::create_dir_all(&deep).unwrap();
    for number in 0..3000 {
        fs::create_dir(deep.join(number.to_string())).unwrap();
    }
    dir.close().unwrap();
    assert!(root.names().is_empty());
    let (_, most) = waiting.get();
    assert!((1..=1024).contains(&most), "{most} waited");
}

#[test]
fn the_failures_that_are_reported_have_at_most_a_mebibyte_of_text() {
    let switch = Switch::default();
    let platform = switch.failing(|call| (call == "remove_file").then_some(ErrorCode::Access));
    let root = TestDir::new();
    let mut dir = directory(&root, platform);
    let mut deep = "x".repeat(250);
    dir.create_directory(&deep).unwrap();
    for _ in 0..10 {
        deep = format!("{deep}/{}", "x".repeat(250));
        dir.create_directory(&deep).unwrap();
    }
    for number in 0..500 {
        drop(dir.create_file(&format!("{deep}/{number}")).unwrap());
    }
    switch.0.set(true);
    let failures = dir.close().unwrap_err();
    switch.0.set(false);
    let text = |failure: &CleanupFailure| {
        let CleanupFailure { path, error } = failure;
        path.len() + error.message.len() + error.path.as_ref().map_or(0, String::len)
    };
    let text: usize = failures.iter().map(text).sum();
    assert!((1 << 19..=1 << 20).contains(&text), "{text} bytes in {} failures", failures.len());
    dir.close().unwrap();
}

/// A directory with three entries, and its context, which stops at that call of `call`, from 1.
fn stopped_at(root: &TestDir, number: u32, call: &'static str) -> (C, TempDir<C>) {
    let stopped = Rc::new(Cell::new(false));
    let (stop, calls) = (stopped.clone(), Cell::new(0));
    let platform = Stepped::new(move |step| {
        if step == call {
            calls.set(calls.get() + 1);
            stop.set(stop.get() || calls.get() == number);
        }
        Ok(())
    });
    let ctx = TestContext { stopped, ..TestContext::new(root, platform) };
    let dir = ctx.instance().directory(&Options::default(), Location::Scratch).unwrap();
    for name in ["a", "b", "c"] {
        fs::create_dir(Path::new(dir.path()).join(name)).unwrap();
        fs::write(Path::new(dir.path()).join(name).join("file"), "x").unwrap();
    }
    (ctx, dir)
}

#[test]
fn a_removal_that_is_stopped_ends_between_two_steps_and_goes_on_later() {
    let root = TestDir::new();
    // The second directory in it is removed: each is tried before it is emptied.
    let (ctx, mut dir) = stopped_at(&root, 5, "remove_directory");
    let [failure] = &dir.close().unwrap_err()[..] else { panic!("one failure") };
    assert_eq!((failure.path.as_str(), failure.error.code), (dir.path(), ErrorCode::Other));
    assert!(failure.error.message.contains("has been stopped"), "{}", failure.error.message);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(Result::unwrap).collect();
    let [left] = &left[..] else { panic!("{left:?} of three are left") };
    let left = left.file_name();
    assert_eq!(dir.remove(left.to_str().unwrap()).unwrap_err().code, ErrorCode::Other);
    ctx.stopped.set(false);
    drop(dir);
    assert_eq!(fs::read_dir(root.join("")).unwrap().count(), 0);
    assert_eq!(ctx.ledger.leftovers(), []);
}

#[test]
fn a_listing_and_a_sync_of_a_tree_that_are_stopped_end() {
    let root = TestDir::new();
    let (ctx, mut dir) = stopped_at(&root, 2, "never");
    ctx.stopped.set(true);
    assert_eq!(dir.entries("").unwrap_err().code, ErrorCode::Other);
    let target = root.join("target");
    let persisted = dir.persist(&target, ReplaceMode::NoClobber, Durability::Full);
    assert_eq!(persisted.unwrap_err().code, ErrorCode::Other);
    ctx.stopped.set(false);
    assert_eq!(dir.entries("").unwrap().len(), 3, "nothing has changed");
}
