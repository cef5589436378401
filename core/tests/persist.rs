//! Persisting files and directories: what is replaced, what is synced when, and what a handle
//! releases.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use tempfile_core::{
    Durability, Error, ErrorCode, File, Location, Options, ReplaceMode, TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{SHARED, Stepped, TestContext, TestDir, TestInstance};

use ReplaceMode::{NoClobber, Overwrite};

type C = TestContext<Stepped>;

fn instance(dir: &TestDir, platform: Stepped) -> TestInstance<Stepped> {
    let instance = TestContext::new(dir, platform).instance();
    instance.default_directory().unwrap();
    instance
}

fn plain() -> Stepped {
    Stepped::new(|_| Ok(()))
}

/// A system without a rename that does not replace.
fn old() -> Stepped {
    Stepped::failing("rename_no_replace", ErrorCode::Unsupported)
}

fn named(instance: &TestInstance<Stepped>) -> (File<C>, TempPath<C>) {
    let (file, path) = instance.named(&Options::default(), Location::Scratch).unwrap();
    file.write(b"new", 0).unwrap();
    (file, path)
}

/// A directory with a file and a directory with a file.
fn directory(instance: &TestInstance<Stepped>) -> TempDir<C> {
    let dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
    dir.create_file("file").unwrap().write(b"new", 0).unwrap();
    dir.create_directory("sub").unwrap();
    dir.create_file("sub/file").unwrap();
    dir
}

#[track_caller]
fn assert_code<T>(result: Result<T, Error>, code: ErrorCode) {
    assert_eq!(result.err().expect("refused").code, code);
}

/// Persists without durability.
fn persist(dir: &mut TempDir<C>, target: &str, mode: ReplaceMode) -> Result<(), Error> {
    dir.persist(target, mode, Durability::None)
}

#[test]
fn a_directory_replaces_an_empty_directory() {
    let root = TestDir::new();
    let mut dir = directory(&instance(&root, plain()));
    fs::create_dir(root.path().join("target")).unwrap();
    persist(&mut dir, &root.join("target"), Overwrite).unwrap();
    drop(dir);
    assert_eq!(fs::read(root.path().join("target/file")).unwrap(), b"new");
    assert_eq!(root.names(), ["target"]);
}

#[test]
fn a_directory_with_entries_is_not_replaced() {
    let root = TestDir::new();
    let mut dir = directory(&instance(&root, plain()));
    fs::create_dir_all(root.path().join("target/entry")).unwrap();
    assert_code(persist(&mut dir, &root.join("target"), Overwrite), ErrorCode::NotEmpty);
    assert!(root.path().join("target/entry").is_dir());
    dir.close().unwrap();
    assert_eq!(root.names(), ["target"]);
}

#[test]
fn no_clobber_gives_a_directory_a_free_name() {
    for platform in [plain(), old()] {
        let root = TestDir::new();
        let mut dir = directory(&instance(&root, platform));
        persist(&mut dir, &root.join("target"), NoClobber).unwrap();
        drop(dir);
        assert_eq!(fs::read(root.path().join("target/file")).unwrap(), b"new");
        assert_eq!(root.names(), ["target"]);
    }
}

#[test]
fn no_clobber_makes_nothing_if_the_directory_has_lost_its_name() {
    for platform in [plain(), old()] {
        let root = TestDir::new();
        let mut dir = directory(&instance(&root, platform));
        let own = String::from(dir.path());
        fs::rename(&own, root.join("moved")).unwrap();
        for target in [own, root.join("target")] {
            assert_code(persist(&mut dir, &target, NoClobber), ErrorCode::NoEntry);
            assert_eq!(root.names(), ["moved"]);
        }
    }
}

