//! Lists that are written by hand, compared with the text of the interface.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasi_tempfile::interface::ErrorCode;

/// What a WIT file declares, as far as it is needed here.
#[derive(Default)]
struct Declared {
    /// Types that contain a borrowed handle.
    borrowing: Vec<String>,
    /// Functions and methods: the interface, the resource if it is a method, the name, the
    /// parameters.
    functions: Vec<(String, Option<String>, String, String)>,
    /// The names of `enum error-code`.
    codes: BTreeSet<String>,
}

fn wit_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("list the interface") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("wasi") && !path.ends_with("draft-0.3") {
            wit_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            files.push(path);
        }
    }
}

fn declared() -> Declared {
    let (mut files, mut declared) = (Vec::new(), Declared::default());
    wit_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"), &mut files);
    for file in files {
        let text = fs::read_to_string(file).expect("read the interface");
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        declared.add(&text.lines().map(code).collect::<Vec<_>>().join("\n"));
    }
    declared
}

impl Declared {
    fn add(&mut self, text: &str) {
        // The headers of the blocks around the current statement, and the statement so far.
        let (mut blocks, mut statement): (Vec<String>, String) = (Vec::new(), String::new());
        for character in text.chars() {
            match character {
                '{' => blocks.push(std::mem::take(&mut statement)),
                '}' => {
                    let header = blocks.pop().expect("a block that was opened");
                    self.block(&header, &std::mem::take(&mut statement));
                }
                ';' => self.statement(&blocks, &std::mem::take(&mut statement)),
                other => statement.push(other),
            }
        }
    }

    fn block(&mut self, header: &str, body: &str) {
        let mut words = header.split_whitespace().rev();
        let (name, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if matches!(kind, "variant" | "record") && body.contains("borrow<") {
            self.borrowing.push(name.to_owned());
        }
        if (kind, name) == ("enum", "error-code") {
            self.codes.extend(body.split(',').map(|code| code.trim().to_owned()));
            self.codes.remove("");
        }
    }

    fn statement(&mut self, blocks: &[String], statement: &str) {
        let Some((name, rest)) = statement.split_once(": ") else { return };
        let Some((kind, signature)) = rest.split_once("func(") else { return };
        let of = |kind: &str| {
            blocks.iter().find_map(|header| {
                let mut words = header.split_whitespace().skip_while(|word| *word != kind);
                words.nth(1).map(str::to_owned)
            })
        };
        let interface = of("interface").unwrap_or_default();
        let resource = of("resource").filter(|_| !kind.contains("static"));
        let parameters = signature.split("->").next().unwrap_or_default().to_owned();
        let name = name.split_whitespace().next_back().unwrap_or_default().trim_start_matches('%');
        self.functions.push((interface, resource, name.to_owned(), parameters));
    }

    /// Every function that takes a handle: `file.read`, `link`, `streams.reader`.
    fn functions_with_handles(&self) -> BTreeSet<String> {
        let takes = |parameters: &str| {
            let typed =
                |name: &String| parameters.split([':', ',', ')']).any(|word| word.trim() == name);
            parameters.contains("borrow<") || self.borrowing.iter().any(typed)
        };
        let named = self.functions.iter().filter_map(|(interface, resource, name, parameters)| {
            match (resource, interface.as_str()) {
                (Some(resource), _) => Some(format!("{resource}.{name}")),
                (None, _) if !takes(parameters) => None,
                (None, "tempfile") => Some(name.clone()),
                (None, other) => Some(format!("{other}.{name}")),
            }
        });
        named.collect()
    }
}

#[test]
fn every_function_is_called_with_closed_handles() {
    let plugin = include_str!("../../plugins/test-plugin/src/handles.rs");
    let (_, list) = plugin.split_once("const FUNCTIONS").expect("the plugin's list");
    let (list, _) = list.split_once("\n];").expect("the end of the list");
    let name = |line: &str| Some(line.trim().strip_prefix("(\"")?.split_once('"')?.0.to_owned());
    let called: BTreeSet<String> = list.lines().filter_map(name).collect();
    assert_eq!(called, declared().functions_with_handles());
}

/// The source of the cases, a statement each. Those of `closed` alone, or of all.
fn statements(all: bool) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/cases");
    let mut statements = Vec::new();
    for entry in fs::read_dir(directory).expect("list the cases") {
        let path = entry.expect("an entry").path();
        if all || path.ends_with("closed.rs") {
            let text = fs::read_to_string(path).expect("read the cases");
            statements.extend(text.split(';').map(str::to_owned));
        }
    }
    statements
}

#[test]
fn every_function_that_takes_a_handle_is_asserted_to_be_closed() {
    for name in declared().functions_with_handles() {
        let (owner, function) = name.split_once('.').unwrap_or(("", &name));
        // The bridges to WASI have modules of their own.
        let ours = ["", "file", "temp-path", "temp-dir"].contains(&owner);
        let call = format!("{}(", function.replace('-', "_"));
        // These two succeed on a closed handle too.
        let succeeds = ["close", "path"].contains(&function);
        let asserted = statements(!ours).iter().any(|statement| {
            let called = statement.match_indices(&call).any(|(at, _)| {
                let before = statement[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            });
            called && (succeeds || statement.contains("::Closed"))
        });
        assert!(asserted, "no case asserts what {name} answers on a closed handle");
    }
}

/// The lines of the interface's files, but for those of WASI and of the draft.
fn lines() -> Vec<String> {
    let mut files = Vec::new();
    wit_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"), &mut files);
    let read = |file| fs::read_to_string(file).expect("read the interface");
    files
        .into_iter()
        .flat_map(|file| read(file).lines().map(String::from).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_item_of_the_interface_says_since_when_it_is_there() {
    let items = ["interface ", "world ", "use ", "enum ", "record ", "variant ", "resource "];
    let others = ["import ", "include ", "export "];
    let mut since = false;
    for line in lines() {
        let text = line.trim();
        let item = items.iter().chain(&others).any(|item| text.starts_with(item));
        if item || text.contains(": func(") {
            assert!(since, "no @since before {text:?}");
        }
        since = text.starts_with("@since(version = ");
    }
}

/// Some tools copy a comment into a string of their own language.
#[test]
fn no_comment_of_the_interface_has_a_backslash() {
    for line in lines() {
        assert!(!line.contains('\\'), "{line}");
    }
}

#[test]
fn wasi_is_named_in_the_oldest_version_that_has_what_is_used() {
    for line in lines() {
        let versions = line.match_indices("wasi:").filter_map(|(at, _)| line[at..].split_once('@'));
        for (_, version) in versions {
            assert!(version.starts_with("0.2.0"), "{line}");
        }
    }
}

#[test]
fn codes_are_those_of_the_interface() {
    let codes: BTreeSet<String> = ErrorCode::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(codes, declared().codes);
}
