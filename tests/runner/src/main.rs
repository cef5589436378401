//! One case of the suite, in a process of its own: see [`CaseProcess`].
#![deny(unsafe_code)]

use std::process::ExitCode;

use conformance_runner::CaseProcess;

fn main() -> ExitCode {
    match CaseProcess::from_arguments(std::env::args_os().skip(1)) {
        Ok(case) => case.run(),
        Err(wrong) => {
            eprintln!("conformance-case: {wrong}");
            ExitCode::from(2)
        }
    }
}
