//! The plugin: `upload`, from standard input to standard output.
//!
//! `upload defect` has a defect: it traps with the temporary file open. An embedder can see with it
//! what becomes of that.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == "defect") {
        let _file = wasi_tempfile::NamedTempFile::new();
        panic!("the defect");
    }
    match upload::take_in(std::io::stdin().lock()) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("upload: {error}");
            ExitCode::FAILURE
        }
    }
}
