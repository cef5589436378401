//! Standard input, moved into a temporary file.

use std::io;

pub(crate) fn run(work: &str, count: u64) -> Option<io::Result<u64>> {
    match work {
        "stream" => Some(stream(count)),
        _ => None,
    }
}

/// The host moves the bytes: none of them enters the plugin's memory.
#[cfg(target_family = "wasm")]
fn stream(_: u64) -> io::Result<u64> {
    use wasip2::io::streams::StreamError;

    let (file, input) = (wasi_tempfile::tempfile()?, wasip2::cli::stdin::get_stdin());
    let start = std::time::Instant::now();
    let writer = file.writer(0)?;
    loop {
        match writer.as_stream().blocking_splice(&input, 1 << 20) {
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(io::Error::other(error.to_debug_string()));
            }
        }
    }
    writer.as_stream().blocking_flush().map_err(io::Error::other)?;
    Ok(crate::nanoseconds(start.elapsed()))
}

#[cfg(not(target_family = "wasm"))]
fn stream(_: u64) -> io::Result<u64> {
    Err(crate::unknown("stream"))
}
