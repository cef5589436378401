//! Persisting durably on a disk whose power is cut: after it has succeeded, and before each of its
//! calls.
//!
//! The disk is ext4 on a loop device. `FS_IOC_SHUTDOWN` drops all that has not reached it.

use std::cell::Cell;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use rustix::ioctl::{Setter, ioctl, opcode};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::thread::UnshareFlags;
use tempfile_core::{Durability, Error, ErrorCode, File, Location, Options, ReplaceMode};

use crate::figure::{Scale, Tally, figure};
use crate::native::confined;
use crate::stepped::{OPTIONAL_CALLS, Stepped, TestContext, TestInstance};
use crate::support::World;

figure!(a_durable_persist_survives_a_power_cut, a_persist_that_does_not_sync_the_directory,);

const OLD: &[u8] = b"old";

/// Larger than a block, and than what a file system keeps with the file's metadata.
fn new() -> Vec<u8> {
    b"new ".repeat(5_000)
}

type Act = fn(&TestInstance<Stepped>, &str, Durability) -> Result<(), Error>;

/// What is persisted, and the name that it gets.
const ACTS: [(&str, &str, Act); 4] = [
    ("a file over another", "old", |instance, target, durability| {
        named(instance, target, ReplaceMode::Overwrite, durability)
    }),
    ("a file under a free name", "free", |instance, target, durability| {
        named(instance, target, ReplaceMode::NoClobber, durability)
    }),
    ("a directory", "free", |instance, target, durability| {
        let mut dir = instance.directory(&Options::default(), base(instance))?;
        dir.create_directory("sub")?;
        for name in ["file", "sub/file"] {
            write(&dir.create_file(name)?)?;
        }
        dir.persist(target, ReplaceMode::Overwrite, durability)
    }),
    ("an unnamed file", "free", |instance, target, durability| {
        let mut file = instance.unnamed(base(instance))?;
        write(&file)?;
        file.link(target, durability)
    }),
];

fn base(instance: &TestInstance<Stepped>) -> Location<'_, TestContext<Stepped>> {
    Location::Directory(&instance.context().path)
}

fn named(
    instance: &TestInstance<Stepped>,
    target: &str,
    mode: ReplaceMode,
    durability: Durability,
) -> Result<(), Error> {
    let (file, mut path) = instance.named(&Options::default(), base(instance))?;
    write(&file)?;
    path.persist(target, mode, durability)
}

fn write(file: &File<TestContext<Stepped>>) -> Result<(), Error> {
    let (new, mut offset) = (new(), 0);
    while let Some(rest) = new.get(offset as usize..).filter(|rest| !rest.is_empty()) {
        offset += file.write(rest, offset)?;
    }
    Ok(())
}

fn a_durable_persist_survives_a_power_cut(scale: Scale) -> Tally {
    // In the short form a few of the calls, not the same of each act.
    try_all(Durability::Full, scale.pick(9, 1), scale.pick(1, 500))
}

fn a_persist_that_does_not_sync_the_directory() -> Tally {
    try_all(Durability::Data, 1000, 1)
}

/// Cuts the power at least so often after a success, and every `stride` calls before one.
fn try_all(durability: Durability, stride: usize, cuts: u64) -> Tally {
    let mut tally = Tally::default();
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(why) => {
            tally.not_looked_at(format!("power cuts ({why})"));
            return tally;
        }
    };
    let (mut after, mut before) = (0, 0);
    while after < cuts || before < cuts {
        for (number, act) in ACTS.iter().enumerate() {
            for modern in [true, false] {
                for call in (1 + number..).step_by(stride) {
                    if !disk.try_once(act, durability, modern, Some(call), &mut tally) {
                        break;
                    }
                    before += 1;
                    if disk.try_once(act, durability, modern, None, &mut tally) {
                        after += 1;
                    }
                }
            }
        }
    }
    tally.count("power cuts after a success", after);
    tally.count("power cuts before one", before);
    tally
}

/// An ext4 file system in a file, mounted where this process alone sees it.
struct Disk {
    world: World,
}

impl Disk {
    /// Or why there cannot be one.
    fn new() -> Result<Self, String> {
        // Whatever happens to this process, its mounts go with it, and with a mount its loop device.
        // SAFETY: the danger is in sharing file descriptors with other threads: they stay shared.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }
            .map_err(|errno| format!("no mounts of its own: {errno}"))?;
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private).map_err(|errno| format!("no mounts of its own: {errno}"))?;
        let disk = Disk { world: World::in_memory() };
        disk.world.directory("disk");
        let image = fs::File::create(disk.image()).and_then(|image| image.set_len(16 << 20));
        image.map_err(|error| format!("no image: {error}"))?;
        let mut make = Command::new("mkfs.ext4");
        run(make.args(["-q", "-F", "-m", "0"]).arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.world.path("image")
    }

