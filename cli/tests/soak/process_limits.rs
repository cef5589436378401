//! The command under tight limits on its process.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::figure::{Scale, Tally, figure};
use crate::support::{PLUGIN, World, command};

figure!(
    tight_limits_end_in_one_line,
    a_program_that_a_limit_kills,
    a_program_that_goes_on_for_ever,
);

/// The user that systems keep for nobody: the superuser has no limit on processes.
const NOBODY: u32 = 65534;

/// Everything the command does for one plugin takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

fn tight_limits_end_in_one_line(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    if Command::new("prlimit").arg("--version").output().is_err() {
        tally.not_looked_at("there is no prlimit");
        return tally;
    }
    let step = scale.pick(8, 1);
    // What a program needs to begin at all is not the command's.
    let descriptors = (5..60).step_by(step).map(|count| format!("--nofile={count}"));
    let processes = (0..32).step_by(step).map(|count| format!("--nproc={count}"));
    let addresses = (26..34).flat_map(|shift| [2_u64 << shift, 3 << shift]);
    let addresses = addresses.step_by(step).map(|bytes| format!("--as={bytes}"));
    let sizes = [0, 1, 4096, 100_000].map(|bytes| format!("--fsize={bytes}"));
    let limits = descriptors.chain(processes).chain(addresses).chain(sizes);
    for limit in limits {
        let world = World::in_memory();
        for subcommand in ["run", "component", "compose", "sweep"] {
            under(&limit, subcommand, &world, &mut tally);
        }
        // What ended between two steps may have left a directory. The next run takes it.
        let next = plugin(&world, &["run"]).output().expect("start the command");
        tally.expect(next.status.success(), || format!("{limit}: {next:?}"));
        let left = world.scratch();
        tally.expect(left.is_empty(), || format!("{limit}: {left:?}"));
    }
    tally
}

fn a_program_that_a_limit_kills() -> Tally {
    let mut tally = Tally::default();
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -XFSZ $$"]);
    look("a signal", &mut shell, &mut tally);
    tally
}

fn a_program_that_goes_on_for_ever() -> Tally {
    let mut tally = Tally::default();
    let mut sleep = Command::new("sleep");
    let ended = ended(sleep.arg("600"), Duration::from_millis(100));
    tally.expect(ended.is_some(), || "it hangs".to_owned());
    tally
}

/// Runs a subcommand under a limit.
fn under(limit: &str, subcommand: &str, world: &World, tally: &mut Tally) {
    let whole = || world.path("whole.wasm");
    let inner = match subcommand {
        "run" => plugin(world, &["run", "--no-cache"]),
        "component" => plugin(world, &["run", "--provider", "component"]),
        "compose" => {
            let mut compose = command();
            compose.args(["compose", PLUGIN, "-o"]).arg(whole());
            compose
        }
        _ => {
            let mut sweep = command();
            sweep.arg("sweep").arg(world.root());
            sweep
        }
    };
    let mut limited = Command::new("prlimit");
    limited.arg(limit).arg(inner.get_program()).args(inner.get_args()).env_remove("RUST_BACKTRACE");
    let cache = inner.get_envs().find(|(name, _)| *name == "XDG_CACHE_HOME");
    if let Some((name, Some(path))) = cache {
        limited.env(name, path);
    }
    if !limit.starts_with("--nproc") || !rustix::process::geteuid().is_root() {
        return look(&format!("{limit} {subcommand}"), &mut limited, tally);
    }
    limited.uid(NOBODY).gid(NOBODY).env("XDG_CACHE_HOME", world.path("nobody"));
    give(world, NOBODY);
    look(&format!("{limit} {subcommand}"), &mut limited, tally);
    give(world, 0);
}

/// Gives a directory and everything in it to a user.
fn give(world: &World, owner: u32) {
    let mut chown = Command::new("chown");
    chown.arg("-R").arg(format!("{owner}:{owner}")).arg(world.path("."));
    assert!(chown.status().expect("run chown").success());
}

/// A plugin that makes files, and removes them.
fn plugin(world: &World, options: &[&str]) -> Command {
    let mut run = command();
    run.args(options).arg("--root").arg(world.root()).args([PLUGIN, "ok"]);
    run
}

/// Looks at how a command ends: well, or with exit code 3 and one line.
fn look(what: &str, command: &mut Command, tally: &mut Tally) {
    let Some((status, stderr)) = ended(command, PATIENCE) else {
        return tally.violated(format!("{what}: it hangs"));
    };
    tally.count("commands", 1);
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("note: ")).collect();
    let panicked = stderr.contains("panicked at cli") || stderr.contains("panicked at host");
    let well = match (status.code(), &lines[..]) {
        (Some(0), []) => true,
        // Its own line, or that of the standard library before it aborts.
        (Some(3), [line]) => {
            tally.count("refusals", 1);
            line.starts_with("wasi-tempfile: ") || line.starts_with("memory allocation of ")
        }
        // `prlimit` or the loader could not start it, in this user's place.
        (Some(126 | 127), _) => {
            return tally.not_looked_at(format!("{what}: {stderr}"));
        }
        _ => false,
    };
    tally.expect(well && !panicked, || {
        let signal = status.signal();
        format!("{what}: {status}, signal {signal:?}: {stderr}")
    });
}

/// Waits for the end of a command, unless it hangs, and is then killed.
fn ended(command: &mut Command, patience: Duration) -> Option<(ExitStatus, String)> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child: Child = command.spawn().expect("start the command");
    let pid = Pid::from_child(&child);
    let (send, receive) = mpsc::channel();
    let waiter = thread::spawn(move || send.send(child.wait_with_output()));
    let output = receive.recv_timeout(patience).ok();
    if output.is_none() {
        kill_process(pid, Signal::KILL).expect("kill it");
    }
    // Its only answer is whether somebody still listens.
    let _ = waiter.join();
    let output = output?.expect("wait for the command");
    Some((output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
}
