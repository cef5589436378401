//! Spooled files of the Rust client: in the plugin's own memory while they are small, with a
//! cursor.

use super::prelude::*;
use std::io::{Read, Seek, SeekFrom, Write};
use wasi_tempfile::{
    SpooledData, SpooledTempFile, error_code, spooled_tempfile, spooled_tempfile_in,
};

pub(super) const CASES: &[Case] = &[
    case!(rolls_on_request),
    case!(an_in_memory_file),
    case!(the_position_survives_the_move),
    case!(a_position_in_the_middle_survives),
    case!(rolls_past_its_size),
    case!(keeps_its_bytes_when_the_disk_is_full, Setup::PLAIN.mounts(SMALL)),
    case!(set_len_rolls_and_leaves_the_position),
    case!(memory_never_passes_its_size),
    case!(into_inner_in_memory_has_bytes_and_position),
    case!(into_inner_on_disk_has_file_and_position),
    case!(into_file_rolls_first),
    case!(into_file_into_a_missing_directory),
    case!(seeks_as_a_file_does),
    case!(nothing_is_written_past_the_largest_offset),
    case!(at_a_position_that_no_file_has_it_stays_in_memory),
    case!(a_size_of_nothing_goes_to_disk_with_the_first_byte),
    case!(in_a_directory_of_the_callers),
];

const ROOM: u64 = 64 * 1024;
const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM, read_only: false }];

fn text(file: &mut SpooledTempFile) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn rolls_on_request(w: &World) {
    let mut file = spooled_tempfile(1024 * 1024);
    file.write_all(b"Small data stays in memory").unwrap();
    assert!(!file.is_rolled());
    file.roll().unwrap();
    assert!(file.is_rolled());
    assert_eq!(text(&mut file), "Small data stays in memory");
    w.assert_only_unnamed("", 1);
}

fn an_in_memory_file(w: &World) {
    let mut file = SpooledTempFile::new(100);
    file.write_all(b"Hello world!").unwrap();
    assert_eq!(text(&mut file), "Hello world!");
    assert!(!file.is_rolled());
    drop(file);
    w.assert_empty();
}

fn the_position_survives_the_move(_: &World) {
    let mut file = spooled_tempfile(10);
    file.write_all(b"0123456789").unwrap();
    file.write_all(b"abc").unwrap();
    assert!(file.is_rolled());
    assert_eq!(file.stream_position().unwrap(), 13);
    file.write_all(b"def").unwrap();
    assert_eq!(text(&mut file), "0123456789abcdef");
}

fn a_position_in_the_middle_survives(_: &World) {
    let mut file = spooled_tempfile(10);
    file.write_all(b"0123456789").unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    file.roll().unwrap();
    let mut two = [0; 2];
    file.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"45");
    file.write_all(b"__").unwrap();
    assert_eq!(text(&mut file), "012345__89");
}

fn rolls_past_its_size(_: &World) {
    let mut file = spooled_tempfile(1024);
    file.write_all(&[b'a'; 1024]).unwrap();
    assert!(!file.is_rolled());
    file.seek(SeekFrom::Start(1000)).unwrap();
    file.write_all(&[b'b'; 24]).unwrap();
    assert!(!file.is_rolled(), "overwriting makes nothing larger");
    file.write_all(b"c").unwrap();
    assert!(file.is_rolled());
}

fn keeps_its_bytes_when_the_disk_is_full(w: &World) {
    w.write("small/filler", vec![0; ROOM as usize]);
    let mut file = spooled_tempfile_in(4096, w.path("small"));
    file.write_all(&[b'a'; 4096]).unwrap();
    let error = file.write(b"more").unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::NoSpace), "{error}");
    assert_eq!(error_code(&file.set_len(5000).unwrap_err()), Some(ErrorCode::NoSpace));
    assert!(!file.is_rolled());
    assert_eq!(file.stream_position().unwrap(), 4096);
    w.remove("small/filler");
    file.write_all(b"more").unwrap();
    assert!(file.is_rolled());
    assert_eq!(text(&mut file)[4094..], *"aamore");
}

fn set_len_rolls_and_leaves_the_position(_: &World) {
    let mut file = spooled_tempfile(10);
    file.write_all(b"0123").unwrap();
    file.set_len(10).unwrap();
    assert!(!file.is_rolled());
    file.set_len(11).unwrap();
    assert!(file.is_rolled());
    assert_eq!(file.stream_position().unwrap(), 4);
    file.set_len(2).unwrap();
    assert!(file.is_rolled());
    assert_eq!(file.stream_position().unwrap(), 4);
    assert_eq!(text(&mut file), "01");
}

fn memory_never_passes_its_size(_: &World) {
    for size in [0, 1, 99, 100, 101] {
        let mut file = spooled_tempfile(size);
        for written in 1..=102 {
            file.write_all(&[1]).unwrap();
            assert_eq!(file.is_rolled(), written > size, "{written} bytes, {size} allowed");
        }
    }
}

