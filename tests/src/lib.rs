//! What a provider of `scratch:tempfile` promises, as cases that run in every placement.
//!
//! A [`Case`] is a small function over the client `wasi-tempfile`, with one behaviour to show. Compiled natively it runs
//! on the operating system; compiled to a component it runs on whatever provider it is composed with. What an outsider
//! would see, it asks its [`World`]. [`cases`] is the one list that all runs are made from.

mod case;
mod cases;
pub mod command;
mod differences;
pub mod rows;
pub mod script;
#[cfg(not(target_arch = "wasm32"))]
pub mod setup;
pub mod witness;
pub mod world;

pub use case::{Case, Grant, Mount, Outcome, Placement, Setup};
pub use cases::{cases, find};
pub use world::World;
