//! The table of rows, `rows.toml`: each documented behaviour, and the cases and tests that show it.

use serde::Deserialize;

use crate::{Case, find};

/// The table, as it is in the repository.
const TABLE: &str = include_str!("../rows.toml");

/// One documented behaviour.
pub struct Row {
    /// Its id in the table, such as `s000_05`.
    pub id: String,
    /// The behaviour, in one line.
    pub title: String,
    /// The document that describes it.
    pub source: String,
    /// The conformance cases that show it.
    pub cases: Vec<&'static Case>,
    /// The tests outside this suite that show it, as `package::file::function`.
    pub tests: Vec<String>,
    /// The recipes of the Justfile that show what is no test's to show.
    pub recipes: Vec<String>,
    /// Why nothing shows it yet. If there is a reason, there are no cases, tests and recipes.
    pub pending: Option<String>,
}

/// Reads the table. The error names the row that has nothing to show, or names an unknown case.
pub fn read() -> Result<Vec<Row>, String> {
    parse(TABLE)
}

#[derive(Deserialize)]
struct Table {
    row: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    title: String,
    source: String,
    #[serde(default)]
    cases: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    recipes: Vec<String>,
    pending: Option<String>,
}

fn parse(text: &str) -> Result<Vec<Row>, String> {
    let table: Table = toml::from_str(text).map_err(|error| format!("rows.toml: {error}"))?;
    let mut rows: Vec<Row> = Vec::new();
    for entry in table.row {
        let id = &entry.id;
        if rows.iter().any(|row| row.id == *id) {
            return Err(format!("rows.toml: there are two rows {id}"));
        }
        let shown = [&entry.cases, &entry.tests, &entry.recipes];
        match (shown.iter().all(|list| list.is_empty()), &entry.pending) {
            (true, None) => {
                return Err(format!("rows.toml: {id} has nothing to show and no pending reason"));
            }
            (false, Some(_)) => {
                return Err(format!("rows.toml: {id} is pending, but has something to show"));
            }
            (true, Some(_)) | (false, None) => {}
        }
        let case = |name: &String| {
            find(name).ok_or_else(|| format!("rows.toml: {id} names {name}, which is no case"))
        };
        let cases = entry.cases.iter().map(case).collect::<Result<_, _>>()?;
        let Entry { id, title, source, tests, recipes, pending, .. } = entry;
        rows.push(Row { id, title, source, cases, tests, recipes, pending });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(entry: &str) -> String {
        let table = format!("[[row]]\nid = \"x\"\ntitle = \"t\"\nsource = \"s\"\n{entry}");
        parse(&table).err().unwrap_or_else(|| panic!("{table} is accepted"))
    }

    #[test]
    fn the_table_is_complete() {
        let rows = read().unwrap();
        let count = |prefix| rows.iter().filter(|row| row.id.starts_with(prefix)).count();
        assert_eq!([count("s"), count("p"), count("n"), count("r")], [66, 34, 18, 27]);
    }

    #[test]
    fn a_row_without_anything_to_show_is_refused() {
        assert!(refused("").contains("nothing to show and no pending reason"));
    }

    #[test]
    fn a_pending_row_with_something_to_show_is_refused() {
        for shown in [
            "cases = [\"unnamed::round_trip\"]",
            "tests = [\"package::file::function\"]",
            "recipes = [\"ci\"]",
        ] {
            assert!(
                refused(&format!("pending = \"later\"\n{shown}")).contains("is pending, but has")
            );
        }
    }

    #[test]
    fn an_unknown_case_is_refused() {
        assert!(
            refused("cases = [\"unnamed::nothing\"]")
                .contains("unnamed::nothing, which is no case")
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(refused("case = [\"unnamed::round_trip\"]").contains("unknown field"));
    }

    #[test]
    fn two_rows_of_one_id_are_refused() {
        let error = refused(
            "pending = \"a\"\n[[row]]\nid = \"x\"\ntitle = \"\"\nsource = \"\"\npending = \"b\"",
        );
        assert!(error.contains("two rows x"), "{error}");
    }
}
