//! The plugin `upload` as an HTTP service: the answer to a request says what its body is.
//!
//! A request to `/defect` makes the plugin trap with a temporary file and a temporary directory
//! open, so that an operator can see what becomes of them. Natively this crate is empty.
#![cfg(target_family = "wasm")]

use std::io::{self, Read, Write};

use wasi_tempfile::error_code;
use wasi_tempfile::interface::ErrorCode;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{InputStream, StreamError};

struct Service;

#[allow(missing_docs, unsafe_code)]
mod export {
    use super::Service;
    wasip2::http::proxy::export!(Service);
}

impl Guest for Service {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        if request.path_with_query().as_deref() == Some("/defect") {
            let _left = (wasi_tempfile::NamedTempFile::new(), wasi_tempfile::tempdir());
            panic!("the defect");
        }
        let (status, text) = match body(&request).and_then(upload::take_in) {
            Ok(summary) => (200, format!("{summary}\n")),
            Err(error) => (status(&error), format!("{error}\n")),
        };
        // Best effort: whoever asked may be gone.
        let _ = respond(response, status, &text);
    }
}

/// Insufficient storage if the plugin has reached its limits or the volume is full.
fn status(error: &io::Error) -> u16 {
    match error_code(error) {
        Some(ErrorCode::Quota | ErrorCode::NoSpace) => 507,
        _ => 500,
    }
}

fn body(request: &IncomingRequest) -> io::Result<Body> {
    let taken = || io::Error::other("the body has been taken");
    let body = request.consume().map_err(|()| taken())?;
    let stream = body.stream().map_err(|()| taken())?;
    Ok(Body { stream, _body: body })
}

/// The body of a request. The stream is dropped first: it is a part of the body.
struct Body {
    stream: InputStream,
    _body: IncomingBody,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.blocking_read(buffer.len() as u64) {
                // The host may wake up early.
                Ok(bytes) if bytes.is_empty() && !buffer.is_empty() => {}
                Ok(bytes) => {
                    buffer[..bytes.len()].copy_from_slice(&bytes);
                    return Ok(bytes.len());
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(io::Error::other(error.to_debug_string()));
                }
            }
        }
    }
}

fn respond(to: ResponseOutparam, status: u16, text: &str) -> io::Result<()> {
    let refused = |()| io::Error::other("the host refused the response");
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).map_err(refused)?;
    let body = response.body().map_err(refused)?;
    ResponseOutparam::set(to, Ok(response));
    let mut stream = body.write().map_err(refused)?;
    stream.write_all(text.as_bytes())?;
    Write::flush(&mut stream)?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| io::Error::other(code.to_string()))
}
