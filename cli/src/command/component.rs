//! `wasi-tempfile component`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::components;

use super::{Result, files};

/// Write the provider component to a file
///
/// It enforces the limits that a host sets in its environment, any of these:
/// SCRATCH_LIMITS=bytes=1048576,entries=100,handles=50,memory=65536,file-size=65536
#[derive(Args)]
pub(crate) struct Component {
    /// The file to write
    #[arg(short, long, value_name = "FILE.wasm")]
    output: PathBuf,
}

impl Component {
    pub(super) fn run(self) -> Result {
        files::write(&self.output, components::PROVIDER)?;
        Ok(ExitCode::SUCCESS)
    }
}
