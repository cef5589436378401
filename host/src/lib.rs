//! The wasmtime host of wasi-tempfile: runs WebAssembly plugins with private scratch space.
//!
//! A plugin imports the interface `scratch:tempfile`, usually through the crate `wasi-tempfile`.
//! This crate serves that interface from the host or from a provider component inside the plugin
//! ([`Provider`]), gives each run a private directory below a root of the embedder's
//! ([`ScratchRoot`]), limits what the run may use, and removes the directory however the run ends:
//! by a return, a trap, exhausted memory, a timeout or an interruption.
//!
//! ```
//! use wasi_tempfile_host::{Capture, Ending, Provider, RunOptions, Sandbox, ScratchRoot};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new()?;
//! # let file = test_plugins::SORT;
//! let sort = sandbox.load(&std::fs::read(file)?, Provider::Host)?;
//!
//! let root = ScratchRoot::open_default()?;
//! let output = Capture::new(1 << 20);
//! let outcome = sort.run(
//!     RunOptions::in_root(&root)
//!         .args(["sort"])
//!         .stdin("pear\napple\n")
//!         .stdout(&output)
//!         .memory(16 << 20),
//! )?;
//!
//! assert_eq!(outcome.ending, Ending::Returned);
//! assert_eq!(output.text(), "apple\npear\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Your engine, your data, your world
//!
//! * [`Sandbox::builder`] takes an [`Engine`](wasmtime::Engine) of yours, with a pooling allocator,
//!   say. [`EngineLimits::configure`] sets what a sandbox needs in its `Config`.
//! * [`RunOptions::data`] puts a value of yours into the run's [`State`], where the host functions
//!   find it that [`Sandbox::with`] adds.
//! * [`Plugin::run`] and [`Plugin::run_async`] run a command, which exports `wasi:cli/run`.
//!   [`Plugin::call`] and [`Plugin::call_async`] call a plugin with any other world, through
//!   bindings that [`wasmtime::component::bindgen!`] generated. Directory, limits, timeout,
//!   [`Outcome`] and cleanup are the same. `examples/embed-world` does all of this.
//!
//! # Threads
//!
//! [`Plugin::run`] and [`Plugin::call`] block the calling thread until the plugin ends, and are the
//! fastest. [`Plugin::run_async`] and [`Plugin::call_async`] are for tokio: file system calls run
//! where the table says, compute-bound plugins yield after a [time
//! slice](EngineLimits::time_slice), and dropping the future stops the run and removes its
//! directory.
//!
//! | | `run`, `call` | `run_async`, `call_async` |
//! |---|---|---|
//! | making and removing the scratch directory | the calling thread | the runtime's blocking pool |
//! | `wasi:filesystem`, files as streams | the calling thread | the sandbox's blocking threads |
//! | the host provider | the calling thread | `block_in_place`, if there are other workers |
//! | a compute-bound plugin | until it ends | a time slice at a time |
//! | stopped in a hanging system call | see [`Control::abandon`] | ends, but in the host provider |
//! | given up | – | drop the future |
//!
//! A current-thread runtime has no other worker, so a call of the host provider stalls its tasks.
//! The blocking pool of your runtime makes and removes directories, and that of the sandbox does
//! the rest; [`SandboxBuilder::blocking_threads`] limits the threads of both. Loading a plugin
//! compiles it on the calling thread; do it once, and let [`SandboxBuilder::cache`] keep the code.
//!
//! All runs share the descriptors of your process. Give each a limit on
//! [handles](Limits::handles), streams among them, so that one cannot take what the
//! others and your own code need. The default, 4,096, is more than many processes may open.
//!
//! # The limits of your process
//!
//! [`check_process`] says whether the system lets the process start the threads and open the
//! descriptors of a run; [`SandboxBuilder::build`] asks it. Handle or ignore SIGXFSZ, which is the
//! program's and not a library's: then a write past `ulimit -f` is the plugin's `file-too-large`,
//! and does not end the process. With [`Provider::Component`] and mounts, set the umask 077: WASI
//! has no modes.
#![deny(unsafe_code)]

mod blocking;
pub mod components;
mod compose;
mod error;
pub mod provider;
mod sandbox;
mod scratch;
mod system;
mod trim;

pub use compose::{PluginPreopens, SCRATCH_GUEST_PATH, compose};
pub use error::{Error, MountCause, RootCause, Source};
pub use sandbox::{
    CallFuture, Capture, Control, Counters, Disposal, Ending, EngineLimits, Input, Mount, Outcome,
    Output, Plugin, Provider, RunOptions, Sandbox, SandboxBuilder, ScratchAccess, State, Used,
    check_process,
};
pub use scratch::{CleanupFailure, ComposedSweep, ScratchDir, ScratchRoot, Sweep};
#[doc(inline)]
pub use tempfile_core::{Counts, Limits, Usage};
/// The engine, in the version whose types this crate's interface has.
pub use wasmtime;
/// WASI, in the version that a store of your own needs beside [`provider`].
pub use wasmtime_wasi;

/// The README's program is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
