//! A host that removes no name of what is open, as wasmtime on Windows: the names of dropped guards
//! go when it is closed, in every order of dropping.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tempfile_core::{
    Descriptors, Durability, ErrorCode, Limits, Location, Options, ReplaceMode, TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{SHARED, Stepped, TestContext, TestDir, TestInstance};

type C = TestContext<Stepped>;

/// A host whose files are open while the test says so.
struct Host {
    root: TestDir,
    instance: TestInstance<Stepped>,
    open: Rc<Cell<bool>>,
}

impl Host {
    fn new() -> Self {
        Self::in_directory(TestDir::new(), ErrorCode::Access)
    }

    fn in_directory(root: TestDir, refusal: ErrorCode) -> Self {
        let open = Rc::new(Cell::new(false));
        let is_open = open.clone();
        let platform = Stepped::new(move |call| match call {
            "create_unnamed" | "create_delete_on_close" => Err(ErrorCode::Unsupported),
            "remove_file" if is_open.get() => Err(refusal),
            _ => Ok(()),
        });
        let platform = platform.refusing_open_directories();
        let instance = TestContext::new(&root, platform).instance();
        instance.default_directory().unwrap();
        Host { root, instance, open }
    }

    fn named(&self) -> (tempfile_core::File<C>, TempPath<C>) {
        self.instance.named(&Options::default(), Location::Scratch).unwrap()
    }

    /// A file with exactly this name.
    fn fixed(
        &self,
        name: &str,
        location: Location<'_, C>,
    ) -> (tempfile_core::File<C>, TempPath<C>) {
        let options = Options { prefix: name.into(), random_chars: Some(0), ..Options::default() };
        self.instance.named(&options, location).unwrap()
    }

    fn directory(&self) -> TempDir<C> {
        self.instance.directory(&Options::default(), Location::Scratch).unwrap()
    }

    fn left(&self) -> usize {
        self.instance.context().ledger.leftovers().len()
    }

    #[track_caller]
    fn assert_empty(&self) {
        assert_eq!(self.root.names(), [""; 0]);
        assert_eq!(self.instance.context().ledger.leftovers(), []);
    }
}

#[test]
fn a_name_that_is_dropped_before_its_file_goes_with_the_file() {
    for refusal in [ErrorCode::Access, ErrorCode::Busy] {
        let host = Host::in_directory(TestDir::new(), refusal);
        let (file, path) = host.named();
        host.open.set(true);
        drop(path);
        assert_eq!((host.root.names().len(), host.left()), (1, 1));
        host.open.set(false);
        drop(file);
        host.assert_empty();
    }
}

#[test]
fn a_name_goes_when_the_file_is_closed_and_not_only_when_it_is_dropped() {
    let host = Host::new();
    let (mut file, path) = host.named();
    host.open.set(true);
    drop(path);
    host.open.set(false);
    file.close().unwrap();
    host.assert_empty();
}

#[test]
fn a_name_goes_with_the_last_of_the_files_that_were_opened_by_it() {
    let host = Host::new();
    let (file, path) = host.named();
    let again = path.reopen().unwrap();
    host.open.set(true);
    drop(path);
    drop(file);
    assert_eq!((host.root.names().len(), host.left()), (1, 1));
    host.open.set(false);
    drop(again);
    host.assert_empty();
}

#[test]
fn a_name_goes_when_a_file_is_dropped_whose_descriptor_was_given_out() {
    let host = Host::new();
    let (mut file, path) = host.named();
    let descriptor = file.into_descriptor().unwrap();
    host.open.set(true);
    drop(path);
    drop(descriptor);
    host.open.set(false);
    drop(file);
    host.assert_empty();
}

#[test]
fn a_directory_goes_with_the_file_in_it() {
    let host = Host::new();
    let dir = host.directory();
    dir.create_directory("sub").unwrap();
    let file = dir.create_file("sub/file").unwrap();
    host.open.set(true);
    drop(dir);
    assert!(host.left() > 0);
    host.open.set(false);
    drop(file);
    host.assert_empty();
}

#[test]
fn directories_are_removed_though_they_were_open() {
    let host = Host::new();
    let dir = host.directory();
    dir.create_directory("sub").unwrap();
    dir.create_directory("sub/below").unwrap();
    drop(dir.create_file("sub/below/file").unwrap());
    drop(dir);
    host.assert_empty();
    let mut dir = host.directory();
    dir.create_directory("sub").unwrap();
    dir.remove("sub").unwrap();
    dir.close().unwrap();
    host.assert_empty();
}

