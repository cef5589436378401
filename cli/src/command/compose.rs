//! `wasi-tempfile compose`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::{PluginPreopens, components, compose};

use super::{Result, files};

/// Put the provider inside a plugin, so that it runs in any WASI 0.2 host
///
/// Grant the result a directory: the one that TMPDIR names, /tmp, or else the first that can be
/// written to has the temporary files. The plugin itself sees no directory. That host has to empty
/// the directory after a trap, and can set limits: see `component --help`.
#[derive(Args)]
pub(crate) struct Compose {
    /// The plugin, a component that imports scratch:tempfile
    #[arg(value_name = "PLUGIN.wasm")]
    plugin: PathBuf,

    /// The file to write
    #[arg(short, long, value_name = "OUT.wasm")]
    output: PathBuf,

    /// Use this provider component instead of the built-in one
    #[arg(long, value_name = "FILE.wasm")]
    provider: Option<PathBuf>,
}

impl Compose {
    pub(super) fn run(self) -> Result {
        let plugin = files::read(&self.plugin)?;
        let provider = self.provider.as_deref().map(files::read).transpose()?;
        let provider = provider.as_deref().unwrap_or(components::PROVIDER);
        let whole = compose(&plugin, provider, PluginPreopens::Empty)
            .map_err(|error| format!("compose {}: {error}", self.plugin.display()))?;
        files::write(&self.output, &whole)?;
        Ok(ExitCode::SUCCESS)
    }
}
