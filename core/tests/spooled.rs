//! Spooled files: when they move to disk, where to, and which of them moves first.
#![allow(missing_docs)]

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use getrandom::SysRng;
use tempfile_core::{AnyFile, Durability, Error, ErrorCode, Limits, Location, Options, Storage};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir, TestInstance};

type Spooled = AnyFile<TestContext<Stepped>, SysRng>;

fn instance(dir: &TestDir) -> TestInstance<Stepped> {
    TestContext::new(dir, Stepped::new(|_| Ok(()))).instance()
}

/// A user whose spooled files share `memory` bytes.
fn limited(dir: &TestDir, platform: Stepped, memory: u64) -> TestInstance<Stepped> {
    let limits = Limits { memory: Some(memory), ..Limits::default() };
    TestContext::with_limits(dir, platform, limits, None).instance()
}

/// Spooled files of the given sizes, each of which may move.
fn files<const N: usize>(instance: &TestInstance<Stepped>, sizes: [usize; N]) -> [Spooled; N] {
    sizes.map(|size| {
        let mut file = instance.spooled(Some(1000), Location::Scratch).unwrap();
        file.write(&vec![size as u8; size], 0).unwrap();
        file
    })
}

fn in_memory<const N: usize>(files: &[Spooled; N]) -> [bool; N] {
    files.each_ref().map(|file| file.storage() == Ok(Storage::Memory))
}

#[track_caller]
fn assert_code<T>(result: Result<T, Error>, code: ErrorCode) {
    assert_eq!(result.err().expect("refused").code, code);
}

#[test]
fn a_move_that_is_stopped_leaves_the_bytes_in_memory() {
    let dir = TestDir::new();
    let ctx = TestContext::new(&dir, Stepped::new(|_| Ok(())));
    let mut file = ctx.instance().spooled(None, Location::Scratch).unwrap();
    file.write(&[7; 100_000], 0).unwrap();
    ctx.stopped.set(true);
    assert_code(file.roll_over(), ErrorCode::Other);
    assert_eq!(file.storage(), Ok(Storage::Memory));
    ctx.stopped.set(false);
    file.roll_over().unwrap();
    assert_eq!((file.storage(), file.size()), (Ok(Storage::Disk), Ok(100_000)));
}

#[test]
fn the_location_is_looked_up_when_the_file_moves() {
    let dir = TestDir::new();
    let later = dir.join("later");
    let mut file = instance(&dir).spooled(Some(4), Location::Directory(&later)).unwrap();
    file.write(b"four", 0).unwrap();
    assert_code(file.write(b"!", 4), ErrorCode::NoEntry);
    assert_code(file.set_size(5), ErrorCode::NoEntry);
    assert_code(file.roll_over(), ErrorCode::NoEntry);
    assert_eq!(
        (file.storage().unwrap(), file.read(9, 0).unwrap()),
        (Storage::Memory, b"four".into())
    );
    fs::create_dir(&later).unwrap();
    file.write(b"!", 4).unwrap();
    assert_eq!(
        (file.storage().unwrap(), file.read(9, 0).unwrap()),
        (Storage::Disk, b"four!".into())
    );
}

#[test]
fn a_file_that_is_on_disk_from_the_start_needs_its_location_then() {
    let dir = TestDir::new();
    let missing = dir.join("missing");
    let created = instance(&dir).spooled(Some(0), Location::Directory(&missing));
    assert_code(created, ErrorCode::NoEntry);
}

#[test]
fn a_file_cannot_move_into_a_directory_that_was_removed() {
    let dir = TestDir::new();
    let instance = instance(&dir);
    let mut within = instance.directory(&Options::default(), Location::Scratch).unwrap();
    let mut file = instance.spooled(Some(4), Location::Within(&within)).unwrap();
    file.write(b"four", 0).unwrap();
    within.close().unwrap();
    assert_code(file.write(b"!", 4), ErrorCode::NoEntry);
    assert_eq!(file.read(9, 0).unwrap(), b"four");
}

#[test]
fn the_largest_file_moves_first() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let files = files(&instance, [30, 40, 20]);
    // 10 bytes are left.
    let mut next = instance.spooled(Some(1000), Location::Scratch).unwrap();
    next.write(&[1; 11], 0).unwrap();
    assert_eq!(in_memory(&files), [true, false, true]);
    assert_eq!(next.storage(), Ok(Storage::Memory));
    assert_eq!(instance.context().ledger.usage().live.memory, 61);
    assert_eq!(files[1].read(100, 0).unwrap(), [40; 40]);
}

/// A file in a directory that is gone, so that it cannot move to disk.
fn homeless(instance: &TestInstance<Stepped>, size: usize) -> Spooled {
    let mut dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
    let mut file = instance.spooled(Some(1000), Location::Within(&dir)).unwrap();
    file.write(&vec![1; size], 0).unwrap();
    dir.close().unwrap();
    file
}

#[test]
fn if_the_largest_cannot_move_the_next_one_does() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let homeless = [homeless(&instance, 30), homeless(&instance, 25)];
    let files = files(&instance, [20, 15]);
    let mut never = instance.spooled(None, Location::Scratch).unwrap();
    never.write(&[1; 30], 0).unwrap();
    assert_eq!((in_memory(&homeless), in_memory(&files)), ([true; 2], [false, true]));
    assert_code(never.write(&[1; 100], 0), ErrorCode::Quota);
    assert_eq!(in_memory(&files), [false; 2]);
    assert_eq!(homeless[0].read(100, 0).unwrap(), [1; 30]);
}