#[test]
fn a_directory_is_persisted_though_it_was_open() {
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        let host = Host::new();
        let mut dir = host.directory();
        dir.create_file("file").unwrap();
        dir.persist(&host.root.join("target"), mode, Durability::Full).unwrap();
        drop(dir);
        assert_eq!(host.root.names(), ["target"]);
    }
}

#[test]
fn a_directory_that_could_not_be_persisted_is_used_further() {
    let host = Host::new();
    let mut dir = host.directory();
    let other = host.directory();
    let name = std::path::Path::new(other.path()).file_name().unwrap().to_str().unwrap();
    other.create_file("file").unwrap();
    let target = host.root.join(name);
    let error = dir.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotEmpty);
    dir.create_file("file").unwrap();
    drop((dir, other));
    host.assert_empty();
}

#[test]
fn a_directory_goes_after_what_was_created_in_it() {
    let host = Host::new();
    let dir = host.directory();
    let inside = || host.instance.named(&Options::default(), Location::Within(&dir)).unwrap();
    let ((file, path), (_, kept_open)) = (inside(), inside());
    let nested = host.instance.directory(&Options::default(), Location::Within(&dir)).unwrap();
    drop(dir);
    assert!(host.left() > 0);
    drop((path, file));
    drop(nested);
    assert!(host.left() > 0);
    drop(kept_open);
    host.assert_empty();
}

#[test]
fn a_directory_goes_after_a_spooled_file_of_it() {
    let host = Host::new();
    let dir = host.directory();
    let spooled = host.instance.spooled(Some(100), Location::Within(&dir)).unwrap();
    drop(dir);
    drop(spooled);
    host.assert_empty();
}

#[test]
fn a_private_name_that_a_stream_keeps_goes_with_the_next_file() {
    let host = Host::new();
    host.open.set(true);
    let file = host.instance.unnamed(Location::Scratch).unwrap();
    drop(file);
    assert_eq!((host.root.names().len(), host.left()), (1, 1));
    host.open.set(false);
    drop(host.named());
    host.assert_empty();
}

#[test]
fn a_name_that_is_closed_and_not_dropped_is_still_guarded() {
    let host = Host::new();
    let (file, mut path) = host.named();
    host.open.set(true);
    assert_eq!(path.close().unwrap_err().code, ErrorCode::Access);
    host.open.set(false);
    drop(file);
    assert_eq!((host.root.names().len(), host.left()), (1, 0));
    path.close().unwrap();
    host.assert_empty();
}

#[test]
fn what_is_kept_or_persisted_is_not_removed_later() {
    let host = Host::new();
    let (kept, mut path) = host.named();
    path.keep().unwrap();
    let (persisted, mut other) = host.named();
    let target = host.root.join("target");
    other.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap();
    drop((path, other, kept, persisted));
    assert_eq!(host.root.names().len(), 2);
}

#[test]
fn what_is_persisted_to_a_name_that_waits_stays() {
    let host = Host::new();
    let (file, path) = host.fixed("result", Location::Scratch);
    host.open.set(true);
    drop(path);
    let (_, mut other) = host.named();
    other.persist(&host.root.join("result"), ReplaceMode::Overwrite, Durability::None).unwrap();
    host.open.set(false);
    drop(file);
    assert_eq!((host.root.names(), host.left()), (vec!["result".to_owned()], 0));
}

#[test]
fn what_is_created_under_a_name_that_waits_stays() {
    let host = Host::new();
    let dir = host.directory();
    let ways: [fn(&TempDir<C>, &Host); 3] = [
        |dir, _| drop(dir.create_file("x").unwrap()),
        |dir, _| dir.create_directory("x").unwrap(),
        |dir, host| drop(host.fixed("x", Location::Within(dir)).1.keep().unwrap()),
    ];
    for create in ways {
        let (file, path) = host.fixed("x", Location::Within(&dir));
        host.open.set(true);
        drop(path);
        dir.rename("x", "y").unwrap();
        create(&dir, &host);
        host.open.set(false);
        drop(file);
        assert!(dir.metadata("x").is_ok());
        dir.remove("x").unwrap();
    }
}

#[test]
fn what_is_moved_to_a_name_that_waits_stays() {
    let host = Host::new();
    let dir = host.directory();
    drop(dir.create_file("other").unwrap());
    let (file, path) = host.fixed("x", Location::Within(&dir));
    host.open.set(true);
    drop(path);
    dir.rename("other", "x").unwrap();
    host.open.set(false);
    drop(file);
    assert!(dir.metadata("x").is_ok());
}

