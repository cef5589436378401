//! Unpacks a tar archive from standard input into a temporary directory, makes the letters of its
//! files upper-case there, and writes the archive of the result to standard output.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use wasi_tempfile::interface::EntryKind;
use wasi_tempfile::{TempDir, error_code};

const BLOCK: usize = 512;

/// A header of the archive and what it says.
struct Entry {
    header: [u8; BLOCK],
    name: String,
    size: u64,
    is_directory: bool,
}

/// Why an archive is refused. The text is what every language prints.
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure("the archive is cut short".into()),
            _ => Failure(error.to_string()),
        }
    }
}

fn damaged() -> Failure {
    Failure("the archive is damaged".into())
}

/// An error about an entry: its name and the interface's code.
fn about(name: &str) -> impl Fn(io::Error) -> Failure {
    move |error| match error_code(&error) {
        Some(code) => Failure(format!("{name}: {code}")),
        None => error.into(),
    }
}

fn main() -> ExitCode {
    match unpack(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("unpack: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn unpack(input: &mut impl Read, output: &mut impl Write) -> Result<(), Failure> {
    let dir = TempDir::new()?;
    let mut entries = Vec::new();
    while let Some(entry) = next_entry(input)? {
        create(&dir, &entry, input).map_err(about(&entry.name))?;
        entries.push(entry);
    }
    for entry in entries.iter().filter(|entry| !entry.is_directory) {
        upper_case(&dir, entry)?;
    }
    for entry in &entries {
        write_entry(&dir, entry, output)?;
    }
    output.write_all(&[0; 2 * BLOCK])?;
    output.flush()?;
    dir.close()?;
    Ok(())
}

/// Reads the next header; a block of zeros is the end of the archive.
fn next_entry(input: &mut impl Read) -> Result<Option<Entry>, Failure> {
    let mut header = [0; BLOCK];
    input.read_exact(&mut header)?;
    if header == [0; BLOCK] {
        return Ok(None);
    }
    // The checksum counts its own field as spaces.
    let bytes = header.iter().enumerate();
    let sum: u64 = bytes.map(|(i, &b)| if (148..156).contains(&i) { 32 } else { b.into() }).sum();
    if octal(&header[148..156]) != Some(sum) {
        return Err(damaged());
    }
    let size = octal(&header[124..136]).ok_or_else(damaged)?;
    let (prefix, name) = (text(&header[345..500])?, text(&header[0..100])?);
    let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
    let name = path.strip_suffix('/').unwrap_or(&path).to_owned();
    let is_directory = match header[156] {
        b'0' | 0 => false,
        b'5' => true,
        _ => return Err(Failure(format!("{name}: unsupported"))),
    };
    Ok(Some(Entry { header, name, size, is_directory }))
}

fn text(field: &[u8]) -> Result<String, Failure> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8(field[..end].to_vec()).map_err(|_| damaged())
}

fn octal(field: &[u8]) -> Option<u64> {
    let mut digits = field.iter().filter(|byte| !matches!(byte, 0 | b' '));
    digits.try_fold(0, |number, digit| match digit {
        b'0'..=b'7' => Some(number * 8 + u64::from(digit - b'0')),
        _ => None,
    })
}

/// Creates a file or directory with its parents. A name that leads out of the directory is refused
/// by the directory.
fn create(dir: &TempDir, entry: &Entry, input: &mut impl Read) -> io::Result<()> {
    for (end, _) in entry.name.match_indices('/') {
        create_directory(dir, &entry.name[..end])?;
    }
    if entry.is_directory {
        return create_directory(dir, &entry.name);
    }
    let mut file = dir.create_file(&entry.name)?;
    let copied = io::copy(&mut input.take(entry.size), &mut file)?;
    let padding = entry.size.next_multiple_of(BLOCK as u64) - entry.size;
    let skipped = io::copy(&mut input.take(padding), &mut io::sink())?;
    match (copied, skipped) == (entry.size, padding) {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn create_directory(dir: &TempDir, path: &str) -> io::Result<()> {
    match dir.create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if dir.metadata(path)?.kind == EntryKind::Directory { Ok(()) } else { Err(error) }
        }
        created => created,
    }
}

fn upper_case(dir: &TempDir, entry: &Entry) -> io::Result<()> {
    let mut file = dir.open_file(&entry.name)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        chunk[..count].make_ascii_uppercase();
        file.seek(SeekFrom::Current(-(count as i64)))?;
        file.write_all(&chunk[..count])?;
    }
}

fn write_entry(dir: &TempDir, entry: &Entry, output: &mut impl Write) -> io::Result<()> {
    output.write_all(&entry.header)?;
    if !entry.is_directory {
        io::copy(&mut dir.open_file(&entry.name)?, output)?;
        let padding = entry.size.next_multiple_of(BLOCK as u64) - entry.size;
        output.write_all(&[0; BLOCK][..padding as usize])?;
    }
    Ok(())
}
