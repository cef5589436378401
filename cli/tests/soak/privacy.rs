//! What a stranger on the same machine can do to the files of plugins.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use getrandom::SysRng;
use rustix::fs::{Gid, Mode, Uid};
use tempfile_core::{Options, Process, directory, named};
use wasi_tempfile_host::{RunOptions, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::part::{self, Part, Player};
use crate::plugins::{Provider, Running, sandboxed};
use crate::support::World;

figure!(files_are_private_under_every_umask, files_made_with_the_modes_of_the_standard_library,);

pub(crate) const PARTS: &[Part] = &[("stranger", stranger)];

/// The user that systems keep for nobody.
const STRANGER: u32 = 65534;

fn files_are_private_under_every_umask(scale: Scale) -> Tally {
    let umasks = match scale {
        Scale::Short => vec![0o000, 0o022, 0o077],
        // What takes a right from its owner keeps the owner out too, which is not for us to mend.
        Scale::Full => (0..0o100).collect(),
    };
    let mut tally = Tally::default();
    let plugins = Provider::BOTH.map(|provider| (provider, sandboxed(provider)));
    for umask in umasks {
        rustix::process::umask(Mode::from_raw_mode(umask));
        let world = World::in_memory();
        let root = ScratchRoot::open(world.path("new")).expect("make a root");
        expect_mode(root.path(), 0o700, &mut tally);
        for (provider, plugin) in &plugins {
            let mut running =
                Running::start(plugin, RunOptions::in_root(&root).args(["plugin", "wait"]));
            assert_eq!(running.line(), "waiting");
            // With its mark, the sticky bit.
            expect_mode(&running.scratch(), 0o1700, &mut tally);
            // In WASI no mode can be asked for: there it is the directory above that keeps
            // strangers out.
            let (file, dir) = match provider {
                Provider::Component => (0o666 & !umask, 0o777 & !umask),
                Provider::Host => (0o600, 0o700),
            };
            look(&running.scratch(), file, dir, &mut tally);
            running.end();
        }
        let location = native::open(root.path());
        let (_file, _path) =
            named(&Process, &mut SysRng, &Options::default(), &location).expect("make a file");
        let dir = directory(&Process, &mut SysRng, &Options::default(), &location)
            .expect("make a directory");
        dir.create_file("file").expect("make a child");
        dir.create_directory("directory").expect("make a child");
        look(root.path(), 0o600, 0o700, &mut tally);
        tally.count("umasks", 1);
    }
    tally
}

fn files_made_with_the_modes_of_the_standard_library() -> Tally {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let world = World::in_memory();
    let open = world.directory("open");
    fs::write(open.join("file"), "readable").expect("write a file");
    let mut tally = Tally::default();
    look(&open, 0o644, 0o755, &mut tally);
    tally
}

fn expect_mode(path: &Path, expected: u32, tally: &mut Tally) {
    let mode = fs::symlink_metadata(path).expect("look at it").permissions().mode() & 0o7777;
    tally
        .expect(mode == expected, || format!("{}: {mode:03o}, not {expected:03o}", path.display()));
    tally.count("modes", 1);
}

/// Looks at the modes of everything in a directory, and sends a stranger there.
fn look(directory: &Path, file: u32, dir: u32, tally: &mut Tally) {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                fs::read_dir(&path)
                    .expect("list it")
                    .map(|entry| entry.expect("read an entry").path()),
            );
        }
        if path != directory {
            expect_mode(&path, if path.is_dir() { dir } else { file }, tally);
        }
        found.push(path);
    }
    if !rustix::process::geteuid().is_root() {
        return tally.not_looked_at("only the superuser can become a stranger");
    }
    let mut stranger = Player::start(&mut part::command("stranger", &[])).until("ready");
    for path in &found {
        stranger.tell(path.to_str().expect("the test's path is text"));
    }
    let (said, succeeded) = stranger.end();
    tally.expect(succeeded, || "the stranger failed".into());
    said.lines().for_each(|line| tally.violated(line));
    tally.count("paths tried by a stranger", found.len() as u64);
}

/// Becomes a stranger, and tries all that can be done to each path; says what could.
fn stranger(_: &[String]) -> ExitCode {
    let (user, group) = (Uid::from_raw(STRANGER), Gid::from_raw(STRANGER));
    rustix::thread::set_thread_groups(&[]).expect("leave all groups");
    rustix::thread::set_thread_res_gid(group, group, group).expect("change the group");
    rustix::thread::set_thread_res_uid(user, user, user).expect("change the user");
    println!("ready");
    for path in std::io::stdin().lines() {
        let path = PathBuf::from(path.expect("read a line"));
        type Attempt = fn(&Path) -> std::io::Result<()>;
        let attempts: [(&str, Attempt); 7] = [
            ("read", |path| fs::read(path).map(drop)),
            ("written", |path| fs::OpenOptions::new().write(true).open(path).map(drop)),
            ("listed", |path| fs::read_dir(path).map(drop)),
            ("entered", |path| {
                fs::symlink_metadata(path.join("."))?.is_dir().then_some(()).ok_or_else(no)
            }),
            ("created in", |path| fs::write(path.join("planted"), "")),
            ("opened up", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o777))),
            ("removed", |path| fs::remove_file(path).or_else(|_| fs::remove_dir(path))),
        ];
        for (what, attempt) in attempts {
            if attempt(&path).is_ok() {
                println!("{} was {what}", path.display());
            }
        }
    }
    std::io::stdout().flush().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn no() -> std::io::Error {
    std::io::ErrorKind::NotADirectory.into()
}
