//! An HTTP service that runs a plugin for every upload: the host, embedded in a program on tokio.
//!
//! ```sh
//! embed-async 127.0.0.1:8080 /var/tmp/my-service upload.wasm
//! curl --data-binary @film.mkv http://127.0.0.1:8080/
//! ```
//!
//! Each request has an instance, a scratch directory and limits of its own; its body is streamed
//! into the plugin's temporary file. A client that hangs up drops the future of its run, whose
//! permit is held until nothing of the run is left.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::io::StreamReader;
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{
    Capture, Ending, Input, Outcome, Plugin, Provider, RunOptions, Sandbox, ScratchRoot,
};

/// How many plugins run at once; further requests wait.
const AT_ONCE: usize = 64;

/// The bytes of an upload at most.
const LARGEST: u64 = 8 << 20;

#[derive(Clone)]
struct Service {
    plugin: Plugin,
    root: ScratchRoot,
    room: Arc<Semaphore>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Logs every plugin that traps, meets a limit or leaves something behind.
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, root, plugin] = &args[..] else {
        return Err("usage: embed-async ADDRESS ROOT PLUGIN.wasm".into());
    };
    let service = Service {
        plugin: Sandbox::new()?.load(&fs::read(plugin)?, Provider::Host)?,
        root: ScratchRoot::open(root)?,
        room: Arc::new(Semaphore::new(AT_ONCE)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(service.serve(address))
}

impl Service {
    async fn serve(self, address: &str) -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        loop {
            // A failed accept (the client is gone, or too many files are open) is not fatal.
            let Ok((connection, _)) = listener.accept().await else { continue };
            let service = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(move |request| service.clone().answer(request));
                let mut server = http1::Builder::new();
                // For the timeout on a client that never ends its headers.
                server.timer(TokioTimer::new());
                let _ = server.serve_connection(TokioIo::new(connection), answer).await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (status, text) = match *request.method() {
            Method::POST => self.upload(request).await,
            _ => (StatusCode::METHOD_NOT_ALLOWED, "an upload is a POST".to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        Ok(response)
    }

    async fn upload(self, request: Request<Incoming>) -> (StatusCode, String) {
        let place = self.room.acquire_owned().await;
        let output = Capture::new(4 << 10);
        let argument = request.uri().path().trim_start_matches('/').to_owned();
        let received = Arc::new(AtomicU64::new(0));
        let count = received.clone();
        let body = request.into_body().map_err(io::Error::other).map_frame(move |frame| {
            let length = frame.data_ref().map_or(0, Bytes::len);
            count.fetch_add(length as u64, Ordering::Relaxed);
            frame
        });
        let run = RunOptions::in_root(&self.root)
            .hold(place)
            .args(["upload".to_owned(), argument])
            .stdin(Input::stream(StreamReader::new(body.into_data_stream())))
            .stdout(&output)
            .memory(16 << 20)
            .timeout(Duration::from_secs(30))
            .limits(Limits { bytes: Some(LARGEST), handles: Some(16), ..Limits::default() });
        match self.plugin.run_async(run).await {
            Ok(outcome) if outcome.ending == Ending::Returned => (StatusCode::OK, output.text()),
            Ok(outcome) => refusal(&outcome, received.load(Ordering::Relaxed)),
            Err(error) => {
                // The text names the root: not for clients.
                eprintln!("{error}");
                (StatusCode::SERVICE_UNAVAILABLE, "no upload can be taken at the moment".to_owned())
            }
        }
    }
}

fn refusal(outcome: &Outcome, received: u64) -> (StatusCode, String) {
    let status = match &outcome.ending {
        Ending::Failed { .. } if received > LARGEST => {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the upload is larger than 8 MiB".to_owned());
        }
        // By a limit, the file system or the process: the counter does not say which.
        Ending::Failed { .. } if outcome.used.refused > 0 => StatusCode::SERVICE_UNAVAILABLE,
        Ending::Failed { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Ending::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, outcome.ending.to_string())
}
