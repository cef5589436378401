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

# Format everything.
fmt:
    cargo fmt --all
