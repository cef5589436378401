//! A node of wasmCloud in this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Result;
use tokio::runtime::Runtime;
use wash_runtime::engine::Engine;
use wash_runtime::host::{Host, HostApi, HostBuilder};
use wash_runtime::plugin::wasi_http::HttpServer;
use wash_runtime::types::{Workload, WorkloadStartRequest};

/// How often another port is tried: what is free may be taken a moment later.
const PORTS: usize = 16;

/// A host of wasmCloud with an HTTP server, until it is dropped.
pub struct Node {
    runtime: Runtime,
    host: Arc<Host>,
    address: SocketAddr,
}

impl Node {
    /// Starts a host on a free port. `pooling` chooses wasmtime's allocator of instances; without a
    /// choice the runtime makes its own.
    ///
    /// # Errors
    ///
    /// If no host can be started.
    pub fn start(pooling: Option<bool>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let attempt = || {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            let engine = Engine::builder();
            let engine = match pooling {
                Some(pooling) => engine.with_pooling_allocator(pooling),
                None => engine,
            };
            let host = HostBuilder::new()
                .with_engine(engine.build()?)
                .with_plugin(Arc::new(HttpServer::new(address)))?
                .build()?;
            anyhow::Ok((runtime.block_on(host.start())?, address))
        };
        let mut started = attempt();
        for _ in 1..PORTS {
            started = started.or_else(|_| attempt());
        }
        let (host, address) = started?;
        Ok(Self { runtime, host, address })
    }

    /// Starts a workload.
    ///
    /// # Errors
    ///
    /// If the host refuses it.
    pub fn run(&self, workload: Workload) -> Result<()> {
        self.runtime.block_on(self.host.workload_start(WorkloadStartRequest { workload }))?;
        Ok(())
    }

    /// Where the host serves HTTP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.host.clone().stop());
    }
}
