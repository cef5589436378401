//! `sweep --composed`: what composed plugins left goes once it is old enough, and nothing else.
#![cfg(unix)]

mod support;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::SystemTime;

use support::{Ended, Mount, World, command, output};

/// A name that a provider could have made.
const NAME: &str = "tmpaaaabbbbccccdddd";

fn sweep(directory: &Path, options: &[&str]) -> Ended {
    output(command().args(["sweep", "--composed"]).args(options).arg(directory))
}

/// Removes whatever has the name of a temporary file, whatever its age.
fn sweep_now(directory: &Path) -> Ended {
    sweep(directory, &["--older-than", "0"])
}

fn lines(word: &str, paths: impl IntoIterator<Item = PathBuf>) -> HashSet<String> {
    paths.into_iter().map(|path| format!("{word:8} {}", path.display())).collect()
}

fn said(ended: &Ended) -> HashSet<String> {
    ended.stdout.lines().map(str::to_owned).collect()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("list the directory");
    entries.map(|entry| entry.expect("read an entry").path()).collect()
}

/// A directory with what a plugin left that has its own provider and trapped: a file, and a
/// directory with a file in it.
fn trapped(world: &World) -> PathBuf {
    let mount = world.directory("mount");
    let granted = format!("{}::/data", mount.display());
    let options = ["--provider", "component", "--mount", &*granted, "--env", "TMPDIR=/data"];
    assert_eq!(output(&mut world.run(&options, &["trap"])).code, Some(1));
    assert_eq!(entries(&mount).len(), 2);
    mount
}

#[test]
fn what_a_trap_left_goes_and_nothing_else() {
    let world = World::new();
    let mount = trapped(&world);
    let left = entries(&mount);
    let foreign = [
        "report.csv",
        "tmp",
        "tmpaaaabbbbccccddd",
        "tmpaaaabbbbccccdddde",
        "tmpaaaabbbbccccddd1",
        "TMPAAAABBBBCCCCDDDD",
        "aaaabbbbccccdddd",
        "run-aaaabbbbccccdddd",
    ];
    let mut others: Vec<PathBuf> = foreign.map(|name| mount.join(name)).into();
    others.push(mount.join(OsStr::from_bytes(b"tmpaaaabbbbccccddd\xff")));
    for path in &others {
        fs::write(path, "valuable").expect("write a file");
    }
    let ended = sweep_now(&mount);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let removed = lines("removed", left);
    assert!(removed.is_subset(&said(&ended)), "{}", ended.stdout);
    assert_eq!(said(&ended).len(), removed.len() + others.len(), "{}", ended.stdout);
    let rest: HashSet<PathBuf> = entries(&mount).into_iter().collect();
    assert_eq!(rest, others.into_iter().collect());
}