#[test]
fn if_the_file_itself_cannot_move_smaller_ones_do() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let mut homeless = homeless(&instance, 50);
    let files = files(&instance, [20, 15]);
    homeless.write(&[2; 30], 50).unwrap();
    assert_eq!(in_memory(&files), [false, true]);
    assert_code(homeless.write(&[2; 30], 80), ErrorCode::NoEntry);
    assert_eq!((homeless.storage(), homeless.size()), (Ok(Storage::Memory), Ok(80)));
}

#[test]
fn a_file_that_cannot_move_is_tried_once() {
    let dir = TestDir::new();
    let tries = Rc::new(Cell::new(0));
    let counted = tries.clone();
    let platform = Stepped::new(move |call| match call {
        "create_unnamed" | "create_delete_on_close" | "create_file" => {
            counted.set(counted.get() + u32::from(call == "create_unnamed"));
            Err(ErrorCode::NoSpace)
        }
        _ => Ok(()),
    });
    let path = dir.path().to_str().expect("UTF-8").to_owned();
    let instance = limited(&dir, platform, 100);
    let location = || Location::Directory(&path);
    let mut files = [30, 40, 20].map(|size| {
        let mut file = instance.spooled(Some(1000), location()).unwrap();
        file.write(&vec![1; size], 0).unwrap();
        file
    });
    assert_code(files[0].write(&[1; 100], 0), ErrorCode::NoSpace);
    assert_eq!((tries.get(), in_memory(&files)), (3, [true; 3]));
}

#[test]
fn as_many_files_move_as_are_needed() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let files = files(&instance, [30, 40, 20]);
    let mut never = instance.spooled(None, Location::Scratch).unwrap();
    never.write(&[1; 50], 0).unwrap();
    assert_eq!(in_memory(&files), [true, false, true]);
    never.write(&[1; 20], 50).unwrap();
    assert_eq!(in_memory(&files), [false, false, true]);
    never.write(&[1; 30], 70).unwrap();
    assert_eq!(in_memory(&files), [false, false, false]);
}

#[test]
fn a_file_that_would_be_the_largest_moves_itself() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let files = files(&instance, [30, 40, 20]);
    let mut next = instance.spooled(Some(1000), Location::Scratch).unwrap();
    next.write(&[1; 41], 0).unwrap();
    assert_eq!(in_memory(&files), [true, true, true]);
    assert_eq!(next.storage(), Ok(Storage::Disk));
}

#[test]
fn a_file_that_exceeds_its_own_limit_moves_no_other() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let files = files(&instance, [30, 40, 20]);
    let mut next = instance.spooled(Some(10), Location::Scratch).unwrap();
    next.write(&[1; 11], 0).unwrap();
    assert_eq!((in_memory(&files), next.storage()), ([true, true, true], Ok(Storage::Disk)));
}

#[test]
fn a_file_that_never_moves_is_refused() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let mut first = instance.spooled(None, Location::Scratch).unwrap();
    let mut second = instance.spooled(None, Location::Scratch).unwrap();
    first.write(&[1; 60], 0).unwrap();
    assert_code(second.write(&[2; 41], 0), ErrorCode::Quota);
    assert_code(second.set_size(41), ErrorCode::Quota);
    assert_eq!((second.size(), second.storage()), (Ok(0), Ok(Storage::Memory)));
    assert_eq!(first.storage(), Ok(Storage::Memory));
    second.write(&[2; 40], 0).unwrap();
    // It moves when it is asked to, and then others have its memory.
    first.roll_over().unwrap();
    second.write(&[2; 60], 40).unwrap();
}

#[test]
fn a_disk_that_is_full_leaves_every_byte_in_memory() {
    let dir = TestDir::new();
    let full = Stepped::failing("create_unnamed", ErrorCode::NoSpace);
    let instance = limited(&dir, full, 100);
    let mut files = files(&instance, [30, 40, 20]);
    assert_code(files[2].write(&[9; 11], 20), ErrorCode::NoSpace);
    assert_eq!(in_memory(&files), [true, true, true]);
    assert_eq!(files.each_ref().map(|file| file.size().unwrap()), [30, 40, 20]);
}

#[test]
fn an_offset_past_the_largest_is_invalid_and_moves_nothing() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let mut files = files(&instance, [30]);
    assert_code(files[0].write(b"x", 1 << 63), ErrorCode::Invalid);
    assert_code(files[0].set_size(1 << 63), ErrorCode::Invalid);
    assert_code(files[0].write(b"x", (1 << 63) - 1), ErrorCode::FileTooLarge);
    assert_eq!(in_memory(&files), [true]);
}

#[test]
fn memory_is_free_once_a_file_is_closed() {
    let dir = TestDir::new();
    let instance = limited(&dir, Stepped::new(|_| Ok(())), 100);
    let mut files = files(&instance, [60]);
    files[0].close().unwrap();
    assert_eq!(instance.context().ledger.usage().live.memory, 0);
    let mut next = instance.spooled(None, Location::Scratch).unwrap();
    next.write(&[1; 100], 0).unwrap();
    for closed in [files[0].size().map(drop), files[0].sync(Durability::None)] {
        assert_code(closed, ErrorCode::Closed);
    }
}
