//! Limits that protect the host from all plugins of a sandbox.
//!
//! Wasmtime's defaults suit embedders who trust their guests; each is set here on purpose.

use std::time::Duration;

use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{ResourceTable, WasiCtxBuilder};

use super::State;
use crate::error::Error;
use crate::provider::Limits;

/// Declares the limits: a public field, its default, and a method that sets it.
macro_rules! engine_limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// Limits that protect the host from the plugins of a sandbox.
        ///
        /// They stop what no honest plugin does; where nothing else is said, by a trap. The limits
        /// that a plugin is expected to meet belong to each run: [`RunOptions`](crate::RunOptions)
        /// has those of memory, time and files.
        ///
        /// ```
        /// # fn main() -> Result<(), wasi_tempfile_host::Error> {
        /// use wasi_tempfile_host::{EngineLimits, Sandbox};
        ///
        /// let limits = EngineLimits::default().fuel(Some(1_000_000_000));
        /// let sandbox = Sandbox::builder().limits(limits).build()?;
        /// assert_eq!(sandbox.limits().random_bytes, 1 << 20);
        /// # Ok(())
        /// # }
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct EngineLimits {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Default for EngineLimits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl EngineLimits {
            $(
                #[doc = concat!("Sets the field `", stringify!($name), "`.")]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}

engine_limits! {
    /// Open descriptors, streams, pollables and handles of a run, on the host's side: 16,384.
    ///
    /// The host provider stops at seven eighths of it with `out-of-handles`; past that a full table
    /// is a trap, while a system without free descriptors is an error that the plugin can handle.
    /// So this should be more than the process's limit of open files.
    resource_table_entries: usize = 16_384;
    /// Handles in the tables of plugin, stub and provider together: 65,536. One temporary file
    /// takes up to three, and so does a directory.
    component_handles: usize = 65_536;
    /// Bytes that one call of a plugin may pass to the host: 4 MiB. The host copies the arguments
    /// before it can refuse the call, so for the time of the call they come on top of
    /// [`RunOptions::memory`](crate::RunOptions::memory). More is a trap: a plugin writes a larger
    /// buffer in several calls, as the Rust client, the provider component and the standard
    /// libraries do. It holds for the value that an export returns, too: a larger one ends the call
    /// as [`Ending::Errored`](crate::Ending::Errored).
    hostcall_fuel: usize = tempfile_core::MAX_WRITE;
    /// Random bytes in one call: 1 MiB.
    random_bytes: u64 = 1 << 20;
    /// Elements in all tables of plugin, stub and provider together, of a pointer each: 1,048,576.
    /// Nearly all of them are function pointers.
    table_elements: usize = 1 << 20;
    /// Core instances in one run: 256. A composed Rust plugin has about ten.
    instances: usize = 256;
    /// Linear memories in one run: 256. Each reserves 4 GiB of addresses, whatever its size; their
    /// sum is limited by [`RunOptions::memory`](crate::RunOptions::memory).
    memories: usize = 256;
    /// Tables in one run: 256.
    tables: usize = 256;
    /// Bytes of stack of a plugin: 1 MiB. Host functions have another MiB behind that.
    wasm_stack: usize = 1 << 20;
    /// How much a run may compute, in WebAssembly instructions, roughly; then it ends as
    /// [`Ending::OutOfFuel`](crate::Ending::OutOfFuel). Unlimited by default: unlike a timeout,
    /// fuel gives the same result on every machine, but it slows down every plugin.
    fuel: Option<u64> = None;
    /// How long a compute-bound plugin keeps a thread that it shares
    /// ([`Plugin::run_async`](crate::Plugin::run_async) says what that means for its other tasks):
    /// 1 ms, at least 100 µs.
    time_slice: Duration = Duration::from_millis(1);
}

/// Stack of host functions, behind the plugin's own, in bytes.
const HOST_STACK: usize = 1 << 20;

impl EngineLimits {
    /// Makes the settings that a sandbox needs in the configuration of an engine:
    /// [epoch interruption](Config::epoch_interruption), the sizes of stacks, whether fuel is
    /// consumed, and neither shared memories nor custom page sizes, which
    /// [`RunOptions::memory`](crate::RunOptions::memory) could not limit.
    ///
    /// For embedders who make the engine themselves: see
    /// [`SandboxBuilder::engine`](crate::SandboxBuilder::engine).
    pub fn configure(&self, config: &mut Config) {
        config.epoch_interruption(true);
        config.max_wasm_stack(self.wasm_stack);
        config.async_stack_size(self.wasm_stack.saturating_add(HOST_STACK));
        config.consume_fuel(self.fuel.is_some());
        // A memory that threads share would grow past every limiter.
        config.shared_memory(false);
        // A memory with such pages may refuse a growth before the limiter hears of it, which would
        // then give back another one.
        config.wasm_custom_page_sizes(false);
    }

    /// Checks that an embedder's engine has the settings that runs need.
    pub(super) fn check(&self, engine: &Engine) -> Result<(), Error> {
        let custom_pages = engine.get_wasm_features().custom_page_sizes();
        let settings = [
            ("epoch_interruption(true)", engine.get_epoch_interruption()),
            ("consume_fuel(true)", self.fuel.is_none() || engine.get_consume_fuel()),
            ("shared_memory(false)", !engine.get_shared_memory()),
            ("wasm_custom_page_sizes(false)", !custom_pages),
        ];
        match settings.into_iter().find(|(_, is_set)| !is_set) {
            Some((setting, _)) => Err(Error::EngineLacks { setting }),
            None => Ok(()),
        }
    }

    /// Refuses limits with which no plugin can run.
    pub(super) fn check_zero(&self) -> Result<(), Error> {
        let limits = [
            ("resource_table_entries", self.resource_table_entries),
            ("component_handles", self.component_handles),
            ("hostcall_fuel", self.hostcall_fuel),
            ("table_elements", self.table_elements),
            ("instances", self.instances),
            ("memories", self.memories),
            ("tables", self.tables),
            ("wasm_stack", self.wasm_stack),
        ];
        let zero = limits.iter().find(|(_, limit)| *limit == 0).map(|(name, _)| *name);
        let fuel = (self.fuel == Some(0)).then_some("fuel");
        let slice = self.time_slice.is_zero().then_some("time_slice");
        match zero.or(fuel).or(slice) {
            Some(option) => Err(Error::Zero { option }),
            None => Ok(()),
        }
    }

    /// Sets the limits of a store.
    pub(super) fn apply<T>(&self, store: &mut Store<State<T>>) -> Result<(), Error> {
        store.set_hostcall_fuel(self.hostcall_fuel);
        store.set_max_component_handles(self.component_handles);
        match self.fuel {
            Some(fuel) => store
                .set_fuel(fuel)
                .map_err(|source| Error::Engine { operation: "set the fuel", source }),
            None => {
                // An embedder's engine may consume fuel where this sandbox does not limit it.
                let _ = store.set_fuel(u64::MAX);
                Ok(())
            }
        }
    }

    /// Sets the limits of WASI.
    pub(super) fn apply_wasi(&self, wasi: &mut WasiCtxBuilder) {
        wasi.max_random_size(self.random_bytes);
        // No address is allowed by default either; without the protocols a plugin cannot even make
        // sockets.
        wasi.allow_tcp(false);
        wasi.allow_udp(false);
        wasi.allow_ip_name_lookup(false);
    }

    /// The limit on handles of a run that sets none: 4,096, or seven eighths of the table if that
    /// is less. WASI needs the last eighth, because it traps if the table is full.
    pub(super) fn default_handles(&self) -> u64 {
        let room = self.resource_table_entries - self.resource_table_entries / 8;
        Limits::DEFAULT_HANDLES.min(room as u64)
    }

    /// An empty table of a run's handles.
    pub(super) fn table(&self) -> ResourceTable {
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.resource_table_entries);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limits: EngineLimits, configure: impl FnOnce(&mut Config)) -> Result<(), Error> {
        let mut config = Config::new();
        configure(&mut config);
        limits.check(&Engine::new(&config).expect("an engine"))
    }

    fn epochs(config: &mut Config) {
        config.epoch_interruption(true);
    }

    #[track_caller]
    fn assert_lacks(missing: &str, limits: EngineLimits, configure: impl FnOnce(&mut Config)) {
        match check(limits, configure) {
            Err(Error::EngineLacks { setting }) => assert_eq!(setting, missing),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_engine_must_have_epoch_interruption() {
        let limits = EngineLimits::default();
        assert_lacks("epoch_interruption(true)", limits, |_| {});
        check(limits, epochs).expect("fit");
    }

    #[test]
    fn an_engine_must_consume_fuel_where_that_is_limited() {
        let limits = EngineLimits::default().fuel(Some(1));
        assert_lacks("consume_fuel(true)", limits, epochs);
        check(limits, |config| limits.configure(config)).expect("fit");
    }

    #[test]
    fn an_engine_must_have_no_memories_that_grow_past_the_limiter() {
        let limits = EngineLimits::default();
        assert_lacks("shared_memory(false)", limits, |config| {
            limits.configure(config);
            config.shared_memory(true);
        });
        assert_lacks("wasm_custom_page_sizes(false)", limits, |config| {
            limits.configure(config);
            config.wasm_custom_page_sizes(true);
        });
    }

    #[test]
    fn an_engine_that_consumes_fuel_serves_a_sandbox_that_does_not_limit_it() {
        let fuelled = EngineLimits::default().fuel(Some(1));
        check(EngineLimits::default(), |config| fuelled.configure(config)).expect("fit");
    }
}
