//! A program written for the `tempfile` crate compiles against this one after its `use` line has
//! changed, and does the same.
#![allow(missing_docs)]

mod theirs {
    include!("compat/program.rs");
}

mod ours {
    use wasi_tempfile as tempfile;
    include!("compat/program.rs");
}

#[test]
fn the_program_runs_with_tempfile() {
    theirs::main().unwrap();
}

#[test]
fn the_program_runs_with_this_crate() {
    ours::main().unwrap();
}