#[test]
fn a_name_that_waits_is_not_removed_in_another_directory_of_the_same_name() {
    let host = Host::new();
    let dir = host.directory();
    dir.create_directory("s").unwrap();
    let within = format!("{}/s", dir.path());
    let (file, path) = host.fixed("x", Location::Directory(&within));
    host.open.set(true);
    drop(path);
    dir.rename("s", "t").unwrap();
    dir.create_directory("s").unwrap();
    drop(dir.create_file("s/x").unwrap());
    host.open.set(false);
    drop(file);
    assert!(dir.metadata("s/x").is_ok());
}

#[test]
fn a_tree_that_waits_stays_if_something_is_persisted_into_it() {
    let host = Host::new();
    let dir = host.directory();
    let file = dir.create_file("file").unwrap();
    let target = format!("{}/kept", dir.path());
    host.open.set(true);
    drop(dir);
    let (_, mut other) = host.named();
    other.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap();
    host.open.set(false);
    drop(file);
    assert!(std::fs::metadata(target).is_ok());
    assert!(host.left() > 0);
}

#[test]
fn at_most_64_names_wait() {
    let host = Host::new();
    let pairs: Vec<_> = (0..80).map(|_| host.named()).collect();
    let (mut files, paths): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    host.open.set(true);
    drop(paths);
    host.open.set(false);
    files.truncate(79);
    assert_eq!(host.root.names().len(), 80 - 64);
    assert_eq!(host.left(), 80 - 64);
}

#[test]
fn in_a_shared_directory_a_name_is_not_removed_later() {
    // Somebody else may have it by then, and a later removal compares nothing.
    for &shared in SHARED.iter().filter(|shared| **shared) {
        let root = TestDir::new();
        if shared {
            root.share();
        }
        let host = Host::in_directory(root, ErrorCode::Access);
        let (file, path) = host.named();
        host.open.set(true);
        drop(path);
        host.open.set(false);
        drop(file);
        assert_eq!((host.root.names().len(), host.left()), (1, 1));
    }
}

#[test]
fn a_file_that_may_have_to_be_closed_gives_out_streams_and_no_descriptor() {
    let root = TestDir::new();
    let mut ctx = TestContext::new(&root, Stepped::new(|_| Ok(())));
    ctx.descriptors = Descriptors::Streams;
    let (mut file, _path) = ctx.instance().named(&Options::default(), Location::Scratch).unwrap();
    assert_eq!(file.into_descriptor().err().unwrap().code, ErrorCode::Unsupported);
    file.write(b"still open", 0).unwrap();
    file.stream_source(0).unwrap();
}

#[test]
fn a_name_is_not_removed_later_where_the_system_removes_names_of_open_files() {
    let (root, refuses) = (TestDir::new(), Rc::new(Cell::new(false)));
    let refusal = refuses.clone();
    let platform = Stepped::new(move |call| match call {
        "remove_file" | "remove_directory" if refusal.get() => Err(ErrorCode::Access),
        _ => Ok(()),
    });
    let instance = TestContext::new(&root, platform).instance();
    let (file, path) = instance.named(&Options::default(), Location::Scratch).unwrap();
    let dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
    refuses.set(true);
    drop((path, dir));
    refuses.set(false);
    drop(file);
    drop(instance.named(&Options::default(), Location::Scratch).unwrap());
    assert_eq!(root.names().len(), 2, "they may have come to be somebody else's");
}

#[test]
fn what_is_refused_for_another_cause_is_not_tried_again() {
    let tried = Rc::new(RefCell::new(0));
    let (root, count) = (TestDir::new(), tried.clone());
    let platform = Stepped::new(move |call| match call {
        "remove_file" => {
            *count.borrow_mut() += 1;
            if *count.borrow() > 1 { Err(ErrorCode::ReadOnly) } else { Ok(()) }
        }
        _ => Ok(()),
    });
    let platform = platform.locking_open_names();
    let ctx = TestContext::with_limits(&root, platform, Limits::default(), None);
    let instance = ctx.instance();
    // The probe of the default directory removes its file.
    instance.default_directory().unwrap();
    let (file, path) = instance.named(&Options::default(), Location::Scratch).unwrap();
    drop(path);
    drop(file);
    assert_eq!(*tried.borrow(), 2);
}
