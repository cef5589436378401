//! Runs WebAssembly plugins with private scratch space.
//!
//! A plugin imports the interface `scratch:tempfile`, and usually does so through the crate `wasi-tempfile`. This crate
//! puts a provider of the interface inside the plugin ([`compose`]), gives each run a private directory below a root of the
//! embedder's ([`ScratchRoot`]), limits what it may use, and removes the directory however the run ends: by a return, a trap,
//! exhausted memory, a timeout or an interruption.
//!
//! ```
//! use wasi_tempfile_host::{Capture, Ending, Run, Sandbox, ScratchRoot, components};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new()?;
//! let sort = sandbox.load(components::SORT)?;
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
#![deny(unsafe_code)]

pub mod components;
mod compose;
mod error;
pub mod provider;
mod sandbox;
mod scratch;
pub mod suite;

pub use compose::{PluginPreopens, SCRATCH_GUEST_PATH, compose};
pub use error::{Error, RootCause};
pub use sandbox::{
    Capture, Control, Counters, Ending, Guards, Input, Mount, Outcome, Output, Plugin, Run, Sandbox, State,
    Used,
};
pub use scratch::{CleanupFailure, ScratchDir, ScratchRoot, Sweep};
