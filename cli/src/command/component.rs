//! `wasi-tempfile component`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::components;

use super::{Result, files};

/// Write the provider component to a file
#[derive(Args)]
pub(crate) struct Component {
    /// The file to write
    #[arg(short, long, value_name = "FILE.wasm")]
    output: PathBuf,

    /// The larger one that keeps to the limits in its environment: SCRATCH_LIMITS=bytes=1048576,entries=100,handles=50,memory=65536,file-size=65536,
    /// any of them
    #[arg(long)]
    limited: bool,
}

impl Component {
    pub(super) fn run(self) -> Result {
        let provider = if self.limited { components::LIMITED_PROVIDER } else { components::PROVIDER };
        files::write(&self.output, provider)?;
        Ok(ExitCode::SUCCESS)
    }
}
