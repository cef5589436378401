//! Text: lines, encodings and newlines pass through unchanged, as bytes.

use super::prelude::*;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use wasi_tempfile::{NamedTempFile, spooled_tempfile, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(lines_through_buffers),
    case!(newlines_are_left_alone),
    case!(every_encoding_is_bytes),
    case!(a_character_split_between_two_writes),
    case!(text_across_the_threshold),
    case!(formatted_text),
];

fn lines_through_buffers(_: &World) {
    let mut writer = BufWriter::new(tempfile().unwrap());
    for number in 0..5000 {
        writeln!(writer, "line {number} of many").unwrap();
    }
    let mut file = writer.into_inner().unwrap();
    file.rewind().unwrap();
    let mut count = 0;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        assert_eq!(line.unwrap(), format!("line {number} of many"));
        count += 1;
    }
    assert_eq!(count, 5000);
}

fn newlines_are_left_alone(w: &World) {
    let text = "unix\nwindows\r\nold mac\rnone";
    let mut file = NamedTempFile::with_contents(text).unwrap();
    assert_eq!(w.read(&w.inside(file.path())), text.as_bytes());
    let lines: Vec<_> = BufReader::new(&mut file).split(b'\n').map(Result::unwrap).collect();
    assert_eq!(lines, [&b"unix"[..], b"windows\r", b"old mac\rnone"]);
}

fn every_encoding_is_bytes(w: &World) {
    let text = "Grüße, κόσμε, 🦀";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1 = [b'G', b'r', 0xfc, 0xdf, b'e', 0x00, 0x1a, 0xff];
    for bytes in [text.as_bytes(), &utf16, &latin1, b"\xef\xbb\xbfwith a mark"] {
        let mut file = NamedTempFile::with_contents(bytes).unwrap();
        let mut seen = Vec::new();
        file.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, bytes);
        assert_eq!(w.read(&w.inside(file.path())), bytes);
    }
    let mut file = NamedTempFile::with_contents(latin1).unwrap();
    file.read_to_string(&mut String::new()).expect_err("it is no UTF-8, and nobody pretends it is");
}

fn a_character_split_between_two_writes(_: &World) {
    let mut file = tempfile().unwrap();
    let crab = "🦀".as_bytes();
    file.write_all(&crab[..2]).unwrap();
    file.write_all(&crab[2..]).unwrap();
    file.rewind().unwrap();
    let mut one_by_one = Vec::new();
    while one_by_one.len() < 4 {
        let mut byte = [0];
        file.read_exact(&mut byte).unwrap();
        one_by_one.push(byte[0]);
    }
    assert_eq!(one_by_one, crab);
}

fn text_across_the_threshold(_: &World) {
    let mut file = spooled_tempfile(10);
    for word in ["naïve ", "façade ", "Ærø"] {
        file.write_all(word.as_bytes()).unwrap();
    }
    assert!(file.is_rolled());
    file.rewind().unwrap();
    let mut line = String::new();
    BufReader::new(&mut file).read_line(&mut line).unwrap();
    assert_eq!(line, "naïve façade Ærø");
}

fn formatted_text(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "{:>5}|{:<5}|{:05.1}", 1, "ab", 2.25).unwrap();
    assert_eq!(w.read(&w.inside(file.path())), b"    1|ab   |002.2");
}
