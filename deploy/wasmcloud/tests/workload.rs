//! The workload of `workload.yaml` on wasmCloud's own runtime, and the sidecar beside it.
//!
//! `deploy/wasmcloud/test` runs these tests: it says in `UPLOAD_HTTP` where the composed plugin is,
//! and in `WASI_TEMPFILE` where the command is.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use ureq::Agent;
use wasmcloud_workload::{Container, Manifest, Node};

static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::read().expect("read workload.yaml"));

fn variable(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    value.unwrap_or_else(|| panic!("{name} is not set: run deploy/wasmcloud/test")).into()
}

fn sidecar() -> &'static Container {
    MANIFEST.container("sweep").expect("the manifest has a sidecar")
}

/// A node that runs the workload, with a directory as its volume.
struct World {
    node: Node,
    volume: TempDir,
    agent: Agent,
}

impl World {
    fn new() -> Self {
        let volume = tempfile::tempdir().expect("make a directory");
        let plugin = fs::read(variable("UPLOAD_HTTP")).expect("read the composed plugin");
        let path = volume.path().to_str().expect("a path in UTF-8");
        let workload = MANIFEST.runtime_workload(plugin.into(), path).expect("a workload");
        let node = Node::start(None).expect("start a node");
        node.run(workload).expect("start the workload");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        Self { node, volume, agent: config.build().into() }
    }

    /// Sends a body to the workload, and returns the status and the text of the answer.
    fn post(&self, path: &str, body: &[u8]) -> (u16, String) {
        let interfaces = &MANIFEST.workload.spec.template.spec.host_interfaces;
        let host = interfaces.iter().find_map(|interface| interface.config.get("host"));
        let host = host.expect("the manifest names a host");
        let request = self.agent.post(format!("http://{}{path}", self.node.address()));
        let mut response = request.header("host", host).send(body).expect("get an answer");
        let text = response.body_mut().read_to_string().expect("read the answer");
        (response.status().as_u16(), text)
    }

    fn entries(&self) -> HashSet<PathBuf> {
        let entries = fs::read_dir(self.volume.path()).expect("list the volume");
        entries.map(|entry| entry.expect("read an entry").path()).collect()
    }

    /// What the plugin leaves when it traps.
    fn trap(&self) -> HashSet<PathBuf> {
        let before = self.entries();
        assert_eq!(self.post("/defect", b"").0, 500);
        let left: HashSet<PathBuf> = self.entries().difference(&before).cloned().collect();
        assert_eq!(left.len(), 2, "a file and a directory: {left:?}");
        left
    }

    /// The command of the sidecar for this volume, with another age if one is given.
    fn sweep(&self, age: Option<&str>) -> Command {
        let [arguments @ .., _] = &sidecar().args[..] else { panic!("the sidecar has no command") };
        let mut command = Command::new(variable("WASI_TEMPFILE"));
        command.args(with(arguments, "--older-than", age)).arg(self.volume.path());
        command
    }

    /// The same, once and not at an interval.
    fn sweep_once(&self, age: Option<&str>) -> Output {
        let [arguments @ .., _] = &sidecar().args[..] else { panic!("the sidecar has no command") };
        let at = arguments.iter().position(|argument| argument == "--every").expect("an interval");
        let once = [&arguments[..at], &arguments[at + 2..]].concat();
        let mut command = Command::new(variable("WASI_TEMPFILE"));
        command.args(with(&once, "--older-than", age)).arg(self.volume.path());
        command.output().expect("start the command")
    }
}

/// Arguments with another value of an option, if one is given.
fn with(arguments: &[String], option: &str, value: Option<&str>) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    let at = arguments.iter().position(|argument| argument == option).expect("the option");
    if let Some(value) = value {
        arguments[at + 1] = value.to_owned();
    }
    arguments
}

/// The lines that a sweep prints for these paths.
fn lines<'a>(word: &str, paths: impl IntoIterator<Item = &'a PathBuf>) -> HashSet<String> {
    paths.into_iter().map(|path| format!("{word:8} {}", path.display())).collect()
}

