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

# `--quick` runs a tenth of the cases, `--host node` one host.
# The suite under wasmtime-py, Node, Deno, Bun and Chromium; writes docs/matrix.md.
everywhere *ARGS:
    tests/hosts/everywhere.py {{ARGS}}

# A page that runs the provider in your browser, served on this machine. Needs Node and Python 3.11.
playground *ARGS:
    playground/playground.py serve {{ARGS}}

# `just wasmcloud NAME` runs only tests with that in their name, `just wasmcloud --measure` prints
# what one node takes.
# A composed plugin as a workload of wasmCloud, on wasmCloud's own runtime.
wasmcloud *ARGS:
    deploy/wasmcloud/test {{ARGS}}

# COUNT sequences, beginning with SEED.
# Random sequences of operations that every placement must answer alike.
differential COUNT="10000" SEED="1":
    DIFFERENTIAL_COUNT={{COUNT}} DIFFERENTIAL_SEED={{SEED}} cargo test --test differential

# `just soak removal` runs only those whose name contains that. docs/soak.md has the last output.
# The reliability figures in full, a line each.
soak *ARGS:
    SOAK=full cargo test -q --test soak -- {{ARGS}}

# How many mutants of core its tests catch, at least 90 in 100: needs cargo-mutants, takes an hour.
mutants *ARGS:
    build/mutants {{ARGS}}

# The tests of the `tempfile` crate against the Rust client, in the placements named, or in all.
tempfile-suite *PLACEMENTS:
    clients/rust/shim/suite/run {{PLACEMENTS}}

# `just languages rust c` runs only those two. A language whose tools are missing is named and
# skipped.
# One plugin in Rust, Python, JavaScript and C, compared, and the tests of the clients.
languages *LANGUAGES:
    examples/unpack/test {{LANGUAGES}}

# Needs Python 3.13 with its tests; `--python PROGRAM` names it.
# CPython's own tests of `tempfile`, and ours, with the Python client in a plugin.
cpython *ARGS:
    python3 clients/python/tests/run.py {{ARGS}}

# Core's tests and the Rust client's on this system, without the sandbox.
native *ARGS:
    cargo test --locked --features tempfile-core/native -p tempfile-core -p wasi-tempfile {{ARGS}}

# Everything that compiles for macOS, type-checked for it without warnings, on any system.
macos:
    build/macos

# `--install` installs what that needs, by Debian's packages. `just windows core client` runs only
# these parts; there are core, client, suite, host and soak.
# The tests for Windows, cross-built and run under Wine.
windows *ARGS:
    build/windows {{ARGS}}

# What has to work, and whether it does in each placement.
rows *ARGS:
    cargo run -- conformance --rows {{ARGS}}

# `just bench named` measures the rows with that in their name, `--quick` takes few samples.
# How fast it is, beside its peers.
bench *ARGS:
    cargo bench -p bench -- {{ARGS}}

plugin_pages := "docs/rust.md docs/python.md docs/javascript.md docs/c.md"

# A page whose tools are missing is named and skipped.
# Follow pages of docs/ word for word: their files, their commands, and what those print.
pages *PAGES=(plugin_pages + " docs/hosts.md docs/embedding.md"):
    build/pages {{PAGES}}

# The documentation of every crate, without a warning: in target/doc, `--open` shows it.
doc *ARGS:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --document-private-items \
        --workspace --exclude tempfile-provider {{ARGS}}

# Format everything.
fmt:
    cargo fmt --all

# `just package --quick` compiles nothing from them.
# The packages that are to be published, made and tried; nothing is uploaded.
package *ARGS:
    build/package {{ARGS}}
