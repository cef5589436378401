//! The command `conformance`: what it prints, and that it can fail.

mod support;

use std::collections::HashSet;
#[cfg(unix)]
use std::ffi::OsStr;
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use serde_json::{Value, json};
use support::{World, command, output};
use wasmtime::{Engine, component::Component};

fn conformance(arguments: &[&str]) -> Command {
    let mut command = command();
    command.arg("conformance").args(arguments);
    command
}

/// The objects that `--format json` prints, and the exit code.
fn results(arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let ended = output(conformance(&["--format", "json"]).args(arguments));
    let lines = ended.stdout.lines();
    let results =
        lines.map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    (results, ended.code)
}

#[test]
fn a_broken_provider_fails() {
    let provider = test_plugins::BROKEN_PROVIDER;
    let (results, code) = results(&[
        "--placement",
        "component",
        "--provider",
        provider,
        "--filter",
        "named::removed_on",
    ]);
    assert_eq!(code, Some(1));
    let failed = results.iter().filter(|result| result["outcome"] == "failed");
    for result in failed.clone() {
        assert!(
            !result["detail"].as_str().unwrap_or_default().is_empty(),
            "a failure explains itself: {result}"
        );
    }
    assert_eq!(failed.count(), results.len(), "{results:?}");
}

#[test]
fn a_provider_is_held_to_the_limits_that_it_claims() {
    let world = World::new();
    let provider = world.path("provider.wasm");
    let provider = provider.to_str().expect("a path in UTF-8");
    let written = output(command().args(["component", "-o", provider]));
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let outcomes = |claim: &[&str]| {
        let provider =
            ["--placement", "component", "--provider", provider, "--filter", "up_to_the"];
        let (results, code) = results(&[&provider, claim].concat());
        assert_eq!(code, Some(0), "{results:?}");
        let outcome = |result: &Value| result["outcome"].as_str().unwrap_or_default().to_owned();
        results.iter().map(outcome).collect::<HashSet<_>>()
    };
    assert_eq!(outcomes(&["--claims-limits"]), HashSet::from(["passed".to_owned()]));
    assert_eq!(outcomes(&[]), HashSet::from(["skipped".to_owned()]));
}

/// The suite as a component, with these options besides.
fn component(options: &[&str]) -> Component {
    let world = World::new();
    let file = world.path("suite.wasm");
    let arguments = ["--component", "-o", file.to_str().expect("a path in UTF-8")];
    let written = output(conformance(&arguments).args(options));
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    Component::from_file(&Engine::default(), &file).expect("it is a component")
}

/// The interfaces that a component imports, without those of WASI.
fn foreign_imports(component: &Component) -> Vec<String> {
    let imports = component.component_type();
    let names = imports.imports(component.engine()).map(|(name, _)| name.to_owned());
    names.filter(|name| !name.starts_with("wasi:")).collect()
}

#[test]
fn the_suite_for_another_host_imports_nothing_but_wasi() {
    assert_eq!(foreign_imports(&component(&[])), [""; 0]);
}

#[test]
fn the_suite_without_a_provider_imports_the_interface_and_wasi() {
    let imports = foreign_imports(&component(&["--without-provider"]));
    assert!(!imports.is_empty());
    let is_ours = |name: &String| name.starts_with("scratch:tempfile");
    assert!(imports.iter().all(is_ours), "{imports:?}");
}

#[test]
fn the_list_says_what_a_host_prepares_for_each_case() {
    let listed = output(&mut conformance(&["--list", "--format", "json"]));
    let objects: Vec<Value> =
        listed.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let of = |name: &str| {
        let found = objects.iter().find(|object| object["case"] == name);
        found.unwrap_or_else(|| panic!("{name} is not listed")).clone()
    };
    assert_eq!(objects.len(), conformance_runner::cases().count());
    let limited = of("limits::bytes_up_to_the_limit");
    assert_eq!(limited["needs"], json!(["limits"]));
    assert_eq!(limited["environment"], json!({ "SCRATCH_LIMITS": "bytes=1000" }));
    let granted = of("grants::the_longest_prefix_is_meant");
    assert_eq!(granted["preopens"], json!(["/tmp", "/data", "/data/deep", "/witness"]));
    let planted = of("children::open_opens_no_fifo");
    assert_eq!(planted["planted"], json!([{ "kind": "fifo", "path": "fifo" }]));
    assert_eq!(planted["may_remain"], json!(["fifo"]));
    let seen = of("open_paths::the_standard_library_opens_a_named_file");
    assert_eq!(seen["environment"], json!({ "CONFORMANCE_SEES_SCRATCH": "1" }));
}