#[track_caller]
fn said(output: &Output) -> HashSet<String> {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaints), (Some(0), ""));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// A process that is killed at the end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_request_is_answered_and_leaves_nothing() {
    let world = World::new();
    let expected = "3 bytes, 0 lines, sha256 \
        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    for _ in 0..3 {
        assert_eq!(world.post("/", b"abc"), (200, expected.to_owned()));
        assert_eq!(world.entries(), HashSet::new());
    }
}

#[test]
fn a_limit_holds_to_the_byte_for_each_request() {
    let world = World::new();
    let environment =
        &MANIFEST.workload.spec.template.spec.components[0].local_resources.environment.config;
    let bytes: usize = environment["SCRATCH_LIMITS"]
        .split(',')
        .find_map(|limit| limit.strip_prefix("bytes="))
        .and_then(|bytes| bytes.parse().ok())
        .expect("a limit on bytes");
    let (most, more) = (vec![b'x'; bytes], vec![b'x'; bytes + 1]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (status, text) = world.post("/", &most);
                assert_eq!(status, 200, "{text}");
            });
        }
    });
    let (status, text) = world.post("/", &more);
    assert_eq!(status, 507, "{text}");
    assert!(text.contains("quota"), "{text}");
    assert_eq!(world.entries(), HashSet::new());
}

#[test]
fn the_sidecar_leaves_alone_what_may_be_in_use() {
    let world = World::new();
    let left = world.trap();
    assert_eq!(said(&world.sweep_once(None)), lines("live", &left));
    assert_eq!(world.entries(), left);
}

#[test]
fn the_sidecar_removes_what_a_trap_left_and_nothing_else() {
    let world = World::new();
    let foreign = ["report.csv", "tmp", "tmpaaaabbbbccccddd"].map(|name| {
        let path = world.volume.path().join(name);
        fs::write(&path, "valuable").expect("write a file");
        path
    });
    let link = world.volume.path().join("tmpaaaabbbbccccdddd");
    symlink("report.csv", &link).expect("make a link");
    let stays: HashSet<PathBuf> = foreign.into_iter().chain([link]).collect();
    let left = world.trap();
    let mut expected = lines("removed", &left);
    expected.extend(lines("foreign", &stays));
    assert_eq!(said(&world.sweep_once(Some("0"))), expected);
    assert_eq!(world.entries(), stays);
}

#[test]
fn the_sidecar_goes_on_sweeping() {
    let world = World::new();
    let left = world.trap();
    let mut child =
        world.sweep(Some("0")).stdout(Stdio::piped()).spawn().expect("start the command");
    let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut child = Killed(child);
    let removed = stdout.lines().take(left.len()).map(|line| line.expect("read a line"));
    assert_eq!(removed.collect::<HashSet<_>>(), lines("removed", &left));
    assert!(child.0.try_wait().expect("look at the process").is_none(), "it waits for its turn");
    assert_eq!(world.entries(), HashSet::new());
    assert_eq!(world.post("/", b"abc").0, 200);
}

/// The path in the volume's mount, for whoever has it under this name.
fn mount_path<'a>(container: &'a Container, volume: &str) -> &'a str {
    let mount = container.volume_mounts.iter().find(|mount| mount.name == volume);
    &mount.expect("the container has the volume").mount_path
}

#[test]
fn the_sidecar_sweeps_the_volume_of_the_workload() {
    let spec = &MANIFEST.workload.spec.template.spec;
    let [component] = &spec.components[..] else { panic!("one component") };
    let [mount] = &component.local_resources.volume_mounts[..] else { panic!("one mount") };
    let [volume] = &spec.volumes[..] else { panic!("one volume") };
    assert_eq!((&*mount.mount_path, &mount.name), ("/tmp", &volume.name));
    // The path of the workload's volume is one in the container of the host, which has a volume of
    // its pod there. The sidecar has the same volume where its command looks.
    let [of_pod] = &MANIFEST.hosts.spec.template.spec.volumes[..] else { panic!("one volume") };
    let host = MANIFEST.container("host").expect("the container of the host");
    assert_eq!(mount_path(host, &of_pod.name), volume.host_path.path);
    let swept = sidecar().args.last().expect("a command");
    assert_eq!(mount_path(sidecar(), &of_pod.name), swept);
    let group = &spec.host_selector["hostgroup"];
    assert_eq!(MANIFEST.hosts.metadata.name, format!("hostgroup-{group}"));
}
