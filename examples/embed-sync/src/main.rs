//! Runs a plugin from a file with scratch space and limits, and reports the outcome: the host
//! library in a program that has a thread to spare.
//!
//! ```sh
//! embed-sync /var/tmp/my-application plugin.wasm arguments < input
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{
    Ending, Input, Outcome, Output, Provider, RunOptions, Sandbox, ScratchRoot,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(root), Some(plugin)) = (args.next(), args.next()) else {
        eprintln!("usage: embed-sync ROOT PLUGIN.wasm [ARGUMENT]...");
        return Ok(ExitCode::from(2));
    };

    // Once in the life of an application. Opening the root removes what a killed
    // process left.
    let sandbox = Sandbox::new()?;
    let root = ScratchRoot::open(root)?;

    // Once for each plugin: this compiles it.
    let program = sandbox.load(&fs::read(&plugin)?, Provider::Host)?;

    // The plugin sees its own name, and not the path on the host.
    let name = Path::new(&plugin).file_name().unwrap_or_default().to_string_lossy();
    // As often as you like, and on as many threads.
    let outcome = program.run(
        RunOptions::in_root(&root)
            .args([name])
            .args(args)
            .stdin(Input::Inherit)
            .stdout(Output::Inherit)
            .stderr(Output::Inherit)
            .memory(64 << 20)
            .timeout(Duration::from_secs(60))
            .limits(Limits {
                bytes: Some(256 << 20),
                entries: Some(1_000),
                handles: Some(1_000),
                memory: Some(16 << 20),
                ..Limits::default()
            }),
    )?;
    report(&outcome);
    Ok(if outcome.ending == Ending::Returned { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(outcome: &Outcome) {
    let used = &outcome.used;
    eprintln!("{}", outcome.ending);
    eprintln!("{} bytes of memory, {:?}", used.memory, used.time);
    if let Some(usage) = &used.tempfile {
        let peak = &usage.peak;
        eprintln!("at most {} bytes in {} files and directories", peak.bytes, peak.entries);
    }
    if used.refused > 0 {
        eprintln!("refused {} times to take more than its limits", used.refused);
    }
    for stayed in &outcome.not_removed {
        eprintln!("not removed: {}", stayed.error);
    }
}
