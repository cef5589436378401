//! `wasi-tempfile wit`

use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::components;

use super::{Result, files};

/// Print the WIT package `scratch:tempfile`
#[derive(Args)]
pub(crate) struct Wit {}

impl Wit {
    pub(super) fn run(self) -> Result {
        files::print(components::WIT)?;
        Ok(ExitCode::SUCCESS)
    }
}
