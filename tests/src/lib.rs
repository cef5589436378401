//! The conformance suite of `scratch:tempfile`: cases that run in every placement.
//!
//! A [`Case`] is a small function over the client `wasi-tempfile` that tests one behaviour.
//! Compiled natively it runs on the operating system; compiled to a component it runs on the
//! provider that it is composed with. Its [`World`] shows it the scratch directory as an observer
//! outside the sandbox sees it. All runs are generated from [`cases()`], the list of all cases.

mod case;
mod cases;
pub mod command;
mod differences;
#[cfg(not(target_arch = "wasm32"))]
pub mod rows;
pub mod script;
#[cfg(not(target_arch = "wasm32"))]
pub mod setup;
pub mod witness;
pub mod world;

pub use case::{Case, Grant, Mount, Outcome, Placement, Planted, ScratchAccess, Setup};
pub use cases::{cases, find};
pub use world::World;
