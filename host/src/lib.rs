//! Runs WebAssembly plugins with private scratch space.
//!
//! A plugin imports the interface `scratch:tempfile`, and usually does so through the crate `wasi-tempfile`. This crate
//! puts a provider of the interface inside the plugin ([`compose`]), gives each run a private directory below a root of the
//! embedder's ([`ScratchRoot`]), limits what it may use, and removes the directory however the run ends: by a return, a trap,
//! exhausted memory, a timeout or an interruption.
//!
//! ```
//! use wasi_tempfile_host::{Capture, Ending, Run, Sandbox, ScratchRoot};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new()?;
//! # let file = test_plugins::SORT;
//! let sort = sandbox.load(&std::fs::read(file)?)?;
//!
//! let root = ScratchRoot::open_default()?;
//! let output = Capture::new(1 << 20);
//! let outcome = sort.run(
//!     Run::in_root(&root)
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
//! # On which threads
//!
//! [`Plugin::run`] is for a program with threads of its own: it takes the calling thread until the plugin has ended, and does everything
//! there. Nothing is faster. [`Plugin::run_async`] is for a program on tokio, whose threads many tasks share: what may wait for the disk is
//! done where it holds up nobody else, and a plugin that computes gives its thread back after every [turn](Guards::turn).
//!
//! | | `run` | `run_async` |
//! |---|---|---|
//! | making and removing the scratch directory | the calling thread | the runtime's pool for blocking work |
//! | `wasi:filesystem`, files as standard streams | the calling thread | that pool |
//! | `scratch:tempfile` from the host | the calling thread | `block_in_place`: the thread's other tasks move to another one |
//! | a plugin that computes | until it ends | a turn at a time |
//! | stopped in a system call that hangs | see [`Control::abandon`] | ends, unless the call is the host provider's |
//! | given up half-way | – | drop the future |
//!
//! On a runtime with a single thread there is no other one for `block_in_place`: what the host provides then waits there. Loading a plugin
//! compiles it, which takes as long as it takes, on the thread that asks; do it once.
#![deny(unsafe_code)]

pub mod components;
mod compose;
mod error;
pub mod provider;
mod sandbox;
mod scratch;

pub use compose::{PluginPreopens, SCRATCH_GUEST_PATH, compose};
pub use error::{Error, RootCause};
pub use sandbox::{
    Capture, Control, Counters, Ending, Guards, Input, Mount, Outcome, Output, Plugin, Run, Sandbox, State,
    Used,
};
pub use scratch::{CleanupFailure, ScratchDir, ScratchRoot, Sweep};
