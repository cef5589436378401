# The work of this repository, by name. `just --list` shows it.

# Everything that a change has to pass.
ci:
    .ci/run

# All tests; `just test NAME` only those whose name contains NAME.
test *ARGS:
    cargo test {{ARGS}}

# The tour: an external sort in the sandbox.
demo *ARGS:
    cargo run -- demo {{ARGS}}

# The suite in every placement, as the command runs it.
conformance *ARGS:
    cargo run -- conformance {{ARGS}}

# The suite on other hosts: wasmtime-py, Node, Deno, Bun and Chromium. Writes docs/matrix.md; `just
# everywhere --quick` runs a tenth of the cases, `just everywhere --host node` one host.
everywhere *ARGS:
    tests/hosts/everywhere.py {{ARGS}}

# A page that runs the provider in your browser, served on this machine. Needs Node and Python 3.11.
playground *ARGS:
    playground/playground.py serve {{ARGS}}

# A composed plugin as a workload of wasmCloud, on wasmCloud's own runtime; `just wasmcloud NAME`
# runs only tests with that in their name, `just wasmcloud --measure` prints what one node takes.
wasmcloud *ARGS:
    deploy/wasmcloud/test {{ARGS}}

# Random sequences of operations that every placement must answer alike: COUNT of them, beginning
# with SEED.
differential COUNT="10000" SEED="1":
    DIFFERENTIAL_COUNT={{COUNT}} DIFFERENTIAL_SEED={{SEED}} cargo test --test differential

# The reliability figures in full, a line each; `just soak removal` only those whose name contains
# it. docs/soak.md has the last output.
soak *ARGS:
    SOAK=full cargo test -q --test soak -- {{ARGS}}

# How many mutants of core its tests catch, at least 90 in 100: needs cargo-mutants, takes an hour.
mutants *ARGS:
    build/mutants {{ARGS}}

# The tests of the `tempfile` crate against the Rust client, in the placements named, or in all.
tempfile-suite *PLACEMENTS:
    clients/rust/shim/suite/run {{PLACEMENTS}}

# One plugin in Rust, Python, JavaScript and C, compared, and the tests of the clients; `just
# languages rust c` only those two. A language whose tools are missing is named and skipped.
languages *LANGUAGES:
    examples/unpack/test {{LANGUAGES}}

# CPython's own tests of `tempfile`, and ours, with the Python client in a plugin. Needs Python 3.13
# with its tests; `--python PROGRAM` names it.
cpython *ARGS:
    python3 clients/python/tests/run.py {{ARGS}}

# Core's tests and the Rust client's on this system, without the sandbox.
native *ARGS:
    cargo test --locked --features tempfile-core/native -p tempfile-core -p wasi-tempfile {{ARGS}}

# The tests for Windows, cross-built and run under Wine; `--install` installs what that needs, by
# Debian's packages. `just windows core client` only these parts: there are core, client, suite and,
# only if named, host.
windows *ARGS:
    build/windows {{ARGS}}

# What has to work, and whether it does in each placement.
rows *ARGS:
    cargo run -- conformance --rows {{ARGS}}

# How fast it is, beside its peers: `just bench` the whole table, `just bench named` rows with that
# in their name, `--quick` in a hurry.
bench *ARGS:
    cargo bench -p bench -- {{ARGS}}

plugin_pages := "docs/rust.md docs/python.md docs/javascript.md docs/c.md"

# Follow pages of docs/ word for word: their files, their commands, and what those print. A page
# whose tools are missing is named and skipped.
pages *PAGES=(plugin_pages + " docs/hosts.md docs/embedding.md"):
    build/pages {{PAGES}}

# The documentation of every crate, without a warning: in target/doc, `--open` shows it.
doc *ARGS:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --workspace --exclude tempfile-provider \
        --document-private-items {{ARGS}}

# Format everything.
fmt:
    cargo fmt --all

# The packages that are to be published, made and tried; nothing is uploaded. `just package --quick`
# compiles nothing from them.
package *ARGS:
    build/package {{ARGS}}