#[test]
fn no_clobber_leaves_whatever_has_the_name() {
    for platform in [plain(), old()] {
        let root = TestDir::new();
        let mut dir = directory(&instance(&root, platform));
        fs::create_dir(root.path().join("directory")).unwrap();
        fs::write(root.path().join("file"), "old").unwrap();
        for taken in ["directory", "file"] {
            assert_code(persist(&mut dir, &root.join(taken), NoClobber), ErrorCode::Exist);
        }
        assert_eq!(fs::read(root.path().join("file")).unwrap(), b"old");
        assert_eq!(fs::read_dir(root.path().join("directory")).unwrap().count(), 0);
        assert_eq!(dir.entries("").unwrap().len(), 2, "still guarded");
    }
}

#[test]
fn a_directory_does_not_move_into_itself() {
    for platform in [plain(), old()] {
        for mode in [Overwrite, NoClobber] {
            let root = TestDir::new();
            let mut dir = directory(&instance(&root, platform.clone()));
            for inside in ["new", "sub/new"] {
                let target = format!("{}/{inside}", dir.path());
                assert_code(persist(&mut dir, &target, mode), ErrorCode::Invalid);
                assert_code(dir.metadata(inside), ErrorCode::NoEntry);
            }
            dir.close().unwrap();
        }
    }
}

#[test]
fn a_directory_does_not_replace_a_file() {
    let root = TestDir::new();
    let mut dir = directory(&instance(&root, plain()));
    fs::write(root.path().join("target"), "old").unwrap();
    assert_code(persist(&mut dir, &root.join("target"), Overwrite), ErrorCode::NotDirectory);
    assert_eq!(fs::read(root.path().join("target")).unwrap(), b"old");
    assert_eq!(dir.entries("").unwrap().len(), 2, "still guarded");
}

#[test]
fn a_file_does_not_replace_a_directory() {
    let root = TestDir::new();
    let (_file, mut path) = named(&instance(&root, plain()));
    fs::create_dir(root.path().join("target")).unwrap();
    let target = root.join("target");
    let persisted = path.persist(&target, Overwrite, Durability::None);
    assert_code(persisted, ErrorCode::IsDirectory);
    assert!(path.reopen().is_ok(), "still guarded");
}

/// The calls that sync or rename, in order.
fn order(act: impl FnOnce(&TestInstance<Stepped>, &str)) -> Vec<&'static str> {
    let root = TestDir::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    let calls = log.clone();
    let platform = Stepped::new(move |call| {
        if call.starts_with("sync") || call.starts_with("rename") {
            calls.borrow_mut().push(call);
        }
        Ok(())
    });
    act(&instance(&root, platform), &root.join("target"));
    log.take()
}

#[test]
fn a_file_is_synced_before_the_rename_and_the_parent_after_it() {
    let order = |durability| {
        order(|instance, target| {
            named(instance).1.persist(target, Overwrite, durability).unwrap();
        })
    };
    assert_eq!(order(Durability::None), ["rename"]);
    assert_eq!(order(Durability::Data), ["sync_data", "rename"]);
    assert_eq!(order(Durability::Full), ["sync_all", "rename", "sync_directory"]);
}

#[test]
fn a_tree_is_synced_before_the_rename_and_the_parent_after_it() {
    let order = |durability| {
        order(|instance, target| {
            directory(instance).persist(target, Overwrite, durability).unwrap();
        })
    };
    assert_eq!(order(Durability::None), ["rename"]);
    assert_eq!(order(Durability::Data), ["sync_data", "sync_data", "rename"]);
    let tree = ["sync_all", "sync_directory", "sync_all", "sync_directory"];
    let parent = ["rename", "sync_directory"];
    assert_eq!(order(Durability::Full), [&tree[..], &parent[..]].concat());
}

/// A system on which `sync_directory` fails from the given call on, from 1.
fn failing_sync(first: u32) -> Stepped {
    let calls = Cell::new(0);
    Stepped::new(move |call| {
        calls.set(calls.get() + u32::from(call == "sync_directory"));
        if call == "sync_directory" && calls.get() >= first { Err(ErrorCode::Io) } else { Ok(()) }
    })
}

