//! `wasi-tempfile demo`: an external merge sort in the sandbox, and a check of its result.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::{Capture, Ending, Outcome, Provider, RunOptions, ScratchRoot};

use super::run::{Scratch, conclude};
use super::terminal::{printable, printable_lines};
use super::watch::Watch;
use super::{PLUGIN_FAILED, Result, complain, files, sandbox, system, values};

mod lines;
mod sample;

use lines::{Checked, Fingerprint, Fingerprinting};

/// The plugin: an external merge sort from standard input to standard output.
const SORT: &[u8] = include_bytes!(env!("COMPONENT_SORT"));

/// The default memory limit of plugin and provider together.
const MEMORY: u64 = 16 << 20;

/// Sort a file in the sandbox, with temporary files
///
/// The plugin is an external merge sort. It gets the lines of FILE on standard input, and so little
/// memory that it has to write sorted parts to temporary files and to merge them. The result is
/// checked: the lines are in the order of `LC_ALL=C sort`, and are those of FILE. FILE and the
/// sorted lines are copied to the directory for temporary files, so this is not meant for large
/// files.
///
/// SIZE is a number of bytes, with or without a unit in powers of 1024: 4096, 512K, 64MiB, 1G.
#[derive(Args)]
pub(crate) struct Demo {
    /// The file to sort [default: a generated text]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write the sorted lines to this file, which may be FILE
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// The memory of plugin and provider together, half of it for lines [default: 16MiB, and for
    /// lines an eighth of FILE if that is less]
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    memory: Option<u64>,

    #[command(flatten)]
    scratch: Scratch,

    /// Make the plugin trap after it has written so many temporary files
    #[arg(long, value_name = "N", hide = true)]
    fail_after_runs: Option<u64>,
}

impl Demo {
    pub(super) fn run(self) -> Result {
        system::check_address_space()?;
        let root = self.scratch.open()?;
        let run = RunOptions::in_root(&root);
        // Also while the input is read, which may hang, and while the output is written.
        let watch = Watch::start(&run.control(), None)?;
        let input = Input::read(self.file.as_deref())?;
        let memory = self.memory.unwrap_or(MEMORY);
        let budget = budget(self.memory, input.bytes);
        files::print(&format!(
            "Sorting {}, {}, with a plugin in a sandbox.\n\
             It may use {} of memory, {} of it for lines. The others go to temporary files in\n\
             a private directory below {}.\n\n",
            printable(&input.name),
            mebibytes(input.bytes),
            mebibytes(memory),
            mebibytes(budget),
            printable(root.path().display()),
        ))?;

        let sandbox = sandbox(false).map_err(|error| error.to_string())?;
        let plugin = sandbox.load(SORT, Provider::Component).map_err(|error| error.to_string())?;
        let mut sorted = system::unnamed_file().map_err(cannot_copy)?;
        let stderr = Capture::new(64 << 10);
        let run = run
            .args(["sort", "--stats", &format!("--memory={budget}")])
            .args(self.fail_after_runs.map(|runs| format!("--fail-after-runs={runs}")))
            .stdin(input.file)
            .stdout(sorted.try_clone().map_err(cannot_copy)?)
            .stderr(&stderr)
            .memory(memory);
        let outcome = plugin.run(run).map_err(|error| error.to_string())?;
        if outcome.ending != Ending::Returned {
            // Best effort: nobody reads a closed standard error.
            let _ = io::stderr().write_all(printable_lines(&stderr.text()).as_bytes());
            let code = conclude(&outcome, watch.finish());
            files::print(&left(&outcome, &root)?)?;
            return Ok(code);
        }

        let output = self.output.as_deref();
        sorted.rewind().map_err(cannot_copy)?;
        let checked = match write(BufReader::new(sorted), output, &input.fingerprint, &watch) {
            Ok(checked) => checked,
            Err(_) if watch.is_stopped() => return Ok(conclude(&outcome, watch.finish())),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                complain(format_args!("the output is wrong: {cause}"));
                return Ok(ExitCode::from(PLUGIN_FAILED));
            }
            Err(cause) => {
                return Err(files::unwritten(output.unwrap_or(Path::new("the output")), &cause));
            }
        };
        files::print(&report(&outcome, &checked, &stderr.text(), output))?;
        files::print(&left(&outcome, &root)?)?;
        Ok(conclude(&outcome, watch.finish()))
    }
}

/// A copy of the lines to sort.
struct Input {
    name: String,
    file: File,
    bytes: u64,
    fingerprint: Fingerprint,
}