    fn mount(&self) -> Result<(), String> {
        let mut mount = Command::new("mount");
        run(mount.args(["-t", "ext4", "-o", "loop"]).arg(self.image()).arg(self.path("")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path("disk").join(name)
    }

    /// Persists once, with a power cut before the given call or after the end. Returns false if the
    /// act has fewer calls, or is impossible on this platform.
    fn try_once(
        &self,
        (what, name, act): &(&str, &str, Act),
        durability: Durability,
        modern: bool,
        call: Option<usize>,
        tally: &mut Tally,
    ) -> bool {
        self.prepare();
        let left = Rc::new(Cell::new(call));
        let disk = self.path("");
        let platform = {
            let (left, disk) = (left.clone(), disk.clone());
            Stepped::new(move |method| {
                left.set(left.get().map(|calls| calls.saturating_sub(1)));
                match left.get() {
                    Some(0) if call.is_some() => {
                        cut_power(&disk);
                        left.set(None);
                        Err(ErrorCode::Io)
                    }
                    _ if !modern && OPTIONAL_CALLS.contains(&method) => Err(ErrorCode::Unsupported),
                    _ => Ok(()),
                }
            })
        };
        let target = disk.join(name);
        let target_text = target.to_str().expect("the test's path is text");
        let acted = act(&confined(platform.syncing(), &disk).instance(), target_text, durability);
        let was_cut = call.is_some() && left.get().is_none();
        if !was_cut {
            cut_power(&disk);
        }
        self.restart();
        let seen = Seen::of(&target);
        let fitting = match (&acted, was_cut) {
            // A platform that has no unnamed files has nothing to link.
            (Err(error), false) if !modern && error.code == ErrorCode::Unsupported => return false,
            (Ok(()), false) => seen == Seen::New,
            // Once the name is there, only its durability may be missing.
            (Err(_), true) if *name == "old" => matches!(seen, Seen::Old | Seen::New),
            (Err(_), true) => matches!(seen, Seen::Nothing | Seen::New),
            // A call that failed and was not needed.
            (Ok(()), true) => seen == Seen::New,
            (Err(_), false) => false,
        };
        tally.expect(fitting, || {
            format!("{what}, cut before {call:?}: {seen:?}, and the call said {acted:?}")
        });
        was_cut || call.is_none()
    }

    /// Puts an old file on the disk, for good, and nothing else.
    fn prepare(&self) {
        for entry in fs::read_dir(self.path("")).expect("list the disk") {
            let path = entry.expect("read an entry").path();
            if path.is_dir() {
                fs::remove_dir_all(path).expect("empty the disk");
            } else {
                fs::remove_file(path).expect("empty the disk");
            }
        }
        fs::write(self.path("old"), OLD).expect("write the old file");
        let disk = fs::File::open(self.path("")).expect("open the disk");
        rustix::fs::syncfs(disk).expect("sync the disk");
    }

    /// What a machine does when it has power again.
    fn restart(&self) {
        unmount(self.path(""), UnmountFlags::empty()).expect("unmount the disk");
        self.mount().expect("mount the disk again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = unmount(self.path(""), UnmountFlags::DETACH);
    }
}

/// What has the target's name.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    Old,
    New,
    Part,
}

impl Seen {
    fn of(target: &Path) -> Self {
        if target.is_dir() {
            let whole = ["file", "sub/file"]
                .iter()
                .all(|name| fs::read(target.join(name)).is_ok_and(|bytes| bytes == new()));
            return if whole { Seen::New } else { Seen::Part };
        }
        match fs::read(target) {
            Err(_) => Seen::Nothing,
            Ok(bytes) if bytes == OLD => Seen::Old,
            Ok(bytes) if bytes == new() => Seen::New,
            Ok(_) => Seen::Part,
        }
    }
}

/// `FS_IOC_SHUTDOWN` of linux/ext4.h and xfs.
const SHUTDOWN: rustix::ioctl::Opcode = opcode::read::<u32>(b'X', 125);

/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: the journal is not flushed either.
const NO_FLUSH: u32 = 2;

fn cut_power(disk: &Path) {
    let disk = fs::File::open(disk).expect("open the disk");
    // SAFETY: the call reads a number of 32 bits, which is what it gets.
    unsafe { ioctl(disk.as_fd(), Setter::<SHUTDOWN, u32>::new(NO_FLUSH)) }.expect("cut the power");
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ended =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    match ended.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&ended.stderr).trim())),
    }
}
