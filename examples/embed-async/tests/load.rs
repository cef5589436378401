//! The service under load: as a process, over loopback.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest, Sha256};
use test_plugins::UPLOAD;

struct Service {
    child: Child,
    address: String,
    directory: PathBuf,
}

impl Service {
    fn start(name: &str) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("make the test's directory");
        let log = fs::File::create(directory.join("log")).expect("make the log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_embed-async"))
            .arg("127.0.0.1:0")
            .args([directory.join("root"), UPLOAD.into()])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("start the service");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it was asked for");
        BufReader::new(stdout).read_line(&mut line).expect("read a line");
        let address = line.trim().strip_prefix("listening on ").expect("it listens").to_owned();
        Self { child, address, directory }
    }

    /// Sends a body, and gives the status and the text of the answer.
    fn post(&self, path: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    fn send(&self, request: &[u8]) -> (u16, String) {
        let mut connection = TcpStream::connect(&self.address).expect("connect");
        let mut answer = Vec::new();
        thread::scope(|scope| {
            let mut sender = connection.try_clone().expect("copy a handle");
            // An answer may come before the body has been read, and the rest is then refused.
            scope.spawn(move || sender.write_all(request).ok());
            // What had arrived before the service hung up is the answer.
            let _ = connection.read_to_end(&mut answer);
        });
        let answer = String::from_utf8(answer).expect("an answer is text");
        let (head, text) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("and a status");
        (status, text.trim_end().to_owned())
    }

    /// Looks until no connection is left, which the service closes just after its last byte, and
    /// counts what it has open then.
    #[track_caller]
    fn open_files(&self) -> usize {
        for _ in 0..100_000 {
            let entries = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs");
            // What has been closed since it was listed has no link.
            let links: Vec<_> =
                entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect();
            let sockets =
                links.iter().filter(|link| link.to_string_lossy().starts_with("socket:")).count();
            if sockets == 1 {
                return links.len();
            }
            thread::yield_now();
        }
        panic!("connections stay open");
    }

    fn scratch(&self) -> usize {
        fs::read_dir(self.directory.join("root")).expect("list the root").count()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).expect("read the log")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn expected(body: &[u8]) -> String {
    let lines = body.iter().filter(|byte| **byte == b'\n').count();
    let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes, {lines} lines, sha256 {digest}", body.len())
}

#[test]
fn a_thousand_requests_of_which_one_in_twenty_traps() {
    const REQUESTS: usize = 1_000;
    let service = Service::start("load");
    // The first run of a plugin opens what all later ones share.
    assert_eq!(service.post("", b"warm").0, 200);
    let before = service.open_files();
    let (next, trapped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= REQUESTS {
                        return;
                    }
                    let body = format!("request {number}\n").repeat(number * 7);
                    if number % 20 == 7 {
                        let (status, text) = service.post("defect", body.as_bytes());
                        assert_eq!(status, 500, "{text}");
                        assert_eq!(
                            text,
                            "the plugin trapped: wasm `unreachable` instruction executed"
                        );
                        trapped.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(
                            service.post("", body.as_bytes()),
                            (200, expected(body.as_bytes()))
                        );
                    }
                }
            });
        }
    });
    assert_eq!(trapped.into_inner(), REQUESTS / 20);
    assert_eq!(service.open_files(), before);
    assert_eq!(service.scratch(), 0, "{}", service.log());
    assert_eq!(service.log().matches("a plugin trapped").count(), REQUESTS / 20);
}

#[test]
fn an_upload_over_the_limit_is_refused_and_leaves_nothing() {
    let service = Service::start("limit");
    let (status, text) = service.post("", &vec![0; 9 << 20]);
    assert_eq!((status, text.as_str()), (413, "the upload is larger than 8 MiB"));
    assert_eq!(
        service.post("", &vec![0; 8 << 20]),
        (200, expected(&vec![0; 8 << 20])),
        "to the byte"
    );
    assert_eq!(service.scratch(), 0);
}

#[test]
fn what_is_no_upload_is_refused() {
    let service = Service::start("method");
    let (status, text) = service.send(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!((status, text.as_str()), (405, "an upload is a POST"));
}

#[test]
fn a_client_that_hangs_up_ends_its_plugin() {
    let service = Service::start("hang-up");
    let mut connection = TcpStream::connect(&service.address).expect("connect");
    connection
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nbegun")
        .expect("send");
    while service.scratch() == 0 {
        thread::yield_now();
    }
    drop(connection);
    while service.scratch() > 0 {
        thread::yield_now();
    }
    assert_eq!(service.post("", b"next"), (200, expected(b"next")));
}
