//! What protects the host. Wasmtime's defaults serve embedders who trust their guests; each is set here on purpose.

use std::time::Duration;

use wasmtime::{Config, Store};
use wasmtime_wasi::{ResourceTable, WasiCtxBuilder};

use super::{State, engine_error};
use crate::error::Error;

/// What protects the host from the plugins of a sandbox: [`Sandbox::with_guards`](crate::Sandbox::with_guards) sets them,
/// [`Sandbox::guards`](crate::Sandbox::guards) reads them back.
///
/// They stop what no honest plugin does, by a trap where nothing else is said. What a run is meant to get by with is said with each
/// [`Run`](crate::Run): memory, time, and limits of its files.
///
/// ```
/// # fn main() -> Result<(), wasi_tempfile_host::Error> {
/// use wasi_tempfile_host::{Guards, Sandbox};
///
/// let sandbox = Sandbox::with_guards(Guards { fuel: Some(1_000_000_000), ..Guards::default() })?;
/// assert_eq!(sandbox.guards().random_bytes, 1 << 20);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Open descriptors, streams, pollables and handles of a run, on the host's side: 16,384. What the host provides ends at seven
    /// eighths of it with `out-of-handles`; past that a full table is a trap, where a system that is out of descriptors is an error the plugin
    /// can handle. So this should be above the process's limit of open files.
    pub table_entries: usize,
    /// Handles in the tables of plugin, stub and provider together: 65,536. One temporary file takes up to three, and so does a directory.
    pub component_handles: usize,
    /// Bytes that one call of a plugin may make the host copy: 64 MiB. A plugin writes large buffers in one piece, but a list of lists
    /// that all show the same memory must not become gigabytes on this side.
    pub hostcall_fuel: usize,
    /// Random bytes in one call: 1 MiB. Generous for keys and names, and nothing that fills the host's memory.
    pub random_bytes: u64,
    /// Elements in all tables of plugin, stub and provider together, at a pointer each: 1,048,576. They are function pointers, in practice.
    pub table_elements: usize,
    /// Core instances in one run: 256. A composed Rust plugin has about ten.
    pub instances: usize,
    /// Linear memories in one run: 256. Each reserves 4 GiB of addresses, whatever its size. What they hold together is
    /// [`Run::memory`](crate::Run::memory).
    pub memories: usize,
    /// Tables in one run: 256.
    pub tables: usize,
    /// Bytes of stack that a plugin may use: 1 MiB. The host's own calls have another MiB behind that.
    pub wasm_stack: usize,
    /// How much a run may compute, in WebAssembly instructions, roughly; then it ends as [`Ending::OutOfFuel`](crate::Ending::OutOfFuel).
    /// None by default: unlike a timeout it is the same on every machine, and it makes plugins slower.
    pub fuel: Option<u64>,
    /// How long a plugin computes on a thread that it shares ([`Plugin::run_async`](crate::Plugin::run_async)) until others get their
    /// turn: 1 ms. It is at least 100 µs. A runtime whose threads all compute looks for timers and sockets after 61 turns.
    pub turn: Duration,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            table_entries: 16_384,
            component_handles: 65_536,
            hostcall_fuel: 64 << 20,
            random_bytes: 1 << 20,
            table_elements: 1 << 20,
            instances: 256,
            memories: 256,
            tables: 256,
            wasm_stack: 1 << 20,
            fuel: None,
            turn: Duration::from_millis(1),
        }
    }
}

/// Stack that the host's own calls have behind the plugin's, in bytes.
const HOST_STACK: usize = 1 << 20;

impl Guards {
    /// Those that are the engine's.
    pub(super) fn configure(&self, config: &mut Config) {
        config.max_wasm_stack(self.wasm_stack);
        config.async_stack_size(self.wasm_stack.saturating_add(HOST_STACK));
        config.consume_fuel(self.fuel.is_some());
        // A memory that threads share would grow past every limiter.
        config.shared_memory(false);
    }

    /// Those that are the store's.
    pub(super) fn apply(&self, store: &mut Store<State>) -> Result<(), Error> {
        store.set_hostcall_fuel(self.hostcall_fuel);
        store.set_max_component_handles(self.component_handles);
        match self.fuel {
            Some(fuel) => store.set_fuel(fuel).map_err(|error| engine_error("set the fuel", &error)),
            None => Ok(()),
        }
    }

    /// Those that are WASI's.
    pub(super) fn apply_wasi(&self, wasi: &mut WasiCtxBuilder) {
        wasi.max_random_size(self.random_bytes);
        // No address is allowed by default either; without the protocols there is not even a socket to count.
        wasi.allow_tcp(false);
        wasi.allow_udp(false);
        wasi.allow_ip_name_lookup(false);
    }

    /// The one that is the table's.
    pub(super) fn table(&self) -> ResourceTable {
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.table_entries);
        table
    }
}