#[test]
fn one_object_for_each_case_and_placement() {
    let (results, code) = results(&["--filter", "named::removed_on"]);
    assert_eq!(code, Some(0), "{results:?}");
    let mut seen = HashSet::new();
    for result in &results {
        assert_eq!(result["outcome"], "passed", "{result}");
        assert!(result["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{result}");
        assert!(
            seen.insert((result["placement"].to_string(), result["case"].to_string())),
            "twice: {result}"
        );
    }
    let native = results.iter().filter(|result| result["placement"] == "native").count();
    assert_eq!(native * 3, results.len());
}

#[test]
fn a_skip_says_why() {
    let (results, code) = results(&["--placement", "component", "--filter", "link::is_done_once"]);
    assert_eq!(code, Some(0));
    assert_eq!(results[0]["outcome"], "skipped");
    assert!(
        results[0]["detail"].as_str().is_some_and(|reason| reason.contains("WASI")),
        "{}",
        results[0]
    );
}

#[test]
fn the_list_is_long_and_runs_nothing() {
    let ended = output(&mut conformance(&["--list"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.lines().count() >= 80);
    assert!(ended.stdout.lines().all(|name| name.split("::").count() == 2));
}

#[test]
fn a_list_has_no_format_for_results() {
    for format in ["junit", "html"] {
        let ended = output(&mut conformance(&["--list", "--format", format]));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    }
}

#[test]
fn a_list_is_written_to_a_file() {
    let world = World::new();
    let file = world.path("cases.jsonl");
    let written = output(conformance(&["--list", "--format", "json", "-o"]).arg(&file));
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""), "{}", written.stderr);
    let printed = output(&mut conformance(&["--list", "--format", "json"]));
    assert_eq!(std::fs::read_to_string(&file).expect("the list"), printed.stdout);
}

#[test]
fn a_component_without_the_interface_is_no_provider() {
    let world = World::new();
    let provider = world.file("provider.wasm", b"\0asm\x0d\0\x01\0");
    let provider = provider.to_str().expect("a path in UTF-8");
    let file = world.path("suite.wasm");
    let arguments = ["--component", "--provider", provider, "-o"];
    let ended = output(conformance(&arguments).arg(file));
    let [complaint] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(complaint.ends_with("the provider does not export it"), "{complaint}");
}

#[test]
fn rows_are_a_table() {
    let ended = output(&mut conformance(&["--rows", "--placement", "native"]));
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("row ") && lines[0].contains("native"), "{}", lines[0]);
    // Reasons and tests are indented below their rows.
    let rows = || lines[1..].iter().filter(|line| !line.starts_with(' '));
    let verdicts = ["passed", "skipped", "tested elsewhere", "pending"];
    for row in rows() {
        assert!(verdicts.iter().any(|verdict| row[9..].starts_with(verdict)), "{row}");
    }
    let ids: HashSet<&str> = rows().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids.len(), rows().count());
    assert!(ids.is_superset(&HashSet::from(["s000_01", "s004_08d", "p34", "n13", "r17"])));
}

#[test]
fn rows_are_an_object_each() {
    let (rows, code) = results(&["--rows", "--placement", "native"]);
    assert_eq!(code, Some(0));
    let of = |id: &str| rows.iter().find(|row| row["row"] == id).expect("it is in the table");
    assert_eq!(of("s000_05")["cases"][0], "named::kept_with_a_suffix");
    assert_eq!(of("s000_05")["native"], "passed");
    assert_eq!(of("s000_05")["component"], Value::Null, "that placement was not chosen");
    assert_eq!(of("p25")["native"], "tested elsewhere");
    assert!(of("p25")["tests"][0].is_string(), "{}", of("p25"));
    assert!(of("n19")["pending"].is_string(), "{}", of("n19"));
}

#[test]
fn rows_fail_with_their_cases() {
    let provider = test_plugins::BROKEN_PROVIDER;
    let (rows, code) = results(&["--rows", "--placement", "component", "--provider", provider]);
    assert_eq!(code, Some(1));
    let of = |id: &str| rows.iter().find(|row| row["row"] == id).expect("it is in the table");
    assert_eq!(of("p02")["component"], "failed", "{}", of("p02"));
    assert_eq!(of("p24")["component"], "tested elsewhere");
}

