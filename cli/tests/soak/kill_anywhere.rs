//! A process that is killed at each of the calls by which it creates, persists, closes and sweeps.
//!
//! In two ways: by itself, before each call of the platform, which works everywhere; and by strace,
//! at each system call, where there is one.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Signal, getpid, kill_process};
use tempfile_core::{
    Context, Durability, Error, ErrorCode, File, Location, Native, Options, Platform, ReplaceMode,
};
use wasi_tempfile_host::{ScratchDir, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::native::confined;
use crate::part::{self, Part};
use crate::plugins::Provider;
use crate::stepped::{Dir, OPTIONAL_CALLS, Stepped, TestInstance};
use crate::support::{World, command};
use crate::trace;

figure!(
    a_kill_at_any_call_leaves_nothing,
    a_target_that_is_written_in_place,
    a_start_after_the_kill_that_does_not_sweep_up,
);

pub(crate) const PARTS: &[Part] = &[("step", step)];

const OLD: &str = "old";

/// What the test plugin persists.
const PERSISTED: &str = "persisted";

/// Larger than one write.
fn new() -> String {
    "new ".repeat(20_000)
}

/// What a process is doing when it is killed: in a directory of its own, towards a target outside
/// of it.
type Act<P> = fn(&TestInstance<P>, &str, &str) -> Result<(), Error>;

/// The acts, for any platform.
fn acts<P: Platform<Dir = Dir>>() -> [(&'static str, Act<P>); 6] {
    [
        ("create", |instance, own, _| {
            let _named = instance.named(&Options::default(), Location::Directory(own))?;
            let _unnamed = instance.unnamed(Location::Directory(own))?;
            let mut spooled = instance.spooled(Some(4), Location::Directory(own))?;
            spooled.write(b"past the threshold", 0)?;
            let dir = instance.directory(&Options::default(), Location::Directory(own))?;
            dir.create_directory("directory")?;
            dir.create_file("directory/file")?.write(b"content", 0).map(drop)
        }),
        ("persist over", |instance, own, target| {
            persist(instance, own, target, ReplaceMode::Overwrite)
        }),
        ("persist anew", |instance, own, target| {
            persist(instance, own, &format!("{target}.anew"), ReplaceMode::NoClobber)
        }),
        ("link", |instance, own, target| {
            let mut file = instance.unnamed(Location::Directory(own))?;
            write(&file)?;
            match file.link(&format!("{target}.anew"), Durability::Full) {
                // A platform that has no unnamed files has nothing to link.
                Err(error)
                    if error.code == ErrorCode::Invalid || error.code == ErrorCode::Unsupported =>
                {
                    Ok(())
                }
                linked => linked,
            }
        }),
        ("close", |instance, own, _| {
            let mut dir = instance.directory(&Options::default(), Location::Directory(own))?;
            let mut path = String::from("d");
            for _ in 0..20 {
                dir.create_directory(&path)?;
                dir.create_file(&format!("{path}/file"))?;
                path.push_str("/d");
            }
            dir.close().map_err(|mut stayed| stayed.remove(0).error)
        }),
        // The control: what a program does that has never been killed.
        (IN_PLACE, |instance, own, target| {
            let act = || {
                let (directory, name) = target.rsplit_once('/').ok_or(ErrorCode::Invalid)?;
                let platform = instance.context().platform();
                let base = instance.context().resolve_base(directory);
                let base = base.map_err(|cause| cause.code)?;
                let dir = platform.open_directory(&base.dir, base.rest.as_bytes())?;
                let file = platform.open_file(&dir, name.as_bytes())?;
                platform.set_size(&file, 0)?;
                let mut offset = 0;
                for piece in new().as_bytes().chunks(10_000) {
                    offset += platform.write(&file, offset, piece)? as u64;
                }
                Ok(())
            };
            act().map_err(|code| Error::new(code, "write to", own))
        }),
    ]
}

const IN_PLACE: &str = "write in place";

fn write<C: Context>(file: &File<C>) -> Result<(), Error> {
    let (bytes, mut offset) = (new(), 0);
    while offset < bytes.len() {
        offset += file.write(&bytes.as_bytes()[offset..], offset as u64)? as usize;
    }
    Ok(())
}

fn persist<P: Platform>(
    instance: &TestInstance<P>,
    own: &str,
    target: &str,
    mode: ReplaceMode,
) -> Result<(), Error> {
    let (file, mut path) = instance.named(&Options::default(), Location::Directory(own))?;
    write(&file)?;
    path.persist(target, mode, Durability::Full)
}

/// What a start of the next process does with the root.
type Start = fn(&Path);

fn sweep(root: &Path) {
    drop(ScratchRoot::open(root).expect("open the root"));
}

fn a_kill_at_any_call_leaves_nothing(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for (act, _) in acts::<Native>().iter().filter(|(act, _)| *act != IN_PLACE) {
        by_itself(act, scale.pick(7, 1), sweep, &mut tally);
        at_system_calls(act, scale.pick(31, 1), &mut tally);
    }
    a_sweep_is_killed(scale.pick(7, 1), &mut tally);
    // Each compiles the plugin anew, which takes a hundred times as long as all the rest.
    if scale == Scale::Full {
        Provider::BOTH.into_iter().for_each(|provider| a_run_is_killed(provider, 1, &mut tally));
    }
    tally
}

fn a_target_that_is_written_in_place() -> Tally {
    let mut tally = Tally::default();
    by_itself(IN_PLACE, 1, sweep, &mut tally);
    tally
}

fn a_start_after_the_kill_that_does_not_sweep_up() -> Tally {
    let mut tally = Tally::default();
    let start = |root: &Path| drop(ScratchRoot::open_unswept(root).expect("open the root"));
    by_itself("create", 5, start, &mut tally);
    tally
}

/// A root, and a directory with the target.
struct Scene {
    world: World,
    target: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::in_memory();
        let target = world.directory("data").join("target").into_os_string().into_string();
        let target = target.expect("the test's path is text");
        fs::write(&target, OLD).expect("write the target");
        Scene { world, target }
    }

    /// A process that acts, and dies before that many calls of the platform; 0 for never.
    fn act(&self, act: &str, modern: bool, when: usize) -> Command {
        let root = self.world.root();
        let (modern, when) = (modern.to_string(), when.to_string());
        part::command(
            "step",
            &[root.to_str().expect("the test's path is text"), &self.target, act, &modern, &when],
        )
    }

    /// After the next start.
    fn look(&self, start: Start, of: &str, tally: &mut Tally) {
        start(&self.world.root());
        let left = self.world.scratch();
        tally.expect(left.is_empty(), || format!("{of}: {left:?} was left"));
        for entry in fs::read_dir(self.world.path("data")).expect("list it") {
            let path = entry.expect("read an entry").path();
            let text = fs::read_to_string(&path).expect("read it");
            let whole = match path.extension() {
                None => text == OLD || text == PERSISTED || text == new(),
                Some(_) => path.ends_with("target.anew") && text == new(),
            };
            tally.expect(whole, || format!("{of}: {} has {} bytes", path.display(), text.len()));
        }
    }
}

fn by_itself(act: &str, stride: usize, start: Start, tally: &mut Tally) {
    for modern in [true, false] {
        for when in (1..).step_by(stride) {
            let scene = Scene::new();
            let ended = scene.act(act, modern, when).status().expect("start a process");
            scene.look(start, &format!("{act}, killed before call {when}"), tally);
            if ended.success() {
                break;
            }
            tally.expect(ended.code().is_none(), || {
                format!("{act}: before call {when} it ended with {ended}")
            });
            tally.count("kills at calls of the platform", 1);
        }
    }
}

/// Acts in a directory of its own, and is killed before one of the calls.
fn step(arguments: &[String]) -> ExitCode {
    let [root, target, act, modern, when] = arguments else { return ExitCode::FAILURE };
    let root = ScratchRoot::open_unswept(root).expect("open the root");
    let scratch = root.create_dir().expect("make a directory");
    let (modern, when) = (modern == "true", when.parse().expect("a number"));
    let acted = match when {
        0 => run(Native, &scratch, target, act),
        when => run(deadly(modern, when), &scratch, target, act),
    };
    acted.expect("nothing but the kill goes wrong");
    assert!(scratch.close().is_empty());
    ExitCode::SUCCESS
}

fn run<P: Platform<Dir = Dir>>(
    platform: P,
    scratch: &ScratchDir,
    target: &str,
    act: &str,
) -> Result<(), Error> {
    // The directory in which the root and the target are.
    let world = scratch.path().ancestors().nth(2).expect("the root is in a directory");
    let instance = confined(platform, world).instance();
    let own = scratch.path().to_str().expect("the test's path is text");
    let (_, run) = acts().into_iter().find(|(name, _)| *name == act).expect("there is such an act");
    run(&instance, own, target)
}

/// Counts calls down to the one that this process does not live to make.
fn deadly(modern: bool, calls: usize) -> Stepped {
    let left = Cell::new(calls);
    Stepped::new(move |method| {
        left.set(left.get() - 1);
        if left.get() == 0 {
            kill_process(getpid(), Signal::KILL).expect("kill this process");
        }
        if !modern && OPTIONAL_CALLS.contains(&method) {
            return Err(ErrorCode::Unsupported);
        }
        Ok(())
    })
}

/// The calls that a command makes once it has come to its root, as strace counts them: by thread
/// and name, from 1.
fn system_calls(command: Command) -> Result<BTreeSet<(String, usize)>, String> {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut in_root = false;
    let mut found = BTreeSet::new();
    for call in trace::calls(command)? {
        let name = call.name().to_owned();
        in_root |= call.text.contains("/root\"");
        let count = counts.entry((call.thread, name.clone())).or_default();
        *count += 1;
        if in_root {
            found.insert((name, *count));
        }
    }
    Ok(found)
}

fn at_system_calls(act: &str, stride: usize, tally: &mut Tally) {
    kill_at(
        &|| {
            let scene = Scene::new();
            (scene.act(act, true, 0), scene)
        },
        act,
        stride,
        tally,
    );
}

/// The command itself, with a plugin that persists.
fn a_run_is_killed(provider: Provider, stride: usize, tally: &mut Tally) {
    let prepare = || {
        let scene = Scene::new();
        let mount = format!("{}::/data", scene.world.path("data").display());
        let run = scene
            .world
            .run(&["--provider", provider.name(), "--mount", &mount], &["persist", "/data/target"]);
        (run, scene)
    };
    kill_at(&prepare, "run", stride, tally);
}

/// The command itself, at what two processes have left.
fn a_sweep_is_killed(stride: usize, tally: &mut Tally) {
    let prepare = || {
        let scene = Scene::new();
        for random in ["aaaabbbbccccdddd", "bbbbccccddddeeee"] {
            let deep = scene.world.orphan(random).join("1/2/3/4");
            fs::create_dir_all(&deep).expect("make directories");
            fs::write(deep.join("file"), "left").expect("write a file");
        }
        let mut sweep = command();
        sweep.arg("sweep").arg(scene.world.root());
        (sweep, scene)
    };
    kill_at(&prepare, "sweep", stride, tally);
}

fn kill_at(prepare: &dyn Fn() -> (Command, Scene), of: &str, stride: usize, tally: &mut Tally) {
    let (command, scene) = prepare();
    let calls = match system_calls(command) {
        Ok(calls) => calls,
        Err(why) => return tally.not_looked_at(why),
    };
    drop(scene);
    for (call, when) in calls.into_iter().step_by(stride) {
        let (command, scene) = prepare();
        let inject = format!("inject={call}:signal=KILL:when={when}");
        let options = ["-e", &format!("trace={call}"), "-e", &inject, "-o", "/dev/null"];
        let ended =
            trace::traced(command, &options).stdout(Stdio::null()).status().expect("start strace");
        // strace ends as its child did.
        tally.expect(!ended.success(), || format!("{of}: it was not killed at {call} {when}"));
        scene.look(sweep, &format!("{of}, killed at {call} {when}"), tally);
        tally.count("kills at system calls", 1);
    }
}
