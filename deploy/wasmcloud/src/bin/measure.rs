//! Prints what the workload of `workload.yaml` takes of one node: docs/scaling.md has the figures.
//!
//! `deploy/wasmcloud/test --measure` runs it, with the composed plugin in `UPLOAD_HTTP` and the
//! command in `WASI_TEMPFILE`.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use wasmcloud_workload::{Manifest, Node};

/// How many workloads are started.
const WORKLOADS: usize = 20;

/// How many requests are sent before one is answered.
const REQUESTS: usize = 1000;

/// How many entries are swept.
const LEFTOVERS: usize = 100_000;

/// How long the instances may take to be there.
const PATIENCE: Duration = Duration::from_secs(120);

/// The parts. Each runs in a process of its own, so that none sees what another has freed.
const PARTS: [&str; 4] = ["workloads", "pooled requests", "requests", "sweeps"];

fn main() -> Result<()> {
    let Some(part) = std::env::args().nth(1) else {
        for part in PARTS {
            ensure!(Command::new(std::env::current_exe()?).arg(part).status()?.success(), "{part}");
        }
        return Ok(());
    };
    let plugin: Bytes = fs::read(variable("UPLOAD_HTTP")?)?.into();
    let manifest = Manifest::read()?;
    match &*part {
        "workloads" => workloads(&manifest, &plugin),
        "sweeps" => sweeps(),
        part => requests(&manifest, &plugin, part == "pooled requests"),
    }
}

fn variable(name: &str) -> Result<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).with_context(|| format!("{name} is not set"))
}

/// The memory of this process that is in no file, in KiB.
fn memory() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no RssAnon in /proc/self/status")?.parse()?)
}

/// The open descriptors of this process, without sockets, of which some are the client's: all, and
/// those of what is or was in a directory.
fn descriptors(directory: &Path) -> Result<(usize, usize)> {
    let (mut all, mut inside) = (0, 0);
    for entry in fs::read_dir("/proc/self/fd")? {
        // The listing's own is gone by now.
        if let Ok(target) = fs::read_link(entry?.path())
            && !target.to_string_lossy().starts_with("socket:")
        {
            all += 1;
            inside += usize::from(target.starts_with(directory));
        }
    }
    Ok((all, inside))
}

/// Workloads that do nothing: each is compiled code.
fn workloads(manifest: &Manifest, plugin: &Bytes) -> Result<()> {
    let volume = tempfile::tempdir()?;
    let path = volume.path().to_str().context("a path in UTF-8")?;
    let node = Node::start(None)?;
    node.run(manifest.runtime_workload(plugin.clone(), path)?)?;
    let (before, start) = (memory()?, Instant::now());
    for _ in 0..WORKLOADS {
        node.run(manifest.runtime_workload(plugin.clone(), path)?)?;
    }
    let more = memory()?.saturating_sub(before);
    println!(
        "a workload: {} KiB, started in {} ms (of {WORKLOADS})",
        more / WORKLOADS,
        start.elapsed().as_millis() / WORKLOADS as u128
    );
    Ok(())
}

/// Requests of which half of the body has come: each has an instance with an open file.
fn requests(manifest: &Manifest, plugin: &Bytes, pooling: bool) -> Result<()> {
    const HALF: usize = 4096;
    let volume = tempfile::tempdir()?;
    let path = volume.path().canonicalize()?;
    let node = Node::start(Some(pooling))?;
    let text = path.to_str().context("a path in UTF-8")?;
    node.run(manifest.runtime_workload(plugin.clone(), text)?)?;
    let host = &manifest.workload.spec.template.spec.host_interfaces[0].config["host"];
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        2 * HALF
    );
    let send = || -> Result<TcpStream> {
        let mut stream = TcpStream::connect(node.address())?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&[b'x'; HALF])?;
        Ok(stream)
    };
    // What the first request makes once is not counted.
    let first = send()?;
    wait_for(&path, &[], 1)?;
    let (memory_before, (all_before, inside_before)) = (memory()?, descriptors(&path)?);
    let start = Instant::now();
    let streams = (1..REQUESTS).map(|_| send()).collect::<Result<Vec<_>>>()?;
    let refused = wait_for(&path, &streams, REQUESTS)?;
    let live = REQUESTS - 1 - refused;
    ensure!(live > 0, "no request was taken");
    let (all, inside) = descriptors(&path)?;
    println!(
        "with the pooling allocator {}: {} requests at once, {refused} refused; an instance with \
         an open file: {} KiB, {:.1} descriptors in the volume of {:.1}, there after {} µs",
        if pooling { "on" } else { "off" },
        live + 1,
        memory()?.saturating_sub(memory_before) / live,
        (inside - inside_before) as f64 / live as f64,
        (all - all_before) as f64 / live as f64,
        start.elapsed().as_micros() / live as u128,
    );
    let mut answered = 0;
    for mut stream in streams.into_iter().chain([first]) {
        // One that was refused is closed.
        let _ = stream.write_all(&[b'x'; HALF]);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answered += usize::from(answer.starts_with(b"HTTP/1.1 200"));
    }
    ensure!(answered == live + 1, "{answered} answers of {}", live + 1);
    ensure!(fs::read_dir(&path)?.next().is_none(), "something is left in the volume");
    Ok(())
}

/// Waits until so many requests have an open file or have been refused, and returns how many have
/// been refused.
fn wait_for(volume: &Path, streams: &[TcpStream], count: usize) -> Result<usize> {
    let start = Instant::now();
    loop {
        let mut refused = 0;
        for stream in streams {
            stream.set_nonblocking(true)?;
            match stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(_) | Err(_) => refused += 1,
            }
            stream.set_nonblocking(false)?;
        }
        let files = fs::read_dir("/proc/self/fd")?.filter_map(|entry| {
            let target = fs::read_link(entry.ok()?.path()).ok()?;
            Some(target.starts_with(volume) && target != volume)
        });
        if files.filter(|is_file| *is_file).count() + refused >= count {
            return Ok(refused);
        }
        ensure!(start.elapsed() < PATIENCE, "the requests have no files");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Sweeps of one directory: of files that may go, and of some that stay.
fn sweeps() -> Result<()> {
    let volume = tempfile::tempdir()?;
    let path = volume.path();
    let name = |number: usize| {
        let digits = (0..16).map(|place| char::from(b'a' + (number >> (4 * place) & 15) as u8));
        path.join(format!("tmp{}", digits.collect::<String>()))
    };
    for (what, age, removed) in [("stay", "1h", 0), ("go", "0", LEFTOVERS)] {
        for number in 0..LEFTOVERS {
            fs::write(name(number), b"left")?;
        }
        symlink("a", path.join("foreign"))?;
        let start = Instant::now();
        let mut sweep = Command::new(variable("WASI_TEMPFILE")?);
        let output = sweep.args(["sweep", "--composed", "--older-than", age]).arg(path).output()?;
        let took = start.elapsed();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let gone = String::from_utf8(output.stdout)?.matches("removed ").count();
        ensure!(gone == removed, "{gone} removed instead of {removed}");
        println!(
            "a sweep of {LEFTOVERS} files that {what}: {} ms, {} a second",
            took.as_millis(),
            LEFTOVERS as u128 * 1_000_000 / took.as_micros()
        );
        fs::remove_file(path.join("foreign"))?;
    }
    Ok(())
}
