//! Builds the component that `wasi-tempfile demo` runs.

#[path = "../build/script.rs"]
mod script;

use script::Call;

const SORT: Call =
    Call { features: None, packages: &["sort"], artifacts: &[("sort.wasm", "sort.wasm")] };

fn main() {
    script::build(&script::workspace(1), &[SORT], &["examples/sort"]);
}
