//! Builds the components that only tests and benchmarks run.

#[path = "../../build/script.rs"]
mod script;

use script::Call;

const CALLS: &[Call] = &[
    Call {
        features: Some("broken-removal"),
        packages: &["tempfile-provider"],
        artifacts: &[("tempfile_provider.wasm", "broken-provider.wasm")],
    },
    Call {
        features: None,
        packages: &["test-plugin", "names-plugin", "sort", "upload", "transform"],
        artifacts: &[
            ("test-plugin.wasm", "test-plugin.wasm"),
            ("names_plugin.wasm", "names-plugin.wasm"),
            ("sort.wasm", "sort.wasm"),
            ("upload.wasm", "upload.wasm"),
            ("transform.wasm", "transform.wasm"),
        ],
    },
    // Without the client's default features: cargo would unify them with those of the others.
    Call {
        features: None,
        packages: &["bare-plugin"],
        artifacts: &[("bare-plugin.wasm", "bare-plugin.wasm")],
    },
];

fn main() {
    let sources = ["tests/plugins", "examples/sort", "examples/upload", "examples/transform"];
    script::build(&script::workspace(2), CALLS, &sources);
}