#[test]
fn a_file_is_at_its_target_if_only_the_last_sync_fails() {
    for mode in [Overwrite, NoClobber] {
        let root = TestDir::new();
        let instance = instance(&root, failing_sync(1));
        let (file, mut path) = named(&instance);
        let target = root.join("target");
        let persisted = path.persist(&target, mode, Durability::Full);
        assert_code(persisted, ErrorCode::NotDurable);
        assert_code(path.reopen(), ErrorCode::Closed);
        assert_eq!(instance.context().ledger.usage().live.paths, 0);
        drop((file, path));
        assert_eq!(root.names(), ["target"]);
    }
}

#[test]
fn a_directory_is_at_its_target_if_only_the_last_sync_fails() {
    for mode in [Overwrite, NoClobber] {
        let root = TestDir::new();
        // Two directories of the tree, and then the parent.
        let instance = instance(&root, failing_sync(3));
        let mut dir = directory(&instance);
        let persisted = dir.persist(&root.join("target"), mode, Durability::Full);
        assert_code(persisted, ErrorCode::NotDurable);
        assert_code(dir.entries(""), ErrorCode::Closed);
        assert_eq!(instance.context().ledger.usage().live.directories, 0);
        drop(dir);
        assert_eq!(root.names(), ["target"]);
    }
}

#[test]
fn a_tree_that_cannot_be_synced_stays_guarded() {
    let root = TestDir::new();
    let mut dir = directory(&instance(&root, failing_sync(2)));
    let persisted = dir.persist(&root.join("target"), Overwrite, Durability::Full);
    assert_code(persisted, ErrorCode::Io);
    assert!(!root.path().join("target").exists());
    dir.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
}

/// Creates `levels` nested directories, each as one of `names`. Systems list directories in the
/// order of creation, or in the reverse.
fn nest(root: &Path, levels: usize, names: &[&str]) {
    let mut path = root.to_owned();
    for _ in 0..levels {
        names.iter().for_each(|name| fs::create_dir(path.join(name)).expect("a directory"));
        path.push("d");
    }
}

/// How often a directory is opened while a tree is synced.
fn opened_in_a_sync(levels: usize, names: &[&str]) -> usize {
    let root = TestDir::new();
    let opened = Rc::new(Cell::new(0));
    let count = opened.clone();
    let platform = Stepped::new(move |call| {
        count.set(count.get() + usize::from(call == "open_directory"));
        Ok(())
    });
    let mut dir = instance(&root, platform)
        .directory(&Options::default(), Location::Scratch)
        .expect("a directory");
    nest(Path::new(dir.path()), levels, names);
    opened.set(0);
    dir.persist(&root.join("target"), Overwrite, Durability::Full).unwrap();
    opened.get()
}

#[test]
fn syncing_a_deep_chain_opens_each_directory_once() {
    assert_eq!(opened_in_a_sync(300, &["d"]), 300);
}

#[test]
fn syncing_a_deep_tree_walks_from_the_top_rarely() {
    // A walk for each of the 300 levels would be 45,000 more.
    let opened = opened_in_a_sync(300, &["before", "d", "after"]);
    assert!((900..6_000).contains(&opened), "{opened}");
}

#[test]
fn syncing_opens_no_file_for_writing() {
    let root = TestDir::new();
    let instance = instance(&root, Stepped::failing("open_file", ErrorCode::Access));
    directory(&instance).persist(&root.join("tree"), Overwrite, Durability::Full).unwrap();
    named(&instance).1.persist(&root.join("file"), Overwrite, Durability::Full).unwrap();
    assert_eq!(root.names(), ["file", "tree"]);
}