#[test]
fn a_scratch_directory_of_a_host_stays_whatever_the_prefixes() {
    let world = World::new();
    let directory = world.directory("root-of-a-host");
    let run = directory.join("run-aaaabbbbccccdddd");
    fs::create_dir(&run).expect("create a directory");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o1700)).expect("give it the mark");
    let ended = sweep(&directory, &["--older-than", "0", "--prefix", "run-"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert_eq!(said(&ended), lines("foreign", [run.clone()]));
    assert!(run.exists());
}

#[test]
fn what_is_younger_stays() {
    let world = World::new();
    let mount = trapped(&world);
    for options in [&["--older-than", "1h"][..], &["--older-than", "1h", "--dry-run"]] {
        let ended = sweep(&mount, options);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        assert_eq!(said(&ended), lines("live", entries(&mount)));
    }
    assert_eq!(entries(&mount).len(), 2);
}

#[test]
fn a_dry_run_says_what_a_sweep_would_do() {
    let world = World::new();
    let mount = trapped(&world);
    let left = entries(&mount);
    for options in [&["--older-than", "0", "--dry-run"][..], &["--older-than", "0"]] {
        assert_eq!(entries(&mount).len(), 2);
        let ended = sweep(&mount, options);
        assert_eq!((ended.code, said(&ended)), (Some(0), lines("removed", left.clone())));
    }
    assert_eq!(entries(&mount), Vec::<PathBuf>::new());
}

/// A plugin may set the time of the last write of its own file, as whoever unpacks an archive does.
#[test]
fn a_time_that_a_plugin_has_set_makes_no_file_old() {
    let world = World::new();
    let mount = world.directory("mount");
    let path = mount.join(NAME);
    let file = fs::File::create(&path).expect("create a file");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("set a time");
    let ended = sweep(&mount, &["--older-than", "1h"]);
    assert_eq!((ended.code, said(&ended)), (Some(0), lines("live", [path])));
}

#[test]
fn prefixes_that_plugins_choose_are_named() {
    let world = World::new();
    let mount = world.directory("mount");
    let [ours, other] = ["upload-", "mine-"].map(|prefix| mount.join(NAME.replace("tmp", prefix)));
    for path in [&ours, &other] {
        fs::write(path, "content").expect("write a file");
    }
    let ended = sweep(&mount, &["--older-than", "0", "--prefix", "upload-"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((ours.exists(), other.exists()), (false, true));
}

#[test]
fn names_of_the_python_client_have_eight_random_characters() {
    let world = World::new();
    let mount = world.directory("mount");
    let [python, other] = ["tmpaaaabbbb", NAME].map(|name| mount.join(name));
    for path in [&python, &other] {
        fs::write(path, "content").expect("write a file");
    }
    let ended = sweep(&mount, &["--older-than", "0", "--random-chars", "8"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((python.exists(), other.exists()), (false, true));
    let ended = sweep(&mount, &["--older-than", "0", "--random-chars", "7"]);
    assert_eq!(ended.code, Some(2), "seven letters are too often a word");
}

#[test]
fn a_link_stays_and_what_it_points_to() {
    let world = World::new();
    let mount = world.directory("mount");
    let precious = world.directory("precious");
    fs::write(precious.join("thesis"), "valuable").expect("write a file");
    let inside = mount.join(NAME);
    fs::create_dir(&inside).expect("make a directory");
    symlink(&precious, inside.join("link")).expect("make a link");
    let link = mount.join("tmpddddccccbbbbaaaa");
    symlink(&precious, &link).expect("make a link");
    let ended = sweep_now(&mount);
    let mut expected = lines("removed", [inside]);
    expected.extend(lines("foreign", [link.clone()]));
    assert_eq!((ended.code, said(&ended)), (Some(0), expected));
    assert!(link.is_symlink() && precious.join("thesis").exists());
}

#[test]
fn what_belongs_to_another_user_stays() {
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: only the superuser can give a file away");
    }
    let world = World::new();
    let mount = world.directory("mount");
    let path = mount.join(NAME);
    fs::write(&path, "content").expect("write a file");
    std::os::unix::fs::chown(&path, Some(65534), None).expect("give it away");
    let ended = sweep_now(&mount);
    assert_eq!((ended.code, said(&ended)), (Some(0), lines("foreign", [path.clone()])));
    assert!(path.exists());
}

#[test]
fn a_mount_point_is_reported_and_nothing_behind_it_is_touched() {
    let world = World::new();
    let directory = world.directory("mount");
    let precious = world.directory("precious");
    fs::write(precious.join("thesis"), "valuable").expect("write a file");
    let mounted = directory.join(NAME).join("deep");
    fs::create_dir_all(&mounted).expect("make directories");
    let Some(mount) = Mount::bind(&precious, &mounted) else { return };
    let busy = format!("remove \"{}\": in use (busy)", mounted.display());
    for options in [&["--older-than", "0", "--dry-run"][..], &["--older-than", "0"]] {
        let ended = sweep(&directory, options);
        assert_eq!((ended.code, &*ended.stdout), (Some(3), ""));
        assert_eq!(ended.complaints(), [&*busy], "{options:?}");
    }
    assert!(precious.join("thesis").exists());
    drop(mount);
    assert_eq!(sweep_now(&directory).code, Some(0));
    assert_eq!(entries(&directory), Vec::<PathBuf>::new());
}

/// As a Kubernetes `emptyDir` is: of another owner, and open to a group.
#[test]
fn a_directory_that_others_may_write_to_is_swept() {
    let world = World::new();
    let mount = trapped(&world);
    world.set_mode("mount", 0o2777);
    let ended = sweep_now(&mount);
    let warning = format!(
        "others may write to {}, and can give a file of yours a name that is swept",
        mount.display()
    );
    assert_eq!((ended.code, ended.complaints()), (Some(0), vec![&*warning]));
    assert_eq!(entries(&mount), Vec::<PathBuf>::new());
    world.set_mode("mount", 0o755);
    assert_eq!(sweep_now(&mount).stderr, "");
}

/// A slash or a dot at the end would make the system follow the link.
#[test]
fn a_link_to_a_directory_is_not_followed() {
    let world = World::new();
    let directory = world.directory("elsewhere");
    fs::write(directory.join(NAME), "content").expect("write a file");
    symlink(&directory, world.path("link")).expect("make a link");
    for end in ["", "/", "/.", "//./"] {
        let path = format!("{}{end}", world.path("link").display());
        for options in [&["--older-than", "0"][..], &["--older-than", "0", "--dry-run"]] {
            let ended = sweep(Path::new(&path), options);
            assert_eq!((ended.code, &*ended.stdout), (Some(3), ""), "{path}");
            let [line] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
            assert!(line.ends_with("it is a symbolic link"), "{line}");
        }
    }
    assert!(directory.join(NAME).exists());
    let path = format!("{}/./", directory.display());
    assert_eq!(sweep_now(Path::new(&path)).code, Some(0));
    assert!(!directory.join(NAME).exists());
}

/// Standard output fails after the files are gone: one line, and the exit code of the host.
#[test]
fn a_standard_output_that_is_full_is_an_error() {
    let world = World::new();
    let mount = world.directory("mount");
    fs::write(mount.join(NAME), "content").expect("write a file");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("open /dev/full");
    let mut sweep = command();
    sweep.args(["sweep", "--composed", "--older-than", "0"]).arg(&mount).stdout(full);
    let ended = output(&mut sweep);
    let line = "write standard output: No space left on device (os error 28)";
    assert_eq!((ended.code, ended.complaints()), (Some(3), vec![line]));
}

#[test]
fn a_directory_that_is_missing_or_none_is_an_error() {
    let world = World::new();
    let file = world.file("file", "content");
    for path in [world.path("missing"), file] {
        let ended = sweep_now(&path);
        assert_eq!((ended.code, ended.complaints().len()), (Some(3), 1), "{}", ended.stderr);
    }
}

/// Without an age nothing says that a file is not in use.
#[test]
fn an_age_and_the_kind_of_sweep_are_given_together() {
    let world = World::new();
    for options in [&["--composed"][..], &["--older-than", "1h"], &["--prefix", "x-"]] {
        let ended = output(command().arg("sweep").args(options).arg(world.root()));
        assert_eq!(ended.code, Some(2), "{options:?}");
    }
}

/// A sweep that goes on until it is ended.
struct Sidecar {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Sidecar {
    fn start(directory: &Path) -> Self {
        let mut sweep = command();
        sweep.args(["sweep", "--composed", "--older-than", "0", "--every", "10ms"]).arg(directory);
        let mut child = sweep.stdout(Stdio::piped()).spawn().expect("start the command");
        let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Self { child, stdout }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("read a line");
        line.trim_end().to_owned()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_sweep_at_an_interval_goes_on() {
    let world = World::new();
    let mount = world.directory("mount");
    fs::write(mount.join("report.csv"), "valuable").expect("write a file");
    let mut sidecar = Sidecar::start(&mount);
    for name in [NAME, "tmpddddccccbbbbaaaa", NAME] {
        let path = mount.join(name);
        fs::write(&path, "content").expect("write a file");
        assert_eq!(sidecar.line(), format!("removed  {}", path.display()));
        assert!(!path.exists());
    }
    assert!(mount.join("report.csv").exists(), "and it is not printed each time");
}

/// A volume may be away for a while. What is wrong from the beginning is a mistake.
#[test]
fn a_sweep_at_an_interval_outlives_an_error_of_its_directory() {
    let world = World::new();
    let (mount, away) = (world.directory("mount"), world.path("away"));
    let mut sweep = command();
    sweep.args(["sweep", "--composed", "--older-than", "0", "--every", "10ms"]).arg(&mount);
    let mut child = sweep.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start it");
    let mut stderr = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
    let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut sidecar = Sidecar { child, stdout };
    for _ in 0..2 {
        let path = mount.join(NAME);
        fs::write(&path, "content").expect("write a file");
        assert_eq!(sidecar.line(), format!("removed  {}", path.display()));
        fs::rename(&mount, &away).expect("take it away");
        let mut line = String::new();
        stderr.read_line(&mut line).expect("read a line");
        assert!(line.contains("No such file"), "{line}");
        fs::rename(&away, &mount).expect("bring it back");
    }
}

#[test]
fn a_sweep_at_an_interval_ends_with_its_reader() {
    let world = World::new();
    let mount = world.directory("mount");
    fs::write(mount.join(NAME), "content").expect("write a file");
    let mut sweep = command();
    sweep.args(["sweep", "--composed", "--older-than", "0", "--every", "1h"]).arg(&mount);
    let (reader, writer) = std::io::pipe().expect("make a pipe");
    drop(reader);
    let ended = output(sweep.stdout(writer));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert!(!mount.join(NAME).exists());
}

/// The directory of the host's own runs is swept at an interval too.
#[test]
fn a_root_is_swept_at_an_interval() {
    let world = World::new();
    let mut sweep = command();
    sweep.args(["sweep", "--every", "10ms"]).arg(world.root()).stdout(Stdio::piped());
    let mut child = sweep.spawn().expect("start the command");
    let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut sidecar = Sidecar { child, stdout };
    for random in ["aaaabbbbccccdddd", "ddddccccbbbbaaaa"] {
        let orphan = world.orphan(random);
        assert_eq!(sidecar.line(), format!("removed  {}", orphan.display()));
    }
}

/// Sweeps of one volume from several nodes.
#[test]
fn sweepers_in_other_processes_share_a_directory() {
    let world = World::new();
    let mount = world.directory("mount");
    let letters = |number: u32| format!("{number:032b}").replace('0', "a").replace('1', "b");
    let names: Vec<PathBuf> =
        (0..200).map(|number| mount.join(format!("tmp{}", &letters(number)[16..]))).collect();
    for (number, path) in names.iter().enumerate() {
        if number % 2 == 0 {
            fs::create_dir_all(path.join("deep/er")).expect("make directories");
        } else {
            fs::write(path, "content").expect("write a file");
        }
    }
    let sweepers: Vec<_> = (0..4)
        .map(|_| {
            let mut sweeper = command();
            sweeper.args(["sweep", "--composed", "--older-than", "0"]).arg(&mount);
            sweeper.stdout(Stdio::piped()).stderr(Stdio::piped());
            sweeper.spawn().expect("start a sweep")
        })
        .collect();
    for sweeper in sweepers {
        let ended: Ended = sweeper.wait_with_output().expect("wait").into();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    }
    assert_eq!(entries(&mount), Vec::<PathBuf>::new());
}