fn into_inner_in_memory_has_bytes_and_position(_: &World) {
    let mut file = spooled_tempfile(100);
    file.write_all(b"in memory").unwrap();
    file.seek(SeekFrom::Current(-6)).unwrap();
    match file.into_inner() {
        SpooledData::InMemory(bytes) => {
            assert_eq!((bytes.position(), bytes.get_ref().as_slice()), (3, &b"in memory"[..]));
        }
        SpooledData::OnDisk(file) => panic!("nine bytes are not over a hundred: {file:?}"),
    }
}

fn into_inner_on_disk_has_file_and_position(_: &World) {
    let mut file = spooled_tempfile(4);
    file.write_all(b"on disk").unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    let SpooledData::OnDisk(mut file) = file.into_inner() else {
        panic!("seven bytes are over four")
    };
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "disk");
}

fn into_file_rolls_first(w: &World) {
    let mut spooled = spooled_tempfile(100);
    spooled.write_all(b"small").unwrap();
    let mut file = spooled.into_file().unwrap();
    assert_eq!(file.stream_position().unwrap(), 5);
    file.write_all(b" file").unwrap();
    assert_eq!(file.metadata().unwrap().len(), 10);
    w.assert_only_unnamed("", 1);
}

fn into_file_into_a_missing_directory(w: &World) {
    let mut file = spooled_tempfile_in(100, w.path("missing"));
    file.write_all(b"homeless").unwrap();
    assert_eq!(error_code(&file.roll().unwrap_err()), Some(ErrorCode::NoEntry));
    assert_eq!(text(&mut file), "homeless");
    assert_eq!(error_code(&file.into_file().unwrap_err()), Some(ErrorCode::NoEntry));
}

fn seeks_as_a_file_does(_: &World) {
    let mut memory = spooled_tempfile(100);
    let mut disk = spooled_tempfile(0);
    for file in [&mut memory, &mut disk] {
        file.write_all(b"0123456789").unwrap();
        assert_eq!(file.seek(SeekFrom::End(-3)).unwrap(), 7);
        assert_eq!(file.seek(SeekFrom::Current(-2)).unwrap(), 5);
        assert_eq!(
            error_code(&file.seek(SeekFrom::Current(-6)).unwrap_err()),
            Some(ErrorCode::Invalid)
        );
        assert_eq!(file.stream_position().unwrap(), 5);
        file.seek(SeekFrom::End(2)).unwrap();
        assert_eq!(file.read(&mut [0; 4]).unwrap(), 0);
        file.write_all(b"x").unwrap();
        assert_eq!(text(file), "0123456789\0\0x");
    }
    assert!(disk.is_rolled() && !memory.is_rolled());
}

fn nothing_is_written_past_the_largest_offset(_: &World) {
    // In memory any position can be sought, as in a `std::io::Cursor`.
    let mut memory = spooled_tempfile(100);
    memory.seek(SeekFrom::Start(1 << 63)).unwrap();
    memory.write(b"x").unwrap_err();
    memory.rewind().unwrap();
    assert_eq!(text(&mut memory), "");
    let mut disk = spooled_tempfile(0);
    disk.roll().unwrap();
    disk.seek(SeekFrom::Start(1 << 63)).unwrap_err();
    assert_eq!(disk.stream_position().unwrap(), 0);
}

fn at_a_position_that_no_file_has_it_stays_in_memory(w: &World) {
    let mut file = spooled_tempfile(100);
    file.write_all(b"bytes").unwrap();
    let position = file.seek(SeekFrom::Start(1 << 63)).unwrap();
    assert_eq!(error_code(&file.roll().unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!(error_code(&file.set_len(101).unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!((file.is_rolled(), file.stream_position().unwrap()), (false, position));
    assert_eq!(text(&mut file), "bytes");
    file.seek(SeekFrom::Start(position)).unwrap();
    assert_eq!(error_code(&file.into_file().unwrap_err()), Some(ErrorCode::Invalid));
    w.assert_empty();
}

fn a_size_of_nothing_goes_to_disk_with_the_first_byte(_: &World) {
    let mut file = spooled_tempfile(0);
    assert!(!file.is_rolled());
    assert_eq!(file.write(b"").unwrap(), 0);
    assert!(!file.is_rolled());
    file.write_all(b"x").unwrap();
    assert!(file.is_rolled());
}

fn in_a_directory_of_the_callers(w: &World) {
    w.plant_directory("mine");
    let mut file = spooled_tempfile_in(1, w.path("mine"));
    file.write_all(b"there").unwrap();
    assert!(file.is_rolled());
    assert_eq!(text(&mut file), "there");
    w.assert_only_unnamed("mine", 1);
    drop(file);
    w.remove("mine");
}
