//! Files as streams: WASI streams in wasm, ordinary readers and writers natively.

use super::prelude::*;
use std::io::{Read, Seek, Write};
use wasi_tempfile::{NamedTempFile, error_code, tempfile, tempfile_in};

pub(super) const CASES: &[Case] = &[
    case!(a_writer_then_a_reader),
    case!(a_reader_begins_at_its_offset),
    case!(a_writer_begins_at_its_offset),
    case!(a_writer_past_the_end_leaves_a_gap),
    case!(a_reader_at_the_end_is_at_its_end),
    case!(a_reader_that_has_ended_stays_ended),
    case!(a_writer_that_is_dropped_loses_nothing),
    case!(streams_leave_the_cursor),
    case!(streams_go_on_after_the_file),
    case!(offsets_past_the_last),
    case!(a_failed_write_has_a_code, Setup::PLAIN.mounts(SMALL)),
    case!(a_failed_write_beyond_a_limit_has_a_code, Setup::PLAIN.limits("file-size=100")),
    case!(a_copy_from_reader_to_writer),
    case!(a_splice_from_one_file_into_another),
    case!(a_spooled_file_moves_to_disk_first),
    case!(a_closed_file_has_no_streams),
    case!(an_open_directory_is_for_reading_and_changing),
    case!(an_open_directory_still_goes),
    case!(a_closed_directory_is_not_opened),
];

const ROOM: u64 = 64 * 1024;
const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM, read_only: false }];

fn a_writer_then_a_reader(_: &World) {
    let file = tempfile().unwrap();
    let bytes = pattern(300_000);
    let mut writer = file.writer(0).unwrap();
    writer.write_all(&bytes).unwrap();
    writer.flush().unwrap();
    assert_eq!(file.metadata().unwrap().len(), 300_000);
    let mut seen = Vec::new();
    file.reader(0).unwrap().read_to_end(&mut seen).unwrap();
    assert!(seen == bytes, "the bytes read are not the bytes written");
}

fn a_reader_begins_at_its_offset(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let mut seen = String::new();
    file.reader(7).unwrap().read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "789");
}

fn a_writer_begins_at_its_offset(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let mut writer = file.writer(2).unwrap();
    writer.write_all(b"ab").unwrap();
    writer.write_all(b"cd").unwrap();
    writer.flush().unwrap();
    file.rewind().unwrap();
    let mut seen = String::new();
    file.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "01abcd6789");
}

fn a_writer_past_the_end_leaves_a_gap(_: &World) {
    let file = tempfile().unwrap();
    let mut writer = file.writer(3).unwrap();
    writer.write_all(b"x").unwrap();
    writer.flush().unwrap();
    let mut seen = Vec::new();
    file.reader(0).unwrap().read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"\0\0\0x");
}

fn a_reader_at_the_end_is_at_its_end(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"short").unwrap();
    for offset in [5, 6, 1 << 40] {
        let mut seen = Vec::new();
        file.reader(offset).unwrap().read_to_end(&mut seen).unwrap();
        assert_eq!(seen, b"", "{offset}");
    }
}

fn a_reader_that_has_ended_stays_ended(_: &World) {
    let file = tempfile().unwrap();
    file.write_at(b"first", 0).unwrap();
    let mut reader = file.reader(0).unwrap();
    let mut seen = Vec::new();
    reader.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"first");
    file.write_at(b"second", 5).unwrap();
    assert_eq!(reader.read(&mut [0; 6]).unwrap(), 0, "the end of a stream is final");
    assert_eq!(reader.read_to_end(&mut seen).unwrap(), 0);
    file.reader(5).unwrap().read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"firstsecond");
}

fn a_writer_that_is_dropped_loses_nothing(w: &World) {
    for length in [1, 10, 5_000, 300_000] {
        for _ in 0..20 {
            let file = NamedTempFile::new().unwrap();
            let mut writer = file.as_file().writer(0).unwrap();
            writer.write_all(&pattern(length)).unwrap();
            drop(writer);
            let name = w.inside(file.path());
            assert!(w.read(&name) == pattern(length), "of {length} bytes some are missing");
        }
    }
}

fn streams_leave_the_cursor(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let mut writer = file.writer(0).unwrap();
    writer.write_all(b"abc").unwrap();
    writer.flush().unwrap();
    file.reader(0).unwrap().read_exact(&mut [0; 4]).unwrap();
    assert_eq!(file.stream_position().unwrap(), 10);
}

fn streams_go_on_after_the_file(w: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"before").unwrap();
    let mut writer = file.writer(6).unwrap();
    let mut reader = file.reader(0).unwrap();
    drop(file);
    writer.write_all(b" and after").unwrap();
    writer.flush().unwrap();
    let mut seen = String::new();
    reader.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "before and after");
    w.assert_only_unnamed("", 1);
}

fn offsets_past_the_last(_: &World) {
    let file = tempfile().unwrap();
    for offset in [1 << 63, u64::MAX] {
        assert_eq!(
            file.reader(offset).err().and_then(|e| error_code(&e)),
            Some(ErrorCode::Invalid)
        );
        assert_eq!(
            file.writer(offset).err().and_then(|e| error_code(&e)),
            Some(ErrorCode::Invalid)
        );
    }
}

/// Writes until the failure, which a stream may report with the write or with the flush.
fn failure(mut writer: impl Write, bytes: &[u8]) -> Option<ErrorCode> {
    let error = writer.write_all(bytes).and_then(|()| writer.flush()).unwrap_err();
    error_code(&error)
}

