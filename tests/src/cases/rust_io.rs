//! The Rust client's cursor over the bytes: `Read`, `Write` and `Seek`.

use super::prelude::*;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use wasi_tempfile::{NamedTempFile, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(reads_and_writes_share_one_cursor),
    case!(seeks_from_each_end),
    case!(a_seek_before_the_start_is_refused),
    case!(a_write_past_the_end_leaves_a_gap),
    case!(set_len_leaves_the_cursor),
    case!(read_at_and_write_at_leave_the_cursor),
    case!(a_shared_reference_is_enough),
    case!(read_exact_at_the_end_is_an_error),
    case!(lines_of_text),
    case!(several_mebibytes_through_buffers),
    case!(what_is_written_is_seen_by_a_reopened_file),
    case!(a_named_file_by_reference),
];

fn reads_and_writes_share_one_cursor(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    file.seek(SeekFrom::Start(2)).unwrap();
    let mut two = [0; 2];
    file.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"23");
    file.write_all(b"xx").unwrap();
    assert_eq!(file.stream_position().unwrap(), 6);
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "6789");
    file.rewind().unwrap();
    rest.clear();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "0123xx6789");
}

fn seeks_from_each_end(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    assert_eq!(file.seek(SeekFrom::End(-3)).unwrap(), 7);
    assert_eq!(file.seek(SeekFrom::Current(-2)).unwrap(), 5);
    assert_eq!(file.seek(SeekFrom::Current(1)).unwrap(), 6);
    assert_eq!(file.seek(SeekFrom::End(5)).unwrap(), 15);
    assert_eq!(file.read(&mut [0; 4]).unwrap(), 0, "past the end");
}

fn a_seek_before_the_start_is_refused(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"abc").unwrap();
    let error = file.seek(SeekFrom::End(-4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(file.stream_position().unwrap(), 3, "a failed seek moves nothing");
}

fn a_write_past_the_end_leaves_a_gap(_: &World) {
    let mut file = tempfile().unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    file.write_all(b"end").unwrap();
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"\0\0\0\0end");
}

fn set_len_leaves_the_cursor(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    file.set_len(4).unwrap();
    assert_eq!(file.stream_position().unwrap(), 10);
    assert_eq!(file.metadata().unwrap().len(), 4);
    file.write_all(b"!").unwrap();
    assert_eq!(file.metadata().unwrap().len(), 11);
}

fn read_at_and_write_at_leave_the_cursor(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123").unwrap();
    assert_eq!(file.write_at(b"x", 1).unwrap(), 1);
    let mut bytes = [0; 3];
    assert_eq!(file.read_at(&mut bytes, 0).unwrap(), 3);
    assert_eq!(&bytes, b"0x2");
    assert_eq!(file.stream_position().unwrap(), 4);
}

fn a_shared_reference_is_enough(_: &World) {
    let file = tempfile().unwrap();
    (&file).write_all(b"shared").unwrap();
    (&file).rewind().unwrap();
    let mut text = String::new();
    (&file).read_to_string(&mut text).unwrap();
    assert_eq!(text, "shared");
}

fn read_exact_at_the_end_is_an_error(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"abc").unwrap();
    file.rewind().unwrap();
    let error = file.read_exact(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

fn lines_of_text(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all("first\nsecond, é\r\n\nlast".as_bytes()).unwrap();
    file.rewind().unwrap();
    let lines: Vec<String> = BufReader::new(file).lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["first", "second, é", "", "last"]);
}

fn several_mebibytes_through_buffers(_: &World) {
    let bytes = pattern(5 << 20);
    let mut writer = BufWriter::new(tempfile().unwrap());
    for piece in bytes.chunks(1000) {
        writer.write_all(piece).unwrap();
    }
    let mut file = writer.into_inner().unwrap();
    file.rewind().unwrap();
    let mut back = Vec::new();
    file.read_to_end(&mut back).unwrap();
    assert!(
        back == bytes,
        "{} bytes came back, not those {} that went in",
        back.len(),
        bytes.len()
    );
}

fn what_is_written_is_seen_by_a_reopened_file(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    let mut other = file.reopen().unwrap();
    file.write_all(b"one file, two handles").unwrap();
    let mut text = String::new();
    other.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one file, two handles");
}

fn a_named_file_by_reference(w: &World) {
    let file = NamedTempFile::new().unwrap();
    (&file).write_all(b"by reference").unwrap();
    assert_eq!(file.as_file().metadata().unwrap().len(), 12);
    assert_eq!(w.read(&w.inside(file.path())), b"by reference");
}
