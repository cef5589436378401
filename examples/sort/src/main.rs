//! The command: see `sort --help`.

mod args;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use args::Args;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sort: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let args = Args::parse(std::env::args_os())?;
    if args.help {
        return Ok(io::stdout().write_all(args::HELP.as_bytes())?);
    }
    let input: Box<dyn Read> = match &args.input {
        Some(path) => {
            Box::new(File::open(path).map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => Box::new(io::stdin().lock()),
    };
    let output = || -> io::Result<Box<dyn Write>> {
        Ok(match &args.output {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(io::stdout().lock()),
        })
    };
    let stats = sort::sort(input, output, &args.options)?;
    if args.stats {
        eprintln!(
            "sort: lines={} bytes={} files={} spilled={} merges={} memory={}",
            stats.lines, stats.bytes, stats.files, stats.spilled, stats.merges, args.options.memory
        );
    }
    Ok(())
}
