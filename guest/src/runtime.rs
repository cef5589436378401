//! The runtime that `std` would bring: an allocator, a panic handler, and state for one thread.
//!
//! With `std` the component would import eight more interfaces of wasi:cli, which not every host
//! has.

use core::cell::OnceCell;

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The component imports no standard error to print the message to.
    core::arch::wasm32::unreachable()
}

/// A cell in a static. An instance of a component has one thread, and is not re-entered.
pub(crate) struct Global<T>(OnceCell<T>);

// SAFETY: wasm32-wasip2 has no threads, so no two can share it.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    pub(crate) const fn new() -> Self {
        Global(OnceCell::new())
    }
}

impl<T> core::ops::Deref for Global<T> {
    type Target = OnceCell<T>;
    fn deref(&self) -> &OnceCell<T> {
        &self.0
    }
}

// The compiler calls `memcmp` and its kin, which on this target come from the C library; nothing
// else of it is linked.
#[link(name = "c")]
unsafe extern "C" {}

/// Where the host puts the strings and lists it passes in. With `std` this comes from the C
/// library; the bindings free what it returns with Rust's allocator, so here it must come from
/// that.
///
/// # Safety
/// As the canonical ABI calls it: `old` is null and `old_size` 0, or both are those of an earlier
/// call with this `align`.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    size: usize,
) -> *mut u8 {
    use alloc::alloc::{Layout, alloc, realloc};
    if size == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: the caller's alignments are powers of two, and sizes are within a 32-bit memory; see
    // above for `old`.
    let new = unsafe {
        if old_size == 0 {
            alloc(Layout::from_size_align_unchecked(size, align))
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_size, align), size)
        }
    };
    if new.is_null() {
        core::arch::wasm32::unreachable()
    }
    new
}
