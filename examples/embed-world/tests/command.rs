//! The program, run as a process.

use std::fs;
use std::path::Path;
use std::process::Command;

use test_plugins::TRANSFORM;

#[test]
fn a_thousand_calls_have_the_outcomes_of_commands_and_leave_nothing() {
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("world-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("make the test's directory");
    let output = Command::new(env!("CARGO_BIN_EXE_embed-world"))
        .arg(directory.join("root"))
        .arg(TRANSFORM)
        .output()
        .expect("start the program");
    fs::remove_dir_all(directory).expect("remove the test's directory");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut expected = "124 x Ok(\"tenant 0: a line\")\n".to_owned();
    expected.extend((1..8).map(|tenant| format!("125 x Ok(\"tenant {tenant}: a line\")\n")));
    expected += "1 x the plugin trapped: wasm `unreachable` instruction executed\n";
    expected += "left in the scratch root: 0\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{stderr}");
    assert!(output.status.success(), "{stderr}");
}
