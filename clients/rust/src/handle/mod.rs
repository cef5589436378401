//! The open file inside a [`File`](crate::File).
//!
//! Natively it is a `std::fs::File`, whose cursor belongs to the operating system. In wasm it is
//! the descriptor that the provider gave out, or the provider's handle if it gives out none, and
//! the cursor is this crate's own.
//!
//! Methods with an offset return the interface's `Error`; methods that use the cursor return
//! `io::Error`.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(any(not(target_family = "wasm"), feature = "direct"))]
mod positioned;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::Handle;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::Handle;
