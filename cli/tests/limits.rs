//! What a plugin may have at one time: exact, typed, and nobody else's business.

mod support;

use support::{World, output};

/// What the plugin says, run by the command with these limits, whoever provides.
#[track_caller]
fn said(limits: &[&str], arguments: &[&str]) -> String {
    let [host, component] =
        ["host", "component"].map(|provider| said_by(provider, limits, arguments));
    assert_eq!(host, component);
    host
}

#[track_caller]
fn said_by(provider: &str, limits: &[&str], arguments: &[&str]) -> String {
    let world = World::new();
    let ended = output(&mut world.run(&[&["--provider", provider], limits].concat(), arguments));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
    world.assert_nothing_left();
    ended.stdout
}

#[test]
fn not_a_byte_over_the_limit_and_every_byte_up_to_it() {
    assert_eq!(
        said(&["--bytes", "10001"], &["fill", "10000"]),
        "10000 ok, then ok\nafterwards ok\n"
    );
    assert_eq!(
        said(&["--bytes", "10000"], &["fill", "10000"]),
        "10000 ok, then quota\nafterwards ok\n"
    );
    assert_eq!(
        said(&["--bytes", "10000"], &["fill", "50000"]),
        "10000 quota, then quota\nafterwards ok\n"
    );
    assert_eq!(
        said(&["--file-size", "9999"], &["fill", "10000"]),
        "9999 quota, then ok\nafterwards ok\n"
    );
}

#[test]
fn a_sparse_file_of_eight_exbibytes_is_refused() {
    for limit in ["--bytes", "--file-size"] {
        let size = i64::MAX.to_string();
        assert_eq!(said(&[limit, "1M"], &["grow", &size]), "quota\n0\n");
        assert_eq!(said(&[limit, "1M"], &["grow", "1048577"]), "quota\n0\n");
        assert_eq!(said(&[limit, "1M"], &["grow", "1048576"]), "ok\n1048576\n");
    }
}

#[test]
fn handles_and_names_are_counted() {
    // A named file is a file and a path.
    assert_eq!(said(&["--handles", "20"], &["hold", "10"]), "10 ok\nafterwards ok\n");
    assert_eq!(said(&["--handles", "20"], &["hold", "50"]), "10 quota\nafterwards ok\n");
    assert_eq!(said(&["--entries", "10"], &["hold", "50"]), "10 quota\nafterwards ok\n");
    // The directory is an entry itself.
    assert_eq!(said(&["--entries", "10"], &["children", "50"]), "9 quota\nafterwards ok\n");
}

#[test]
fn handles_end_in_an_error_and_not_in_a_trap_without_a_limit_too() {
    // A named file is a file and a path, and 4,096 handles are the default limit.
    for provider in ["component", "host"] {
        let said = said_by(provider, &[], &["hold", "20000"]);
        assert_eq!(said, "2048 quota\nafterwards ok\n", "{provider}");
    }
}

#[test]
fn the_largest_spooled_file_moves_to_disk_first() {
    let limit = ["--spool-memory", "100"];
    assert_eq!(
        said(&limit, &["spool", "60", "20", "50"]),
        "60 in disk, true whole\n20 in memory, true whole\n50 in memory, true whole\n"
    );
    assert_eq!(
        said(&limit, &["spool", "30", "80", "70"]),
        "30 in memory, true whole\n80 in disk, true whole\n70 in memory, true whole\n"
    );
    assert_eq!(said(&limit, &["spool", "100"]), "100 in memory, true whole\n");
    // What moves is counted where it goes, and stays where it was if there is no room; of the
    // other, what fits is written.
    assert_eq!(
        said(&["--spool-memory", "100", "--bytes", "40"], &["spool", "60", "50"]),
        "60 in memory, true whole\n50 in disk, true whole\n"
    );
}

#[test]
fn limits_need_a_provider_that_counts() {
    let world = World::new();
    let provider = world.file("provider.wasm", wasi_tempfile_host::components::PROVIDER);
    let provider = provider.to_str().expect("the test's path is text");
    let ended = output(&mut world.run(&["--provider", provider, "--bytes", "1M"], &["ok"]));
    assert_eq!(ended.code, Some(2));
    let [complaint] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(complaint.starts_with("limits need the host or this program's own component"));
    world.assert_nothing_left();
}

