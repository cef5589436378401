//! The native placement's file: one position for threads, children and clones, and the conversions
//! that `std::fs::File` has.
#![allow(missing_docs)]

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::{fs, thread};

use wasi_tempfile::interface::ErrorCode;
use wasi_tempfile::{
    Builder, File, NamedTempFile, error_code, spooled_tempfile, tempdir, tempfile,
};

fn contents(file: &mut (impl Read + Seek)) -> String {
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

/// What a child process prints.
const CHILD: &str = if cfg!(windows) { "child\r\n" } else { "child\n" };

/// Runs a child process with `file` as its output.
fn print_to(file: impl Into<Stdio>) {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let status = Command::new(shell).args([option, "echo child"]).stdout(file).status().unwrap();
    assert!(status.success());
}

#[test]
fn threads_that_write_through_one_file_lose_nothing() {
    const THREADS: usize = 4;
    const LINES: usize = 20_000;
    let file = tempfile().unwrap();
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                together.wait();
                (0..LINES).for_each(|_| (&file).write_all(b"0123456789\n").unwrap());
            });
        }
    });
    assert_eq!(file.metadata().unwrap().len(), (THREADS * LINES * 11) as u64);
}

#[test]
fn a_child_process_goes_on_where_its_parent_wrote() {
    let mut file = tempfile().unwrap();
    file.write_all(b"parent, ").unwrap();
    print_to(file.try_clone().unwrap());
    file.write_all(b"parent").unwrap();
    assert_eq!(contents(&mut file), format!("parent, {CHILD}parent"));
}

#[test]
fn a_child_process_appends_too() {
    let mut file = Builder::new().append(true).tempfile().unwrap();
    file.write_all(b"parent, ").unwrap();
    file.rewind().unwrap();
    print_to(file.as_file().try_clone().unwrap());
    assert_eq!(contents(&mut file), format!("parent, {CHILD}"));
}

#[test]
fn a_clone_shares_the_position() {
    let mut file = tempfile().unwrap();
    let mut clone = file.try_clone().unwrap();
    file.write_all(b"12345").unwrap();
    assert_eq!(clone.stream_position().unwrap(), 5);
    clone.rewind().unwrap();
    assert_eq!(file.stream_position().unwrap(), 0);
}

#[cfg(windows)]
#[test]
fn it_converts_at_its_position_without_another_handle() {
    use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
    let mut file = tempfile().unwrap();
    file.write_all(b"12345").unwrap();
    let handle = file.as_raw_handle();
    assert_eq!(file.as_handle().as_raw_handle(), handle);
    let mut std = fs::File::from(file);
    assert_eq!((std.as_raw_handle(), std.stream_position().unwrap()), (handle, 5));
    let mut back = File::from(std);
    assert_eq!(contents(&mut back), "12345");
    assert_eq!(OwnedHandle::from(back).as_raw_handle(), handle);
}

#[cfg(windows)]
#[test]
fn threads_that_read_at_offsets_leave_the_position_to_those_that_write() {
    const LINES: usize = 1000;
    let file = tempfile().unwrap();
    let clone = file.try_clone().unwrap();
    file.write_at(b"at an offset", 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..LINES).for_each(|_| (&file).write_all(b"0123456789\n").unwrap()));
        scope.spawn(|| {
            for _ in 0..LINES {
                assert_eq!(clone.read_at(&mut [0; 4], 0).unwrap(), 4);
            }
        });
    });
    assert_eq!(file.metadata().unwrap().len(), (LINES * 11) as u64);
}

#[cfg(unix)]
#[test]
fn it_converts_at_its_position_without_another_descriptor() {
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    let mut file = tempfile().unwrap();
    file.write_all(b"12345").unwrap();
    let descriptor = file.as_raw_fd();
    assert_eq!(file.as_fd().as_raw_fd(), descriptor);
    let mut std = fs::File::from(file);
    assert_eq!((std.as_raw_fd(), std.stream_position().unwrap()), (descriptor, 5));
    let mut back = File::from(std);
    assert_eq!(contents(&mut back), "12345");
    assert_eq!(OwnedFd::from(back).as_raw_fd(), descriptor);
}

#[test]
fn a_rolled_file_keeps_its_position() {
    let mut file = spooled_tempfile(3);
    file.write_all(b"12345").unwrap();
    file.seek(SeekFrom::Start(2)).unwrap();
    let mut file = file.into_file().unwrap();
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "345");
}

#[test]
fn an_error_of_the_system_has_a_code() {
    let mut file = tempfile().unwrap();
    let error = file.seek(SeekFrom::Current(-1)).unwrap_err();
    assert_eq!(
        (error.kind(), error_code(&error)),
        (ErrorKind::InvalidInput, Some(ErrorCode::Invalid))
    );
    assert_eq!(error_code(&io::Error::other("somebody else's")), None);
}

#[test]
fn reads_and_writes_at_an_offset_leave_the_position() {
    let mut file = tempfile().unwrap();
    file.write_all(b"12345").unwrap();
    file.write_at(b"--", 1).unwrap();
    let mut two = [0; 2];
    assert_eq!((file.read_at(&mut two, 2).unwrap(), &two), (2, b"-4"));
    assert_eq!(file.stream_position().unwrap(), 5);
    assert_eq!(file.read_at(&mut [0; 10], i64::MAX as u64 - 1).unwrap(), 0);
}

#[test]
fn a_stream_goes_on_after_its_file_is_closed() {
    let dir = tempdir().unwrap();
    let file = dir.create_file("file").unwrap();
    let (mut reader, mut writer) = (file.reader(1).unwrap(), file.writer(1).unwrap());
    drop(file);
    writer.write_all(b"234").unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "234");
}

#[test]
fn a_reader_that_has_ended_stays_ended() {
    let file = tempfile().unwrap();
    file.write_at(b"12", 0).unwrap();
    let mut reader = file.reader(0).unwrap();
    assert_eq!(reader.read(&mut []).unwrap(), 0, "nothing was asked for");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    file.write_at(b"345", 2).unwrap();
    assert_eq!((reader.read(&mut [0; 4]).unwrap(), &*text), (0, "12"));
    assert_eq!(io::read_to_string(file.reader(2).unwrap()).unwrap(), "345");
}

#[cfg(target_os = "linux")]
#[test]
fn an_unnamed_file_is_linked_once() {
    let dir = tempdir().unwrap();
    let mut file = tempfile().unwrap();
    file.write_all(b"complete").unwrap();
    file.link(dir.path().join("first")).unwrap();
    let error = file.link(dir.path().join("second")).unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::Invalid), "{error}");
    assert_eq!(fs::read(dir.path().join("first")).unwrap(), b"complete");
}

#[test]
fn a_named_file_is_not_linked() {
    let dir = tempdir().unwrap();
    let (mut file, path) = NamedTempFile::new().unwrap().into_parts();
    let error = file.link(dir.path().join("second")).unwrap_err();
    let kind = if cfg!(windows) { ErrorKind::Unsupported } else { ErrorKind::InvalidInput };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(path.exists() && dir.entries("").unwrap().is_empty());
}
