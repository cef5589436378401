//! The repository's own rules: line width, no paths of a machine, links that resolve, documents and
//! the table of rows that name what exists.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use conformance::{Case, cases, find, rows};

/// The widest line that is allowed, in characters.
const WIDTH: usize = 100;

/// A file under version control.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        let extension = Path::new(&self.path).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text files under version control, but for vendored WIT packages.
fn sources() -> Vec<Source> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(repository()).output();
    let listed = listed.expect("run git");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("names in UTF-8");
    let source = |path: &str| {
        let text = fs::read_to_string(repository().join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    let sources: Vec<Source> = names
        .split('\0')
        .filter(|path| !path.is_empty() && !path.starts_with("wit/wasi/"))
        .filter_map(source)
        .collect();
    assert!(sources.len() > 100, "{} files are too few: is this a clone?", sources.len());
    sources
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// The lines of a file with their numbers, without table rows in Markdown and doc comments and
/// program output in Markdown: those cannot be broken.
fn breakable_lines(source: &Source) -> Vec<(usize, &str)> {
    let markdown = source.has_extension(&["md"]);
    let mut in_output = false;
    let mut lines = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        if markdown && line.starts_with("```") {
            in_output = line == "```text";
        }
        let trimmed = line.trim_start();
        let text = match markdown {
            true => Some(trimmed),
            false => trimmed.strip_prefix("//!").or_else(|| trimmed.strip_prefix("///")),
        };
        let in_table = text.is_some_and(|text| text.trim_start().starts_with('|'));
        if !(in_table || markdown && in_output) {
            lines.push((number + 1, line));
        }
    }
    lines
}

#[test]
fn lines_are_at_most_100_columns_wide() {
    let mut wide = Vec::new();
    for source in sources() {
        if source
            .has_extension(&["rs", "wit", "md", "toml", "py", "js", "mjs", "ts", "c", "h", "css"])
        {
            for (number, line) in breakable_lines(&source) {
                let width = line.chars().count();
                if width > WIDTH {
                    wide.push(format!("{}:{number}: {width} columns", source.path));
                }
            }
        }
    }
    assert_none(&wide, "these lines are too wide");
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    // In pieces, so that this file does not contain what it looks for.
    let homes = ["home", "root", "Users", "work"].map(|directory| format!("/{directory}/"));
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            let starts = |home: &String| {
                line.match_indices(home.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || "./_-}~*".contains(c))
                })
            };
            if homes.iter().any(starts) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_none(&found, "these lines name a directory of one machine");
}

/// The targets of a document's links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines()
        .filter(move |line| {
            code ^= line.starts_with("```");
            !code
        })
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
}

/// The anchors of a document's headings, as the forges derive them.
fn anchors(text: &str) -> HashSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_between_documents_resolve() {
    let mut broken = Vec::new();
    for document in sources().iter().filter(|source| source.has_extension(&["md"])) {
        let directory = repository().join(&document.path).parent().expect("a file").to_owned();
        for link in links(&document.text) {
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => repository().join(&document.path),
                file => directory.join(file),
            };
            let anchored =
                || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor));
            if !target.exists() || !(anchor.is_empty() || anchored()) {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert_none(&broken, "these links lead nowhere");
}

#[test]
fn cases_named_in_documents_exist() {
    let names: Vec<String> = cases().map(Case::name).collect();
    let modules: HashSet<&str> = names.iter().filter_map(|name| name.split("::").next()).collect();
    let identifier = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let (mut named, mut missing) = (0, Vec::new());
    for document in sources().iter().filter(|source| source.has_extension(&["md"])) {
        for quoted in document.text.split('`') {
            let Some((module, function)) = quoted.split_once("::") else { continue };
            // Every such name in semantics.md is a case; elsewhere it may be a path of Rust's.
            let meant = modules.contains(module) || document.path.ends_with("semantics.md");
            if identifier(module) && identifier(function) && meant {
                named += 1;
                if find(quoted).is_none() {
                    missing.push(format!("{}: {quoted}", document.path));
                }
            }
        }
    }
    assert_none(&missing, "these cases do not exist");
    assert!(named > 50, "only {named} names of cases were found");
}

#[test]
fn tests_named_in_documents_exist() {
    let sources = sources();
    let (mut named, mut missing) = (0, Vec::new());
    for document in sources.iter().filter(|source| source.has_extension(&["md"])) {
        for quoted in document.text.split('`') {
            let Some((file, function)) = quoted.split_once(".rs::") else { continue };
            named += 1;
            let (file, function) = (format!("{file}.rs"), format!("fn {function}("));
            let mut files = sources.iter().filter(|source| source.path == file);
            if !files.any(|source| source.text.contains(&function)) {
                missing.push(format!("{}: {quoted}", document.path));
            }
        }
    }
    assert_none(&missing, "these tests do not exist");
    assert!(named > 10, "only {named} names of tests were found");
}

/// Whether a name begins with a row's id, such as `s000_05_` or `r13_`.
fn has_row_id(name: &str) -> bool {
    let digits = name.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    name.starts_with(['s', 'p', 'n', 'r'])
        && (2..=3).contains(&digits)
        && name[1 + digits..].starts_with('_')
}

