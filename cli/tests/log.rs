//! Events on standard error: `--log` and `RUST_LOG`.

mod support;

use support::{World, output};

#[test]
fn nothing_is_logged_unless_asked_for() {
    let world = World::new();
    assert_eq!(output(world.run(&[], &["forget"]).env_remove("RUST_LOG")).stderr, "");
}

#[test]
fn a_leak_is_logged_by_option_and_by_variable() {
    let world = World::new();
    let by_option = output(&mut world.run(&["--log", "warn"], &["forget"]));
    let by_variable = output(world.run(&[], &["forget"]).env("RUST_LOG", "warn"));
    for ended in [by_option, by_variable] {
        let [line] = ended.stderr.lines().collect::<Vec<_>>()[..] else {
            panic!("{}", ended.stderr)
        };
        assert!(line.contains("WARN") && line.contains("without closing what it had opened"));
        assert!(!line.contains('\x1b'), "no colours, which others than terminals do not know");
        assert_eq!(ended.code, Some(0));
    }
}

#[test]
fn the_option_comes_before_the_variable() {
    let world = World::new();
    let mut run = world.run(&["--log", "off"], &["forget"]);
    assert_eq!(output(run.env("RUST_LOG", "trace")).stderr, "");
}

#[test]
fn a_target_can_be_chosen() {
    let world = World::new();
    let run = |filter: &str| output(&mut world.run(&["--log", filter], &["forget"])).stderr;
    assert_eq!(run("another=trace"), "");
    assert!(run("wasi_tempfile_host=warn").contains("WARN"));
}

#[test]
fn a_variable_of_another_form_is_said_and_the_run_goes_on() {
    let world = World::new();
    let ended = output(world.run(&[], &["ok"]).env("RUST_LOG", "loud"));
    assert_eq!(ended.code, Some(0));
    let [line] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(line.starts_with("RUST_LOG is ignored: "), "{line}");
}

#[test]
fn events_are_one_printable_line_each() {
    let world = World::new();
    // Windows has no names with the first 32 control characters.
    let (name, escaped) = if cfg!(windows) {
        ("ro\u{9b}2Jot", r"ro\u{9b}2Jot")
    } else {
        ("ro\x1b[2Jot\n", r"ro\u{1b}[2Jot\n")
    };
    let root = world.directory(name);
    let mut run = support::command();
    run.args(["run", "--log", "wasi_tempfile_host=trace", "--root"])
        .arg(root)
        .arg(support::PLUGIN)
        .arg("trap");
    let ended = output(&mut run);
    let logged = ended.stderr.lines().filter(|line| !line.starts_with("wasi-tempfile: "));
    assert!(logged.clone().any(|line| line.contains(escaped)), "{}", ended.stderr);
    assert!(logged.clone().all(|line| line.contains("wasi_tempfile_host")), "{}", ended.stderr);
    let obeyed = |c: char| c.is_control() && c != '\n';
    assert!(!ended.stderr.contains(obeyed), "{:?}", ended.stderr);
}