#[test]
fn a_closed_handle_has_no_directory_open() {
    let root = TestDir::new();
    let instance = instance(&root, plain());
    let base = &*instance.context().root;
    let open = Arc::strong_count(base);
    let target = root.join("target");

    let mut paths = [named(&instance).1, named(&instance).1, named(&instance).1];
    assert_eq!(Arc::strong_count(base), open + 3);
    paths[0].close().unwrap();
    paths[1].keep().unwrap();
    paths[2].persist(&target, Overwrite, Durability::None).unwrap();
    assert_eq!(Arc::strong_count(base), open);

    let mut dirs = [directory(&instance), directory(&instance), directory(&instance)];
    let inside = dirs.each_ref().map(|dir| Arc::downgrade(dir.get_ref().unwrap()));
    assert_eq!(Arc::strong_count(base), open + 3);
    dirs[0].close().unwrap();
    dirs[1].keep().unwrap();
    dirs[2].persist(&root.join("directory"), Overwrite, Durability::None).unwrap();
    assert_eq!(Arc::strong_count(base), open);
    assert!(inside.iter().all(|inside| inside.strong_count() == 0));
}

#[test]
fn a_file_with_a_private_name_has_its_directory_open_until_it_is_closed() {
    let root = TestDir::new();
    // A system on which the name of an open file cannot be removed.
    let open = Rc::new(Cell::new(false));
    let is_open = open.clone();
    let platform = Stepped::new(move |call| match call {
        "create_unnamed" | "create_delete_on_close" => Err(ErrorCode::Unsupported),
        "remove_file" if is_open.get() => Err(ErrorCode::Busy),
        _ => Ok(()),
    });
    let instance = instance(&root, platform);
    open.set(true);
    let base = &*instance.context().root;
    let count = Arc::strong_count(base);
    let mut file = instance.unnamed(Location::Scratch).unwrap();
    assert_eq!((Arc::strong_count(base), root.names().len()), (count + 1, 1));
    assert_code(file.close(), ErrorCode::Busy);
    assert_eq!(Arc::strong_count(base), count + 1, "close can be tried again");
    open.set(false);
    file.close().unwrap();
    assert_eq!((Arc::strong_count(base), root.names().len()), (count, 0));
}

#[test]
fn a_closed_spooled_file_has_no_directory_open() {
    let root = TestDir::new();
    let instance = instance(&root, plain());
    let dir = directory(&instance);
    let inside = dir.get_ref().unwrap();
    let open = Arc::strong_count(inside);
    let mut file = instance.spooled(Some(100), Location::Within(&dir)).unwrap();
    assert_eq!(Arc::strong_count(inside), open + 1);
    file.close().unwrap();
    assert_eq!(Arc::strong_count(inside), open);
}

#[test]
fn a_rename_onto_another_name_of_the_file_removes_the_old_name() {
    let root = TestDir::new();
    let (file, mut path) = named(&instance(&root, plain()));
    let target = root.join("target");
    fs::hard_link(path.path(), &target).unwrap();
    path.persist(&target, Overwrite, Durability::None).unwrap();
    drop((file, path));
    assert_eq!(root.names(), ["target"]);
}

#[test]
fn an_old_name_is_guarded_until_it_can_be_removed() {
    for mode in [Overwrite, NoClobber] {
        for busy in [false, true] {
            let root = TestDir::new();
            let is_busy = Rc::new(Cell::new(false));
            let busy_now = is_busy.clone();
            let platform = Stepped::new(move |call| match call {
                "rename_no_replace" => Err(ErrorCode::Unsupported),
                "remove_file" if busy_now.get() => Err(ErrorCode::Busy),
                _ => Ok(()),
            });
            let instance = instance(&root, platform);
            let (_file, mut path) = named(&instance);
            let target = root.join("target");
            if mode == Overwrite {
                fs::hard_link(path.path(), &target).unwrap();
            }
            is_busy.set(busy);
            path.persist(&target, mode, Durability::None).unwrap();
            let guarded = instance.context().ledger.usage().live.paths;
            assert_eq!(guarded, u32::from(busy), "{mode:?}");
            is_busy.set(false);
            path.close().unwrap();
            assert_eq!(root.names(), ["target"]);
        }
    }
}

