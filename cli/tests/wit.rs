//! `wit` prints a package and writes a folder that the tools' own parser accepts.

mod support;

use std::fs;
use std::path::Path;

use support::{Ended, World, command, output};
use wit_parser::{Resolve, WorldId, WorldItem};

const TEMPFILE: &str = "deps/scratch-tempfile/tempfile.wit";

/// Runs `wit -o DIRECTORY OPTIONS`.
fn write(directory: &Path, options: &[&str]) -> Ended {
    output(command().arg("wit").arg("-o").arg(directory).args(options))
}

#[track_caller]
fn written(directory: &Path) {
    let ended = write(directory, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

/// The interfaces that the folder's world imports.
fn imports(directory: &Path, world: &str) -> Vec<String> {
    let (resolve, world) = read(directory, world);
    interfaces(&resolve, resolve.worlds[world].imports.values())
}

/// The interfaces that the folder's world exports.
fn exports(directory: &Path, world: &str) -> Vec<String> {
    let (resolve, world) = read(directory, world);
    interfaces(&resolve, resolve.worlds[world].exports.values())
}

fn read(directory: &Path, world: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(directory).expect("the parser reads the folder");
    let world = resolve.select_world(&[package], Some(world)).expect("the folder has the world");
    (resolve, world)
}

fn interfaces<'a>(resolve: &Resolve, items: impl Iterator<Item = &'a WorldItem>) -> Vec<String> {
    let mut names: Vec<String> = items
        .map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.id_of(*id).expect("it has a name"),
            other => panic!("not an interface: {other:?}"),
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_package_is_printed_as_one_text() {
    let ended = output(command().arg("wit"));
    assert_eq!(ended.code, Some(0));
    let mut resolve = Resolve::default();
    let package = resolve.push_str("printed.wit", &ended.stdout).expect("it is one WIT file");
    let interfaces: Vec<&String> = resolve.packages[package].interfaces.keys().collect();
    assert_eq!(interfaces, ["tempfile", "ledger"]);
}

#[test]
fn the_world_of_a_new_folder_imports_nothing_of_wasi() {
    let world = World::new();
    let directory = world.path("new/wit");
    written(&directory);
    assert_eq!(imports(&directory, "plugin"), ["scratch:tempfile/tempfile@0.1.0"]);
}

#[test]
fn the_world_of_a_new_folder_can_be_run() {
    let world = World::new();
    let directory = world.path("wit");
    written(&directory);
    assert_eq!(exports(&directory, "plugin"), ["wasi:cli/run@0.2.0"]);
}

#[test]
fn a_world_of_the_users_own_may_import_the_bridge() {
    let world = World::new();
    let directory = world.directory("wit");
    let text = "package example:mine; world mine { include scratch:tempfile-wasi/imports@0.2.0; }";
    fs::write(directory.join("mine.wit"), text).expect("write a world");
    written(&directory);
    assert!(!directory.join("world.wit").exists(), "a second package in the folder");
    let imports = imports(&directory, "mine");
    assert!(imports.contains(&"scratch:tempfile-wasi/descriptors@0.2.0".into()), "{imports:?}");
    assert!(imports.contains(&"wasi:filesystem/types@0.2.0".into()), "{imports:?}");
}

#[test]
fn writing_again_leaves_the_users_world_alone() {
    let world = World::new();
    let directory = world.path("wit");
    written(&directory);
    let text = "package example:mine; world mine {}";
    fs::write(directory.join("world.wit"), text).expect("change the world");
    written(&directory);
    assert_eq!(fs::read_to_string(directory.join("world.wit")).expect("read the world"), text);
}

#[test]
fn a_changed_package_is_replaced_only_by_force() {
    let world = World::new();
    let directory = world.path("wit");
    written(&directory);
    let original = fs::read_to_string(directory.join(TEMPFILE)).expect("read a package's file");
    fs::write(directory.join(TEMPFILE), "// changed").expect("change it");
    fs::remove_file(directory.join("world.wit")).expect("remove the world");

    let refused = write(&directory, &[]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains(TEMPFILE), "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert!(!directory.join("world.wit").exists(), "something was written");
    assert_eq!(fs::read(directory.join(TEMPFILE)).expect("read it"), b"// changed");

    assert_eq!(write(&directory, &["--force"]).code, Some(0));
    assert_eq!(fs::read_to_string(directory.join(TEMPFILE)).expect("read it"), original);
}

#[test]
fn a_file_in_place_of_the_folder_is_named() {
    let world = World::new();
    let file = world.file("taken", "text");
    let refused = write(&file, &[]);
    assert_eq!(refused.code, Some(2), "wrong usage");
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("taken"), "{}", refused.stderr);
}

#[test]
fn force_without_a_folder_is_wrong_usage() {
    assert_eq!(output(command().args(["wit", "--force"])).code, Some(2));
}
