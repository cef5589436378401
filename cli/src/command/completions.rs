//! `wasi-tempfile completions` and `wasi-tempfile manual`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, NAME, Result, files};

/// Print a script that completes this command in a shell
///
/// For bash, write it to the file `wasi-tempfile` in ~/.local/share/bash-completion/completions.
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), NAME, &mut script);
        files::print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write the manual pages of this command, one for each subcommand
#[derive(Args)]
pub(crate) struct Manual {
    /// The folder for the pages, such as ~/.local/share/man/man1
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Manual {
    pub(super) fn run(self) -> Result {
        let directory = &self.output;
        std::fs::create_dir_all(directory)
            .map_err(|cause| format!("create {}: {cause}", directory.display()))?;
        let mut command = CommandLine::command().disable_help_subcommand(true);
        command.build();
        page(directory.join(format!("{NAME}.1")), command.clone())?;
        for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("{NAME}-{}", subcommand.get_name());
            page(directory.join(format!("{name}.1")), subcommand.clone().display_name(name))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page(path: PathBuf, command: clap::Command) -> Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|cause| format!("write {}: {cause}", path.display()))?;
    files::write(&path, &text)
}
