//! Builds the suite as a component.

#[path = "../../build/script.rs"]
mod script;

use script::Call;

const SUITE: Call = Call {
    features: None,
    packages: &["conformance-component"],
    artifacts: &[("conformance-component.wasm", "suite.wasm")],
};

fn main() {
    let sources = ["tests/Cargo.toml", "tests/src", "tests/wit", "tests/component"];
    script::build(&script::workspace(2), &[SUITE], &sources);
}
