//! `wasi-tempfile wit`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::components;

use super::{MISUSED, Result, complain, files};

/// The world that a new folder begins with. `run` is written out, since a folder that has the whole
/// of wasi:cli in `deps` would not go together with one that the user adds.
const WORLD: &str = "\
package example:plugin;

/// A plugin that `wasi-tempfile run` starts.
world plugin {
    import scratch:tempfile/tempfile@0.1.0;
    export wasi:cli/run@0.2.0;
}

package wasi:cli@0.2.0 {
    interface run {
        run: func() -> result;
    }
}
";

/// Print the WIT package `scratch:tempfile`, or write a folder for tools that make bindings
#[derive(Args)]
pub(crate) struct Wit {
    /// Write this folder: the packages in DIR/deps, and DIR/world.wit if DIR has no WIT file yet
    ///
    /// It is what componentize-py, jco and wit-bindgen take as it is. A file in DIR/deps that has
    /// another text is an error, and then nothing is written.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Replace files in DIR/deps that have another text, such as those of an older version
    #[arg(long, requires = "output")]
    force: bool,
}

impl Wit {
    pub(super) fn run(self) -> Result {
        match self.output {
            Some(directory) => {
                if let Some(refusal) = no_folder(&directory) {
                    complain(refusal);
                    return Ok(ExitCode::from(MISUSED));
                }
                write_folder(&directory, self.force)?;
            }
            None => files::print(&package())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Why a path cannot be the folder, if it is or would be a file.
fn no_folder(path: &Path) -> Option<String> {
    let is_file = path.exists() && !path.is_dir();
    let extension = path.extension().and_then(|extension| extension.to_str());
    let like_file = !path.exists() && matches!(extension, Some("wit" | "wasm" | "txt"));
    (is_file || like_file).then(|| {
        let path = path.display();
        format!("`-o {path}` has to name a folder; for a file, write `wasi-tempfile wit > {path}`")
    })
}

/// Returns `scratch:tempfile` as one text, with its `package` line only once.
fn package() -> String {
    let mut text = String::new();
    for (path, file) in components::WIT {
        if !path.starts_with("deps/scratch-tempfile/") {
            continue;
        }
        let body = match file.split_once(";\n") {
            Some((_, body)) if !text.is_empty() => body,
            _ => file,
        };
        text.push_str(body);
    }
    text
}

/// Writes the packages below `directory`, and a world unless the folder has one.
///
/// A folder has one package of its own beside `deps`, so any WIT file in it is left alone and gets
/// no other beside it.
fn write_folder(directory: &Path, force: bool) -> Result<()> {
    let mut missing = Vec::new();
    for (path, text) in components::WIT {
        let path = directory.join(path);
        match fs::read(&path) {
            Ok(present) if present == text.as_bytes() => {}
            Ok(_) if !force => {
                return Err(format!(
                    "{} exists with another text; --force replaces it",
                    path.display()
                ));
            }
            Ok(_) => missing.push((path, *text)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => missing.push((path, *text)),
            Err(cause) => return Err(format!("read {}: {cause}", path.display())),
        }
    }
    if !has_wit(directory)? {
        missing.push((directory.join("world.wit"), WORLD));
    }
    for (path, text) in missing {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .map_err(|cause| format!("create {}: {cause}", parent.display()))?;
        }
        files::write(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Returns whether a WIT file lies directly in the directory.
fn has_wit(directory: &Path) -> Result<bool> {
    let reading = |cause: io::Error| format!("read {}: {cause}", directory.display());
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(reading(cause)),
    };
    for entry in entries {
        let path = entry.map_err(reading)?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            return Ok(true);
        }
    }
    Ok(false)
}
