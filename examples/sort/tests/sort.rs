//! The library against a plain sort in memory, in so little memory that nearly everything is
//! spilled.

mod text;

use std::io::{self, Read};

use sort::{Error, Options, Stats, sort};

fn sorted(text: &[u8], memory: usize) -> (Vec<u8>, Stats) {
    let mut out = Vec::new();
    let options = Options { memory, ..Options::default() };
    let stats = sort(text, || Ok(&mut out), &options).expect("it can be sorted");
    (out, stats)
}

#[track_caller]
fn check(text: &[u8], memory: usize) -> Stats {
    let expected = text::sorted(text);
    let (out, stats) = sorted(text, memory);
    assert!(out == expected, "{} bytes in {memory} are not in order", text.len());
    assert_eq!(stats.bytes, expected.len() as u64);
    assert_eq!(stats.lines, expected.iter().filter(|byte| **byte == b'\n').count() as u64);
    stats
}

#[test]
fn small_inputs_touch_no_file() {
    let edges: [&[u8]; 12] = [
        b"",
        b"\n",
        b"\n\n\n",
        b"a",
        b"b\na",
        b"b\na\n",
        b"a\0\na\n\0\na\0\0",
        b"\xff\n\x80\n\x7f\n~\n",
        b"12345678b\n12345678a\n12345678\n1234567\n",
        b"\r\n\n\r",
        b"same\nsame\nsame",
        b"a\n\x01\na\x01\n",
    ];
    for text in edges {
        let stats = check(text, 4096);
        assert_eq!((stats.files, stats.merges), (0, 0), "{text:?}");
    }
}

#[test]
fn spills_and_merges() {
    let stats = check(&text::random(10_000, 1), 4096);
    assert!(stats.files > 3 && stats.files <= 8, "{stats:?}");
    assert_eq!(stats.merges, 1);
    assert_eq!(stats.spilled, stats.bytes);
}

#[test]
fn merges_in_passes() {
    let stats = check(&text::random(400_000, 2), 4096);
    assert!(stats.merges > 5, "{stats:?}");
    assert!(stats.spilled > stats.bytes, "what is merged twice is written twice: {stats:?}");
}

#[test]
fn any_budget_will_do() {
    let text = text::random(50_000, 3);
    for memory in [4096, 4097, 5000, 6001, 8192, 12_345, 20_000, 65_536, 100_000, 1 << 20] {
        check(&text, memory);
    }
}

#[test]
fn kinds_of_lines() {
    let mut random = text::Random::new(4);
    let mut long = Vec::new();
    for _ in 0..60 {
        long.extend(std::iter::repeat_n(b'a' + random.below(3) as u8, random.below(1000)));
        long.push(b'\n');
    }
    check(&long, 4096);
    check(&vec![b'\n'; 30_000], 4096);
    check(&b"the same line\n".repeat(3000), 4096);
    let descending: Vec<u8> = (0..20_000).rev().flat_map(|n| format!("{n:09}\n").into_bytes()).collect();
    check(&descending, 4096);
    let ascending: Vec<u8> =
        (0..20_000).flat_map(|n| format!("a common beginning {n:09}\n").into_bytes()).collect();
    check(&ascending, 4096);
    let bytes: Vec<u8> = (0..60_000).map(|_| random.below(256) as u8).collect();
    check(&bytes, 8192);
    let few: Vec<u8> = (0..60_000).map(|_| b"\0\n\xffa"[random.below(4)]).collect();
    check(&few, 4096);
}

#[test]
fn the_last_line_gets_its_newline_wherever_the_memory_ends() {
    let text = text::random(12_000, 5);
    for length in 7000..7600 {
        check(&text[..length], 4096);
    }
}

#[test]
fn the_longest_line() {
    // A quarter of 4096, newline included.
    let limit = 1023;
    for (before, after) in [(0, 0), (1, 0), (0, 1), (900, 900)] {
        let text = [&b"x\n".repeat(before)[..], &vec![b'm'; limit], b"\n", &b"a\n".repeat(after)].concat();
        check(&text, 4096);
        let text =
            [&b"x\n".repeat(before)[..], &vec![b'm'; limit + 1], b"\n", &b"a\n".repeat(after)].concat();
        match sort(&text[..], || Ok(io::sink()), &Options { memory: 4096, ..Options::default() }) {
            Err(Error::LineTooLong { line, limit: said }) => {
                assert_eq!((line, said), (before as u64 + 1, limit))
            }
            other => panic!("{other:?}"),
        }
    }
    check(&[vec![b'b'; limit], b"\n".to_vec(), vec![b'a'; limit]].concat().repeat(9), 8192);
}

/// Gives little at a time, and is interrupted in between.
struct Dribble<'a>(&'a [u8], u32);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = (self.1 as usize % 7 + 1).min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn reads_may_be_short_and_interrupted() {
    let text = text::random(30_000, 6);
    let mut out = Vec::new();
    let options = Options { memory: 4096, ..Options::default() };
    sort(Dribble(&text, 0), || Ok(&mut out), &options).expect("it can be sorted");
    assert!(out == text::sorted(&text));
}

#[test]
fn errors_name_their_side() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let options = Options { memory: 4096, ..Options::default() };
    let text = text::random(10_000, 7);
    assert!(matches!(sort(Broken, || Ok(io::sink()), &options), Err(Error::Input(_))));
    assert!(matches!(sort(&text[..], || Ok(Broken), &options), Err(Error::Output(_))));
    assert!(matches!(sort(&b"a"[..], || Ok(Broken), &options), Err(Error::Output(_))));
    let refused = || -> io::Result<Vec<u8>> { Err(io::ErrorKind::PermissionDenied.into()) };
    assert!(matches!(sort(&text[..], refused, &options), Err(Error::Output(_))));
    let too_little = Options { memory: 4095, ..Options::default() };
    assert!(matches!(sort(&text[..], || Ok(io::sink()), &too_little), Err(Error::Memory(4095))));
}
