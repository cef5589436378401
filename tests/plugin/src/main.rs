//! A plugin with a subcommand for every way to end, for the host's tests.
//!
//! Each prints one line when it has got to the point that the test is about, so that a test waits for the line and never
//! for a time.

use std::fs;
use std::io::{Read, Write};
use std::process::ExitCode;

use wasi_tempfile::{NamedTempFile, TempDir};

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
        // Destructors do not run in any of the next five.
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

/// A file and a directory with something in it.
fn litter() -> (NamedTempFile, TempDir) {
    let mut file = NamedTempFile::new().expect("make a file");
    file.write_all(b"litter").expect("write to the file");
    let directory = wasi_tempfile::tempdir().expect("make a directory");
    let inside = NamedTempFile::new_in(directory.path()).expect("make a file in the directory");
    inside.keep().expect("keep it");
    (file, directory)
}

/// One line, at once.
fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("write to standard output");
}

/// Uses up the stack; what is done after the call keeps it from becoming a loop.
fn descend(left: u64) -> u64 {
    let frame = std::hint::black_box([left; 64]);
    if left == 0 { 0 } else { descend(left - 1) + frame[(left % 64) as usize] }
}

/// Asks for more than there is, gets by without, and goes on.
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

/// What the standard library sees of a directory: its names after its own, or `blind`.
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

/// Makes a file through the interface and looks for it through the standard library.
fn see() {
    let file = NamedTempFile::new().expect("make a file");
    let path = file.path().to_owned();
    say(&format!("interface: {}", path.display()));
    say(&format!("standard library: {}", if fs::metadata(&path).is_ok() { "sees it" } else { "blind" }));
}