/// So does a file system that folds case find a file, if only the case of its name has changed.
#[test]
fn an_old_name_that_finds_the_target_is_not_removed() {
    let root = TestDir::new();
    let names = Rc::new(RefCell::new([String::new(), String::new()]));
    let renamed = names.clone();
    let platform = Stepped::new(move |call| {
        if call == "link_count_at" {
            let [old, target] = &*renamed.borrow();
            fs::rename(target, old).unwrap();
        }
        Ok(())
    });
    let (file, mut path) = named(&instance(&root, platform));
    let old = String::from(path.path());
    *names.borrow_mut() = [old.clone(), root.join("target")];
    path.persist(&root.join("target"), Overwrite, Durability::None).unwrap();
    drop((file, path));
    assert_eq!(fs::read(old).unwrap(), b"new");
}

#[test]
fn persisting_to_its_own_name_keeps_the_file() {
    let without_identities = Stepped::failing("directory_identity", ErrorCode::Unsupported);
    for platform in [plain(), without_identities] {
        let root = TestDir::new();
        let (file, mut path) = named(&instance(&root, platform));
        let target = String::from(path.path());
        fs::hard_link(&target, root.join("other")).unwrap();
        path.persist(&target, Overwrite, Durability::None).unwrap();
        drop((file, path));
        assert_eq!(fs::read(target).unwrap(), b"new");
    }
}

/// Saves over a file as editors do: a new file is renamed to its name.
fn save_by_rename(path: &str) {
    let saved = format!("{path}.saved");
    fs::write(&saved, "edited").unwrap();
    fs::rename(saved, path).unwrap();
}

#[test]
fn in_a_private_directory_a_file_saved_by_rename_is_the_same_file() {
    let root = TestDir::new();
    let instance = instance(&root, plain());
    let (_first, mut path) = named(&instance);
    save_by_rename(path.path());
    assert_eq!(path.reopen().unwrap().read(9, 0).unwrap(), b"edited");
    path.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
    for durability in [Durability::None, Durability::Data] {
        let (_second, mut path) = named(&instance);
        save_by_rename(path.path());
        path.persist(&root.join("target"), Overwrite, durability).unwrap();
        assert_eq!(fs::read(root.path().join("target")).unwrap(), b"edited");
    }
    drop(path);
    assert_eq!(root.names(), ["target"]);
}

#[cfg(unix)]
#[test]
fn in_a_shared_directory_another_file_is_left_alone() {
    let root = TestDir::new();
    root.share();
    let instance = instance(&root, plain());
    let (_file, mut path) = named(&instance);
    save_by_rename(path.path());
    assert_code(path.reopen(), ErrorCode::Replaced);
    for durability in [Durability::None, Durability::Data] {
        let persisted = path.persist(&root.join("target"), Overwrite, durability);
        assert_code(persisted, ErrorCode::Replaced);
    }
    assert_code(path.close(), ErrorCode::Replaced);
    assert_eq!(fs::read(path.path()).unwrap(), b"edited");
}

#[test]
fn in_a_shared_directory_another_directory_is_left_alone() {
    for &shared in SHARED {
        let root = TestDir::new();
        if shared {
            root.share();
        }
        let mut dir = directory(&instance(&root, plain()));
        fs::rename(dir.path(), root.join("moved")).unwrap();
        fs::create_dir(dir.path()).unwrap();
        if shared {
            assert_code(persist(&mut dir, &root.join("target"), Overwrite), ErrorCode::Replaced);
            assert_eq!(dir.close().unwrap_err()[0].error.code, ErrorCode::Replaced);
            assert_eq!(root.names().len(), 2);
        } else {
            persist(&mut dir, &root.join("target"), Overwrite).unwrap();
        }
    }
}