fn a_failed_write_has_a_code(w: &World) {
    let file = tempfile_in(w.path("small")).unwrap();
    let code = failure(file.writer(0).unwrap(), &vec![1; ROOM as usize + 1]);
    assert_eq!(code, Some(ErrorCode::NoSpace));
}

fn a_failed_write_beyond_a_limit_has_a_code(_: &World) -> Outcome {
    let file = tempfile().unwrap();
    match file.writer(98) {
        Ok(writer) => assert_eq!(failure(writer, b"bytes"), Some(ErrorCode::Quota)),
        Err(error) => {
            assert_eq!(error_code(&error), Some(ErrorCode::Unsupported), "{error}");
            return skip("a component gives out no stream of what it counts");
        }
    }
    Outcome::Passed
}

fn a_copy_from_reader_to_writer(_: &World) {
    let mut from = tempfile().unwrap();
    from.write_all(&pattern(200_000)).unwrap();
    let to = tempfile().unwrap();
    let mut writer = to.writer(0).unwrap();
    assert_eq!(std::io::copy(&mut from.reader(0).unwrap(), &mut writer).unwrap(), 200_000);
    writer.flush().unwrap();
    let mut seen = Vec::new();
    to.reader(0).unwrap().read_to_end(&mut seen).unwrap();
    assert!(seen == pattern(200_000));
}

/// A case about calls that only a component has; natively it is skipped.
macro_rules! in_wasm {
    ($(fn $name:ident($w:ident) $body:block)*) => {$(
        #[cfg(target_arch = "wasm32")]
        fn $name($w: &World) $body

        #[cfg(not(target_arch = "wasm32"))]
        fn $name(_: &World) -> Outcome {
            skip("natively there are no streams and descriptors of WASI's")
        }
    )*};
}

in_wasm! {
    fn a_splice_from_one_file_into_another(w) {
        let mut from = tempfile().unwrap();
        from.write_all(&pattern(500_000)).unwrap();
        let to = NamedTempFile::new().unwrap();
        let reader = from.reader(0).unwrap().into_stream();
        let writer = to.as_file().writer(0).unwrap().into_stream();
        let mut moved = 0;
        // The end of the source is an error of its own.
        while let Ok(count) = writer.blocking_splice(&reader, 1 << 20) {
            moved += count;
        }
        writer.blocking_flush().unwrap();
        assert_eq!(moved, 500_000);
        assert!(w.read(&w.inside(to.path())) == pattern(500_000));
    }

    fn a_spooled_file_moves_to_disk_first(_w) {
        let file = interface::spooled(Some(100), Location::Scratch).unwrap();
        put(&file, 0, "in memory");
        let reader = interface::read_via_stream(&file, 3).unwrap();
        assert_eq!(file.storage().unwrap(), Storage::Disk);
        assert_eq!(reader.blocking_read(100).unwrap(), b"memory");
        let other = interface::spooled(None, Location::Scratch).unwrap();
        put(&other, 0, "0123");
        let writer = interface::write_via_stream(&other, 2).unwrap();
        writer.blocking_write_and_flush(b"spliced").unwrap();
        assert_eq!(other.storage().unwrap(), Storage::Disk);
        assert_eq!(contents(&other), b"01spliced");
        assert_eq!(interface::usage().live.memory, 0);
    }

    fn a_closed_file_has_no_streams(_w) {
        let (file, _path) = named();
        file.close().unwrap();
        assert_code(interface::read_via_stream(&file, 0), ErrorCode::Closed);
        assert_code(interface::write_via_stream(&file, u64::MAX), ErrorCode::Closed);
        let spooled = interface::spooled(None, Location::Scratch).unwrap();
        spooled.close().unwrap();
        assert_code(interface::read_via_stream(&spooled, 0), ErrorCode::Closed);
        assert_code(interface::write_via_stream(&spooled, 0), ErrorCode::Closed);
    }

    fn an_open_directory_is_for_reading_and_changing(w) {
        let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
        put(&dir.create_file("seen").unwrap(), 0, "by both");
        let descriptor = interface::directory_descriptor(&dir).unwrap();
        let listing = descriptor.read_directory().unwrap();
        assert_eq!(listing.read_directory_entry().unwrap().unwrap().name, "seen");
        drop(listing);
        descriptor.create_directory_at("made").unwrap();
        assert_eq!(w.list(&w.inside(dir.path())), ["made", "seen"]);
        dir.create_file("made/inside").unwrap();
        descriptor.unlink_file_at("seen").unwrap();
        assert_code(dir.open_file("seen"), ErrorCode::NoEntry);
    }

    fn an_open_directory_still_goes(w) {
        let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
        let descriptor = interface::directory_descriptor(&dir).unwrap();
        descriptor.create_directory_at("deep").unwrap();
        descriptor.create_directory_at("deep/er").unwrap();
        let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
        let stays = closed.is_err();
        w.assert_differs(closed, &differences::REMOVE_OPEN_DIRECTORY);
        assert_eq!(descriptor.create_directory_at("ghost").is_ok(), stays);
        drop(descriptor);
        dir.close().unwrap();
        w.assert_empty();
    }

    fn a_closed_directory_is_not_opened(w) {
        let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
        dir.close().unwrap();
        assert_code(interface::directory_descriptor(&dir), ErrorCode::Closed);
        let kept = interface::directory(&Options::default(), Location::Scratch).unwrap();
        kept.keep().unwrap();
        assert_code(interface::directory_descriptor(&kept), ErrorCode::Closed);
        w.remove(&w.inside(kept.path()));
    }
}
