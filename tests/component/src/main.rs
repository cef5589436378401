//! The suite as a component: `wasi:cli/run` with `--list`, or with the name of a case.

fn main() -> std::process::ExitCode {
    conformance::command::main()
}