#[test]
fn junit_counts_and_escapes() {
    let provider = test_plugins::BROKEN_PROVIDER;
    let arguments =
        ["--format", "junit", "--provider", provider, "--filter", "named::removed_on_close"];
    let ended = output(&mut conformance(&arguments));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains(r#"tests="3" failures="1" skipped="0""#), "{}", ended.stdout);
    assert!(
        ended.stdout.contains(r#"<testcase classname="native" name="named::removed_on_close""#)
    );
    assert!(
        ended.stdout.contains("<failure>") && ended.stdout.contains("&quot;"),
        "{}",
        ended.stdout
    );
}

#[cfg(unix)]
#[test]
fn a_page_shows_each_failure_and_no_strangers_tags() {
    let world = World::new();
    let name = OsStr::from_bytes(b"<script>alert(1)<img src=x onerror='\"\x1b]0;title\x07\xff");
    let (provider, page) = (world.path("").join(name), world.path("page.html"));
    std::fs::copy(test_plugins::BROKEN_PROVIDER, &provider).expect("copy the provider");
    let mut with_page = conformance(&["--format", "html", "--filter", "named::removed_on_close"]);
    let ended = output(with_page.arg("--provider").arg(&provider).arg("-o").arg(&page));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(1), "", ""));
    let page = std::fs::read_to_string(page).expect("it is UTF-8");
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.ends_with("</html>\n"), "{page}");
    assert!(page.contains("<p class=\"failed\">1 case failed.</p>"), "{page}");
    assert!(page.contains("<summary><code>named::removed_on_close</code>, component</summary>"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;img src=x"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\x1b'));
}

#[test]
fn a_page_has_the_rows_if_they_are_asked_for() {
    let page = output(&mut conformance(&["--rows", "--format", "html", "--placement", "native"]));
    assert_eq!((page.code, &*page.stderr), (Some(0), ""));
    assert!(page.stdout.contains("<h2 id=\"rows\">"), "{}", page.stdout);
    assert!(page.stdout.contains("<th scope=\"row\">s000_05</th>"), "{}", page.stdout);
    assert!(page.stdout.contains("<td class=\"passed\">passed</td>"), "{}", page.stdout);
    let cases = output(&mut conformance(&["--format", "html", "--filter", "removed_on_close"]));
    assert!(!cases.stdout.contains("<h2 id=\"rows\">"), "{}", cases.stdout);
}

#[test]
fn a_filter_that_leaves_nothing_is_wrong_usage() {
    let ended = output(&mut conformance(&["--filter", "no such case"]));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn a_provider_that_is_none_is_refused() {
    for file in ["/no/such/provider.wasm", env!("CARGO_MANIFEST_PATH")] {
        let ended =
            output(&mut conformance(&["--provider", file, "--filter", "named::removed_on_close"]));
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn the_environment_does_not_turn_the_command_into_something_else() {
    let world = World::new();
    let directory = world.directory("case");
    let listed = output(&mut conformance(&["--list"])).stdout;
    let case =
        listed.lines().find(|name| name.contains("named::removed_on_close")).expect("it is listed");
    let expected = output(command().arg("wit"));
    for placement in ["native", "component", "host"] {
        let ended = output(
            command()
                .arg("wit")
                .env("CONFORMANCE_CASE", case)
                .env("CONFORMANCE_PLACEMENT", placement)
                .env("CONFORMANCE_DIRECTORY", &directory)
                .env("CONFORMANCE_SCRATCH", &directory)
                .env("CONFORMANCE_COMPILED", world.file("compiled", "no code")),
        );
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{placement}");
        assert!(ended.stdout == expected.stdout, "{placement}: {}", ended.stdout);
    }
}

#[test]
fn one_case_runs_in_this_process() {
    let world = World::new();
    let case = "named::removed_on_close";
    for placement in ["native", "component", "host"] {
        let directory = world.directory(placement);
        let mut one = conformance(&["--case", case, "--placement", placement, "--directory"]);
        let ended = output(one.arg(&directory).env("TMPDIR", &directory));
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""), "{placement}");
    }
    // The same case fails where the provider is broken.
    let directory = world.directory("broken");
    let provider = test_plugins::BROKEN_PROVIDER;
    let mut one =
        conformance(&["--case", case, "--placement", "component", "--provider", provider]);
    let ended = output(one.arg("--directory").arg(directory));
    assert_eq!(ended.code, Some(1));
    assert!(!ended.stderr.is_empty());
}

#[test]
fn one_case_needs_its_name_one_placement_and_a_directory() {
    let case = "named::removed_on_close";
    for arguments in [
        &["--case", case, "--placement", "native"][..],
        &["--case", case, "--directory", "/tmp"],
        &["--case", "no such case", "--placement", "native", "--directory", "/tmp"],
        &["--placement", "native", "--directory", "/tmp"],
        &["--case", case, "--placement", "native", "--directory", "/tmp", "--list"],
    ] {
        let ended = output(&mut conformance(arguments));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_report_in_a_file_is_what_standard_output_would_be() {
    let world = World::new();
    let report = world.file("report.xml", "old");
    let arguments = ["--placement", "host", "--format", "junit", "--filter", "named::removed_on"];
    let ended = output(conformance(&arguments).arg("-o").arg(&report));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));
    let written = std::fs::read_to_string(&report).expect("read the report");
    let printed = output(&mut conformance(&arguments)).stdout;
    // Times differ, and cases end in any order.
    let cases = |text: &str| {
        let cases = text.lines().map(|line| line.split(" time=").next().map(str::to_owned));
        cases.collect::<HashSet<_>>()
    };
    assert_eq!(cases(&written), cases(&printed));
    assert!(written.ends_with("</testsuite>\n"), "{written}");
}