#[test]
fn names_carry_no_row_ids() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.has_extension(&["rs", "py", "js"])) {
        if source.path.split('/').any(has_row_id) {
            found.push(source.path.clone());
        }
        let functions =
            ["fn ", "def ", "function "].map(|keyword| source.text.split(keyword).skip(1));
        let named = functions.into_iter().flatten().filter(|rest| has_row_id(rest));
        found.extend(named.map(|rest| format!("{}: {:.60}", source.path, rest.replace('\n', " "))));
    }
    assert_none(&found, "ids belong in tests/rows.toml");
    assert!(has_row_id("s000_05_kept") && has_row_id("r13_kill") && !has_row_id("r1_x"));
}

/// The files that a test's path may mean: `package::file::function`, where `file` may have parts.
fn candidates(path: &str, sources: &[Source]) -> Option<Vec<String>> {
    let mut parts: Vec<&str> = path.split("::").collect();
    parts.pop()?;
    let package = format!("[package]\nname = \"{}\"\n", parts.first()?);
    let manifest = sources
        .iter()
        .find(|source| source.path.ends_with("Cargo.toml") && source.text.contains(&package))?;
    let directory = manifest.path.trim_end_matches("Cargo.toml");
    let file = parts[1..].join("/");
    let places = ["tests/{}.rs", "tests/{}/main.rs", "src/{}.rs", "src/{}/mod.rs"];
    Some(places.iter().map(|place| format!("{directory}{}", place.replace("{}", &file))).collect())
}

#[test]
fn tests_named_in_rows_exist() {
    let sources = sources();
    let mut missing = Vec::new();
    for row in rows::read().unwrap() {
        for test in &row.tests {
            let function = format!("fn {}(", test.rsplit("::").next().unwrap_or_default());
            let files = candidates(test, &sources).unwrap_or_default();
            let mut files = sources.iter().filter(|source| files.contains(&source.path));
            if !files.any(|source| source.text.contains(&function)) {
                missing.push(format!("{}: {test}", row.id));
            }
        }
    }
    assert_none(&missing, "rows.toml names tests that do not exist");
}

/// The names of the Justfile's recipes.
fn recipes() -> HashSet<String> {
    let text = fs::read_to_string(repository().join("Justfile")).expect("read the Justfile");
    let recipes: HashSet<String> = text
        .lines()
        .filter(|line| line.ends_with(':') && !line.starts_with(['#', ' ']))
        .filter_map(|line| line.split([' ', ':']).next().map(str::to_owned))
        .collect();
    assert!(recipes.contains("ci"), "{recipes:?}");
    recipes
}

#[test]
fn recipes_named_in_rows_exist() {
    let (recipes, rows) = (recipes(), rows::read().unwrap());
    let named = rows.iter().flat_map(|row| row.recipes.iter().map(|recipe| (&row.id, recipe)));
    let missing: Vec<String> = named
        .filter(|(_, recipe)| !recipes.contains(recipe.as_str()))
        .map(|(id, recipe)| format!("{id}: {recipe}"))
        .collect();
    assert_none(&missing, "rows.toml names recipes that the Justfile does not have");
}

#[test]
fn recipes_named_in_documents_exist() {
    let recipes = recipes();
    let (mut named, mut missing) = (0, Vec::new());
    for document in sources().iter().filter(|source| source.has_extension(&["md"])) {
        for (at, found) in document.text.match_indices("just ") {
            // In a line of text it is a word, unless it is quoted.
            let (before, after) = (&document.text[..at], &document.text[at + found.len()..]);
            let in_block = before.ends_with('\n') && before.matches("```").count() % 2 == 1;
            let name: String =
                after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            if (before.ends_with('`') || in_block) && !name.starts_with('-') {
                named += 1;
                if !recipes.contains(&name) {
                    missing.push(format!("{}: just {name}", document.path));
                }
            }
        }
    }
    assert_none(&missing, "these recipes do not exist");
    assert!(named > 10, "only {named} recipes were found");
}

/// The recipes of the Justfile that take arguments.
fn recipes_with_arguments() -> HashSet<String> {
    let text = fs::read_to_string(repository().join("Justfile")).expect("read the Justfile");
    let takes = |line: &&str| line.ends_with(':') && line.contains(' ') && !line.starts_with('#');
    let names = text.lines().filter(takes).filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn recipes_that_the_workflow_runs_exist() {
    let (recipes, with_arguments) = (recipes(), recipes_with_arguments());
    let (mut named, mut wrong) = (0, Vec::new());
    for workflow in sources().iter().filter(|source| source.path.starts_with(".github/")) {
        for line in workflow.text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let mut words = line.split_whitespace();
            if !words.any(|word| word == "just") {
                continue;
            }
            named += 1;
            let name = words.next().unwrap_or_default();
            let takes = words.next().is_none() || with_arguments.contains(name);
            if !recipes.contains(name) || !takes {
                wrong.push(format!("{}: {}", workflow.path, line.trim()));
            }
        }
    }
    assert_none(&wrong, "the Justfile has no such recipe, or none that takes arguments");
    assert!(named >= 4, "only {named} recipes were found");
}

#[test]
fn the_workflow_names_a_version_of_each_action() {
    for workflow in sources().iter().filter(|source| source.path.starts_with(".github/")) {
        let used = workflow.text.lines().filter_map(|line| line.split_once("uses: "));
        let loose: Vec<String> = used
            .map(|(_, action)| action.trim())
            .filter(|action| {
                !action.rsplit_once("@v").is_some_and(|(_, version)| {
                    version.starts_with(|first: char| first.is_ascii_digit())
                })
            })
            .map(|action| format!("{}: {action}", workflow.path))
            .collect();
        assert_none(&loose, "these actions have no version");
    }
}
