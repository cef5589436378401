//! Completions for shells, and manual pages.

mod support;

use std::fs;

use support::{World, command, output};

const SUBCOMMANDS: [&str; 9] =
    ["demo", "run", "conformance", "compose", "sweep", "component", "wit", "completions", "manual"];

#[test]
fn completions_name_every_subcommand_and_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = output(command().args(["completions", shell]));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{shell}");
        for word in SUBCOMMANDS.iter().chain(&["mount", "spool-memory"]) {
            assert!(ended.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn bash_completes_a_subcommand() {
    let script = output(command().args(["completions", "bash"])).stdout;
    let complete = "COMP_WORDS=(wasi-tempfile swe); COMP_CWORD=1;
        _wasi__tempfile wasi-tempfile swe wasi-tempfile; printf '%s\n' \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash");
    let Ok(ended) = bash.arg("-c").arg(format!("{script}\n{complete}")).output() else {
        return eprintln!("not looked at: there is no bash");
    };
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "sweep\n");
}

#[test]
fn there_is_a_manual_page_for_each_subcommand() {
    let world = World::new();
    let folder = world.path("man/man1");
    let ended = output(command().arg("manual").arg("-o").arg(&folder));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect("read the page");
    assert!(page("wasi-tempfile.1").contains(".TH wasi-tempfile 1"));
    for subcommand in SUBCOMMANDS {
        assert!(page("wasi-tempfile.1").contains(subcommand), "{subcommand}");
        let page = page(&format!("wasi-tempfile-{subcommand}.1"));
        assert!(page.contains(&format!(".TH wasi-tempfile-{subcommand} 1")), "{subcommand}");
    }
    assert!(page("wasi-tempfile-run.1").contains("spool"), "an option");
    let count = fs::read_dir(&folder).expect("list the folder").count();
    assert_eq!(count, SUBCOMMANDS.len() + 1, "and nothing else");
}
