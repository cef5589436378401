//! Gives memory that was freed back to the system.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much may be freed before the allocator is asked again, in bytes.
const STEP: u64 = 16 << 20;

/// What has been freed since the allocator was last asked.
static FREED: AtomicU64 = AtomicU64::new(0);

/// Records that a run has freed `bytes` of spooled files, and calls `malloc_trim` after every
/// [`STEP`] bytes, which may take some milliseconds.
///
/// Spooled bytes are many small blocks. glibc does not return them to the system when they are
/// freed, so after two hundred runs at once a service would keep gigabytes. Other allocators return
/// unused memory by themselves.
pub(crate) fn freed(bytes: u64) {
    let before = FREED.fetch_add(bytes, Ordering::Relaxed);
    if before < STEP && before.saturating_add(bytes) >= STEP {
        FREED.store(0, Ordering::Relaxed);
        give_back();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    #[allow(unsafe_code, reason = "a function of the C library")]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it takes a number, and may be called by any thread at any time.
        unsafe { malloc_trim(0) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