#[test]
fn statistics_have_the_peaks() {
    let world = World::new();
    let options = ["--provider", "host", "--stats=json", "--bytes", "10000", "--entries", "7"];
    let figures = output(&mut world.run(&options, &["fill", "50000"])).stderr;
    let figures: serde_json::Value = serde_json::from_str(&figures).expect("one object");
    assert_eq!(figures["peak-bytes"], 10000, "{figures}");
}

#[test]
fn limits_in_the_environment_hold_with_either_provider() {
    for provider in ["host", "component"] {
        let world = World::new();
        let limits = ["--provider", provider, "--env", "SCRATCH_LIMITS=bytes=1000"];
        let ended = output(&mut world.run(&limits, &["fill", "3000"]));
        assert_eq!(ended.stdout, "1000 quota, then quota\nafterwards ok\n", "{provider}");
        // The plugin's own file functions are not counted, so it does not see the directory.
        let ended = output(&mut world.run(&limits, &["see"]));
        assert!(ended.stdout.ends_with("standard library: blind\n"), "{}", ended.stdout);
        // An option comes first.
        let options = [&limits[..], &["--bytes", "2000"]].concat();
        let ended = output(&mut world.run(&options, &["fill", "3000"]));
        assert!(ended.stdout.starts_with("2000 quota"), "{provider}: {}", ended.stdout);
    }
}

#[test]
fn limits_of_another_form_in_the_environment_are_wrong_usage() {
    for provider in ["host", "component"] {
        let world = World::new();
        let options = ["--provider", provider, "--env", "SCRATCH_LIMITS=bites=1000"];
        let ended = output(&mut world.run(&options, &["ok"]));
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let [line] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
        assert!(line.contains("SCRATCH_LIMITS is `bites=1000`"), "{line}");
    }
}

/// WASI answers that there is no such file, which says nothing about the limit.
#[test]
fn a_plugin_that_fails_without_a_view_of_its_paths_is_explained() {
    let hint = "a plugin whose bytes, entries or file sizes are limited cannot open its temporary \
                files by their paths";
    let hints = |options: &[&str], litter: &str, subcommand: &str| {
        let world = World::new();
        let options = [options, &["--env", litter]].concat();
        let ended = output(&mut world.run(&options, &[subcommand]));
        ended.complaints().contains(&hint)
    };
    for ending in ["fail", "panic"] {
        for limit in [["--bytes", "1M"], ["--env", "SCRATCH_LIMITS=entries=9"]] {
            assert!(hints(&limit, "LITTER=named", ending), "{ending}");
            assert!(hints(&limit, "LITTER=directory", ending), "{ending}");
        }
        assert!(!hints(&["--bytes", "1M"], "LITTER=unnamed", ending), "it had no path");
        assert!(!hints(&["--handles", "9"], "LITTER=named", ending), "it sees its paths");
    }
    assert!(!hints(&["--bytes", "1M"], "LITTER=named", "ok"), "it has not failed");
    assert!(!hints(&["--bytes", "1"], "LITTER=named", "panic"), "a limit says it already");
}

#[test]
fn bytes_and_names_are_figures_only_where_they_are_counted() {
    let world = World::new();
    let figures = |options: &[&str]| {
        let options = [&["--stats=json"], options].concat();
        let ended = output(&mut world.run(&options, &["ok"]));
        serde_json::from_str::<serde_json::Value>(&ended.stderr).expect("one object")
    };
    for counted in [&["--bytes", "1MiB"][..], &["--env", "SCRATCH_LIMITS=entries=10"]] {
        assert!(figures(counted)["peak-entries"].as_u64() > Some(0), "{counted:?}");
    }
    for uncounted in [&[][..], &["--handles", "10"]] {
        assert!(figures(uncounted).get("peak-entries").is_none(), "{uncounted:?}");
    }
}
