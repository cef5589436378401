//! The plugin of the host's tests, with a subcommand for every way to end.
//!
//! Each prints one line when it has reached the point of the test, so that a test waits for the
//! line and never for a time.

use std::any::Any;
use std::fs;
use std::io::{Read, Write};
use std::process::ExitCode;

use wasi_tempfile::NamedTempFile;
use wasi_tempfile::interface::{self, ErrorCode, Location, Storage};

mod drops;
#[cfg(target_arch = "wasm32")]
mod handles;
#[cfg(target_arch = "wasm32")]
mod pressure;
mod tenant;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let argument = arguments.next().unwrap_or_default();
    match command.as_str() {
        "ok" => {
            let _scratch = litter();
        }
        "fail" => {
            let _scratch = litter();
            return ExitCode::FAILURE;
        }
        "drops" => {
            if !drops::play() {
                return ExitCode::FAILURE;
            }
        }
        // Destructors do not run in any of the next three.
        "exit" => {
            let _scratch = litter();
            std::process::exit(argument.parse().unwrap_or(1));
        }
        "panic" => {
            let _scratch = litter();
            panic!("on purpose");
        }
        "trap" => {
            let _scratch = litter();
            #[cfg(target_arch = "wasm32")]
            core::arch::wasm32::unreachable();
        }
        // A destructor traps while others still wait for their turn.
        "destructor" => {
            let _last = litter();
            let _trap = TrapOnDrop;
            let _first = litter();
        }
        // No destructor runs, and the plugin returns all the same.
        "forget" => std::mem::forget(litter()),
        "spin" => {
            let _scratch = litter();
            say("spinning");
            loop {
                std::hint::black_box(());
            }
        }
        "overflow" => {
            let _scratch = litter();
            say(&descend(u64::MAX).to_string());
        }
        "hoard" => {
            let _scratch = litter();
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
            }
        }
        "sip" => sip(),
        "wait" => {
            let _scratch = litter();
            say("waiting");
            let mut all = Vec::new();
            std::io::stdin().read_to_end(&mut all).expect("read standard input");
            say(&format!("read {} bytes", all.len()));
        }
        "open" => {
            let _scratch = litter();
            say("opening");
            fs::File::open(&argument).expect("open the file");
            say("opened");
        }
        "flood" => {
            let _scratch = litter();
            say("flooding");
            let line = [b'x'; 4096];
            loop {
                std::io::stdout().write_all(&line).expect("write to standard output");
            }
        }
        "list" => {
            for path in std::env::args().skip(2) {
                list(&path);
            }
        }
        "read" => return read(&argument),
        "write" => return write(&argument),
        "see" => see(),
        "persist" => persist(&argument),
        "fill" => fill(number(&argument)),
        "buffer" => buffer(number(&argument)),
        "grow" => grow(number(&argument)),
        "hold" => hold(number(&argument)),
        "children" => children(number(&argument)),
        "spool" => spool(std::env::args().skip(2).map(|size| number(&size)).collect()),
        "keep" => keep(),
        "cram" => cram(),
        "remove" => remove(),
        "stream-errors" => stream_errors(),
        "chatter" => chatter(number(&argument)),
        "tenant" => tenant::run(&argument),
        #[cfg(target_arch = "wasm32")]
        "dead" => handles::call(&argument, std::env::args().nth(3).as_deref().unwrap_or_default()),
        #[cfg(target_arch = "wasm32")]
        "pressure" => {
            let seed = std::env::args().nth(3).map_or(0, |seed| number(&seed));
            pressure::run(&argument, seed);
        }
        "env" => {
            for (name, value) in std::env::vars() {
                say(&format!("{name}={value}"));
            }
        }
        "args" => {
            for argument in std::env::args() {
                say(&argument);
            }
        }
        unknown => {
            eprintln!("no such subcommand: {unknown}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Creates the files that exist when the plugin ends: the kind named by `LITTER`, or else a file
/// and a directory with a child.
fn litter() -> Vec<Box<dyn Any>> {
    match std::env::var("LITTER").as_deref() {
        Ok("unnamed") => vec![unnamed()],
        Ok("named") => vec![named()],
        Ok("spooled") => vec![spooled()],
        Ok("directory") => vec![directory()],
        Ok(unknown) => panic!("no such litter: {unknown}"),
        Err(_) => vec![named(), directory()],
    }
}

fn unnamed() -> Box<dyn Any> {
    let mut file = wasi_tempfile::tempfile().expect("make an unnamed file");
    file.write_all(b"litter").expect("write to the file");
    Box::new(file)
}

fn named() -> Box<dyn Any> {
    let mut file = NamedTempFile::new().expect("make a file");
    file.write_all(b"litter").expect("write to the file");
    Box::new(file)
}

/// A spooled file of the interface that has moved to disk.
fn spooled() -> Box<dyn Any> {
    let file = interface::spooled(Some(4), Location::Scratch).expect("make a spooled file");
    file.write(b"litter", 0).expect("write to the file");
    assert!(matches!(file.storage(), Ok(Storage::Disk)), "it is past its threshold");
    Box::new(file)
}

fn directory() -> Box<dyn Any> {
    let directory = wasi_tempfile::tempdir().expect("make a directory");
    let inside = NamedTempFile::new_in(directory.path()).expect("make a file in the directory");
    inside.keep().expect("keep it");
    Box::new(directory)
}

struct TrapOnDrop;

impl Drop for TrapOnDrop {
    fn drop(&mut self) {
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// The error code, or `ok`.
fn code<T>(result: &std::io::Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => {
            wasi_tempfile::error_code(error).map_or("without a code", |code| code.as_str())
        }
    }
}

/// Creates a file and persists it to the given path.
fn persist(target: &str) {
    let mut file = NamedTempFile::new().expect("make a file");
    file.write_all(b"persisted").expect("write to the file");
    let persisted = file.persist(target).map(drop).map_err(|refused| refused.error);
    say(code(&persisted));
}

/// Writes this many bytes to one file, in pieces, and prints how many were accepted; then writes to
/// another.
fn fill(size: u64) {
    let mut file = wasi_tempfile::tempfile().expect("make a file");
    let piece = [7; 4000];
    let mut written = 0;
    let result = loop {
        let left = usize::try_from(size - written).unwrap_or(usize::MAX).min(piece.len());
        if left == 0 {
            break Ok(());
        }
        match file.write(&piece[..left]) {
            Ok(count) => written += count as u64,
            Err(error) => break Err(error),
        }
    };
    let next = wasi_tempfile::tempfile().and_then(|mut other| other.write_all(b"x"));
    say(&format!("{written} {}, then {}", code(&result), code(&next)));
    drop(file);
    let after = wasi_tempfile::tempfile().and_then(|mut other| other.write_all(b"x"));
    say(&format!("afterwards {}", code(&after)));
}

/// Writes a buffer of this size in one piece: to a temporary file, and with the standard library.
fn buffer(size: u64) {
    let buffer = vec![7; usize::try_from(size).expect("there is memory for it")];
    let mut ours = NamedTempFile::new().expect("make a file");
    let mut spooled = wasi_tempfile::SpooledTempFile::new(1 << 20);
    let mut of_std = fs::File::create(ours.path().with_extension("std")).expect("make a file");
    ours.write_all(&buffer).expect("write to a temporary file");
    spooled.write_all(&buffer).expect("write to a spooled file");
    of_std.write_all(&buffer).expect("write to a file of the standard library");
    let len = |file: &fs::File| file.metadata().expect("look at the file").len();
    say(&format!("{} {}", ours.as_file().metadata().expect("look at it").len(), len(&of_std)));
}

/// Sets the size of one file without writing to it.
fn grow(size: u64) {
    let file = wasi_tempfile::tempfile().expect("make a file");
    say(code(&file.set_len(size)));
    say(&file.metadata().expect("look at the file").len().to_string());
}

/// Creates this many named files and keeps them open.
fn hold(count: u64) {
    let mut held = Vec::new();
    let result = loop {
        if held.len() as u64 == count {
            break Ok(());
        }
        match NamedTempFile::new() {
            Ok(file) => held.push(file),
            Err(error) => break Err(error),
        }
    };
    say(&format!("{} {}", held.len(), code(&result)));
    held.truncate(held.len() / 2);
    say(&format!("afterwards {}", code(&NamedTempFile::new())));
}

/// Creates this many children of one directory and keeps none of them open.
fn children(count: u64) {
    let dir = wasi_tempfile::tempdir().expect("make a directory");
    let made = (0..count).find_map(|number| match dir.create_file(number.to_string()) {
        Ok(_) => None,
        Err(error) => Some((number, error)),
    });
    match made {
        None => say(&format!("{count} ok")),
        Some((number, error)) => say(&format!("{number} {}", code::<()>(&Err(error)))),
    }
    dir.close().expect("remove the directory");
    say(&format!("afterwards {}", code(&wasi_tempfile::tempdir())));
}

/// Creates spooled files of these sizes in turn, and prints where each of them is in the end.
fn spool(sizes: Vec<u64>) {
    let mut files = Vec::new();
    for size in sizes {
        let file =
            interface::spooled(Some(1 << 30), Location::Scratch).expect("make a spooled file");
        let written = file.write(&vec![size as u8; size as usize], 0).map_err(|error| error.code);
        files.push((file, size, written));
    }
    for (file, size, written) in &files {
        let place = match file.storage() {
            Ok(Storage::Memory) => "memory",
            Ok(Storage::Disk) => "disk",
            Err(_) => "nowhere",
        };
        let whole =
            file.read(u32::MAX, 0).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == *size as u8));
        say(&format!(
            "{size} in {place}, {} {}",
            written.is_ok(),
            if whole { "whole" } else { "torn" }
        ));
    }
}

/// Writes as many bytes as it can to named files and to a spooled one on disk, prints both counts,
/// and waits.
fn cram() {
    let moved = interface::spooled(Some(500), Location::Scratch).expect("make a spooled file");
    let (mut named, mut named_size, mut moved_size) = (Vec::new(), 0, 0);
    let mut piece = 1000;
    for turn in 0.. {
        let bytes = vec![7; piece];
        let written = if turn % 3 == 2 {
            let written = moved.write(&bytes, moved_size).map_err(|error| error.code);
            moved_size += written.unwrap_or(0);
            written.map(drop)
        } else {
            let mut file = NamedTempFile::new().expect("make a file");
            let written = file.write(&bytes);
            named_size += written.as_ref().map_or(0, |count| *count as u64);
            named.push(file);
            written.map(drop).map_err(|error| wasi_tempfile::error_code(&error).expect("a code"))
        };
        match written {
            Ok(()) => {}
            // What does not fit in one piece may fit in a smaller one.
            Err(ErrorCode::Quota) if piece > 0 => piece /= 2,
            Err(code) => panic!("{}", code.as_str()),
        }
        if piece == 0 {
            break;
        }
    }
    if !matches!(moved.storage(), Ok(Storage::Disk)) {
        moved_size = 0;
    }
    say(&format!("crammed {named_size} {moved_size}"));
    wait();
}

/// Creates a directory, prints its path, and removes it with its contents when standard input ends.
fn remove() {
    let directory = wasi_tempfile::tempdir().expect("make a directory");
    say(&directory.path().display().to_string());
    wait();
    match directory.remove_all() {
        Ok(()) => say("removed"),
        Err(failures) => say(&format!("{} stayed: {}", failures.len(), failures[0].path)),
    }
}

/// Prints the messages of a writer and of a reader at the last offsets that a file can have.
fn stream_errors() {
    let file = wasi_tempfile::tempfile().expect("make a file");
    let last = i64::MAX as u64;
    let mut writer = file.writer(last).expect("a writer");
    let written = writer.write_all(b"zz").and_then(|()| writer.flush());
    say(&format!("write: {}", written.expect_err("it is past the last offset")));
    let read = file.reader(last - 1).expect("a reader").read(&mut [0; 4]);
    say(&format!("read: {}", read.map_or_else(|error| error.to_string(), |n| n.to_string())));
}

/// Prints this many lines on standard output and on standard error, whatever becomes of them.
fn chatter(lines: u64) {
    for line in 0..lines {
        println!("line {line} of the output");
        eprintln!("line {line} of the errors");
    }
}

/// Waits until standard input ends.
fn wait() {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("read standard input");
}

/// Leaves a file and a directory, as the interface allows.
fn keep() {
    let mut file = NamedTempFile::new().expect("make a file");
    file.write_all(b"kept").expect("write to the file");
    let (_, path) = file.keep().expect("keep it");
    let _litter = litter();
    say(&path.display().to_string());
}

/// Prints one line and flushes it.
fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("write to standard output");
}

