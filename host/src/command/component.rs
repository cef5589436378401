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
}

impl Component {
    pub(super) fn run(self) -> Result {
        files::write(&self.output, components::PROVIDER)?;
        Ok(ExitCode::SUCCESS)
    }
}
