use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;
use sort::Options;

pub(crate) const HELP: &str = "\
Sorts lines as bytes, spilling to temporary files what does not fit into memory.

Usage: sort [options] [FILE]

FILE is standard input unless told, or if it is `-`.

  -o, --output FILE     write there instead of to standard output
      --memory SIZE     use this much memory for lines and buffers: 4K to 4G [8M]
      --stats           say on standard error what was spilled
      --fail-after-runs N
                        panic once N runs were spilled: a rehearsal of failure
  -h, --help            print this
";

/// The command line, understood.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) input: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) stats: bool,
    pub(crate) help: bool,
    pub(crate) options: Options,
}

impl Args {
    /// The first argument is the name of the command.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_iter(args);
        let mut parsed = Self::default();
        let mut file = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Short('o') | Long("output") => parsed.output = Some(parser.value()?.into()),
                Long("memory") => parsed.options.memory = parser.value()?.parse_with(size)?,
                Long("stats") => parsed.stats = true,
                Long("fail-after-runs") => parsed.options.fail_after_runs = Some(parser.value()?.parse()?),
                Short('h') | Long("help") => parsed.help = true,
                Value(path) if file.is_none() => file = Some(path),
                other => return Err(other.unexpected()),
            }
        }
        parsed.input = file.filter(|path| path != "-").map(PathBuf::from);
        Ok(parsed)
    }
}

/// Bytes, or with a suffix K, M or G a number of times 1024, 1024² or 1024³.
fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        // 4G itself is one byte more than the index can hold.
        .map(|bytes| if bytes == 1 << 32 { bytes - 1 } else { bytes })
        .and_then(|bytes| usize::try_from(bytes).ok())
        .filter(|bytes| (Options::MIN_MEMORY..=Options::MAX_MEMORY).contains(bytes))
        .ok_or_else(|| String::from("not a size from 4K to 4G"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, lexopt::Error> {
        Args::parse(std::iter::once("sort").chain(args.iter().copied()).map(OsString::from))
    }

    #[test]
    fn sizes() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64k"), Ok(64 << 10));
        assert_eq!(size("8M"), Ok(8 << 20));
        assert_eq!(size("4G"), Ok(u32::MAX as usize));
        for bad in ["", "M", "4095", "-1M", "1.5M", "8MB", "5G", "99999999999999999999G", "ä"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_and_flags() {
        let args = parse(&["--memory=1M", "in", "-oout", "--stats"]).expect("it is right");
        assert_eq!(args.options.memory, 1 << 20);
        assert_eq!((args.input, args.output), (Some("in".into()), Some("out".into())));
        assert!(args.stats && !args.help);
        assert!(parse(&["-"]).expect("it is right").input.is_none());
        for bad in [&["a", "b"][..], &["-", "b"], &["--memory"], &["--memory", "x"], &["--nonsense"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