/// Exhausts the stack; the work after the call prevents a tail call.
fn descend(left: u64) -> u64 {
    let frame = std::hint::black_box([left; 64]);
    if left == 0 { 0 } else { descend(left - 1) + frame[(left % 64) as usize] }
}

/// Asks for more memory than there is, does without it, and continues.
fn sip() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(1 << 20).is_err() {
            break;
        }
        hoard.push(block);
    }
    drop(hoard);
    let _scratch = litter();
    say("got by");
}

/// Prints the names that the standard library lists in a directory, or `blind`.
fn list(path: &str) {
    let Ok(entries) = fs::read_dir(path) else { return say(&format!("{path}: blind")) };
    let names: Vec<String> = entries
        .map(|entry| entry.expect("read an entry").file_name().to_string_lossy().into_owned())
        .collect();
    say(&format!("{path}: [{}]", names.join(" ")));
}

fn read(path: &str) -> ExitCode {
    match fs::read_to_string(path) {
        Ok(text) => {
            say(text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("read {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &str) -> ExitCode {
    match fs::write(path, "written by the plugin") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("write {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Creates a file through the interface and looks for it with the standard library.
fn see() {
    let file = NamedTempFile::new().expect("make a file");
    let path = file.path().to_owned();
    say(&format!("interface: {}", path.display()));
    say(&format!(
        "standard library: {}",
        if fs::metadata(&path).is_ok() { "sees it" } else { "blind" }
    ));
}
