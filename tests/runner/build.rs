//! Builds the suite and its witness as components.

#[path = "../../build/script.rs"]
mod script;

use script::Call;

const SUITE: Call = Call {
    features: None,
    packages: &["conformance-component", "conformance-witness"],
    artifacts: &[
        ("conformance-component.wasm", "suite.wasm"),
        ("conformance_witness.wasm", "witness.wasm"),
    ],
};

fn main() {
    let sources =
        ["tests/Cargo.toml", "tests/src", "tests/wit", "tests/component", "tests/witness"];
    script::build(&script::workspace(2), &[SUITE], &sources);
}