impl Input {
    fn read(path: Option<&Path>) -> Result<Self> {
        let (name, mut from): (_, Box<dyn Read>) = match path {
            None => {
                ("a generated text".to_owned(), Box::new(io::Cursor::new(sample::harbour_log())))
            }
            Some(path) => {
                let file = File::open(path)
                    .map_err(|cause| format!("read {}: {cause}", path.display()))?;
                (path.display().to_string(), Box::new(file))
            }
        };
        let mut file = system::unnamed_file().map_err(cannot_copy)?;
        let mut to = Fingerprinting::new(&file);
        let bytes =
            io::copy(&mut from, &mut to).map_err(|cause| format!("read {name}: {cause}"))?;
        let fingerprint = to.finish();
        file.rewind().map_err(cannot_copy)?;
        Ok(Self { name, file, bytes, fingerprint })
    }
}

fn cannot_copy(cause: io::Error) -> String {
    format!("use a temporary file: {cause}")
}

/// The memory that the plugin uses for lines: half of its memory, since the code of plugin and
/// provider needs some too. Without a given limit it is little enough for a few temporary files.
fn budget(memory: Option<u64>, bytes: u64) -> u64 {
    match memory {
        // The range that the plugin accepts.
        Some(memory) => (memory / 2).clamp(4 << 10, u32::MAX.into()),
        None => (bytes / 8).clamp(512 << 10, MEMORY / 2),
    }
}

/// Checks the sorted lines, and writes them to the output: completely or not at all, if that is a
/// regular file.
fn write(
    sorted: impl io::BufRead,
    output: Option<&Path>,
    expected: &Fingerprint,
    watch: &Watch,
) -> io::Result<Checked> {
    let Some(path) = output else {
        return lines::check(sorted, &mut io::sink(), expected);
    };
    let mut checked = None;
    files::replace(path, |file| {
        let mut to = BufWriter::new(UntilStopped { to: file, watch });
        checked = Some(lines::check(sorted, &mut to, expected)?);
        to.flush()
    })?;
    checked.ok_or_else(|| io::Error::other("nothing was written"))
}

/// A file to which nothing more can be written once a signal has come.
struct UntilStopped<'a> {
    to: &'a mut dyn Write,
    watch: &'a Watch,
}

impl Write for UntilStopped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.watch.is_stopped() {
            return Err(io::Error::other("stopped by a signal"));
        }
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn report(outcome: &Outcome, checked: &Checked, stats: &str, output: Option<&Path>) -> String {
    let mut text = format!(
        "sorted   {} lines in {:.2} s; they are in order, and those of the input\n\
         spilled  {}\n\
         memory   {} at most\n",
        checked.lines,
        outcome.used.time.as_secs_f64(),
        spilled(stats),
        mebibytes(outcome.used.memory),
    );
    match output {
        Some(path) => text += &format!("output   {}\n", printable(path.display())),
        None => {
            text += "output   discarded (`-o OUT` keeps it); the first lines:\n";
            text.extend(checked.first.iter().map(|line| format!("         {}\n", beginning(line))));
        }
    }
    text
}

/// The counters of the sort, from its line `sort: name=number name=number …`.
fn spilled(stats: &str) -> String {
    let number = |name: &str| {
        let mut pairs = stats.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
    };
    match number("files") {
        0 => "nothing: all lines fit into memory".to_owned(),
        files => {
            format!("{files} files, {}; merges: {}", mebibytes(number("spilled")), number("merges"))
        }
    }
}

/// What is left in the root, where other runs may have directories.
fn left(outcome: &Outcome, root: &ScratchRoot) -> Result<String> {
    let root = root.path();
    let others =
        fs::read_dir(root).map_err(|cause| format!("list {}: {cause}", root.display()))?.count();
    let plugin = match &outcome.left_behind[..] {
        [] => "nothing".to_owned(),
        names => {
            let names: Vec<_> = names.iter().map(|name| printable(name.display())).collect();
            format!("{} by the plugin, which the host removed", names.join(", "))
        }
    };
    let root = printable(root.display());
    Ok(match (outcome.not_removed.len(), others) {
        (0, 0) => format!("left     {plugin}; {root} is empty\n"),
        (0, _) => format!("left     {plugin}; what is in {root} belongs to other runs\n"),
        (failures, _) => format!("left     {plugin}; {failures} paths could not be removed\n"),
    })
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The beginning of a line, which may contain escape sequences.
fn beginning(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    printable(text.chars().take(70).collect::<String>())
}
