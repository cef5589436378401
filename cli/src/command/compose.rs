//! `wasi-tempfile compose`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wasi_tempfile_host::{PluginPreopens, components, compose};

use super::{Result, complain, files};

/// Put the provider inside a plugin, so that it runs in any WASI 0.2 host
///
/// Temporary files are made in the first of these that is granted and writable: the directory that
/// TMPDIR, TEMP or TMP names, /tmp, /var/tmp, /usr/tmp, and the host's other directories in their
/// order. The host can limit what the plugin has in use at one time: see `component --help`.
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

    /// Which directories the plugin can open by itself, past scratch:tempfile
    #[arg(long, value_enum, default_value = "all")]
    preopens: Preopens,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preopens {
    /// Every directory that the host grants, and so its temporary files by their paths
    All,
    /// Every directory that the host grants, except the first one named `/tmp`. So the plugin
    /// cannot open temporary files in that one by their paths, but can open those in other
    /// directories. `run` grants `/tmp` a second time unless the plugin's files are limited
    Granted,
    /// No directory: the plugin has the files of scratch:tempfile only
    None,
}

impl Compose {
    pub(super) fn run(self) -> Result {
        let plugin = files::read(&self.plugin)?;
        let provider = self.provider.as_deref().map(files::read).transpose()?;
        let provider = provider.as_deref().unwrap_or(components::PROVIDER);
        let preopens = match self.preopens {
            Preopens::All => PluginPreopens::All,
            Preopens::Granted => PluginPreopens::Granted,
            Preopens::None => PluginPreopens::None,
        };
        let whole = compose(&plugin, provider, preopens)
            .map_err(|error| format!("compose {}: {error}", self.plugin.display()))?;
        files::write(&self.output, &whole)?;
        // A component holds its parts as they are.
        if !whole.windows(provider.len()).any(|part| part == provider) {
            complain("the plugin imports nothing of scratch:tempfile, so it got no provider");
        }
        Ok(ExitCode::SUCCESS)
    }
}
