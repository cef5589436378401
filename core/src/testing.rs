//! Sources of randomness for tests: a collision, or a failure, is an ordinary case.

use core::convert::Infallible;
use core::fmt;

use rand_core::TryRng;

/// Bytes 0, 1, 2, … and a count of how many were asked for.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) bytes: usize,
}

/// Nothing but zeros: the same name every time.
pub(crate) struct Zeros;

/// A source that fails.
pub(crate) struct Broken;

#[derive(Debug)]
pub(crate) struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no randomness")
    }
}

impl core::error::Error for NoRandomness {}

macro_rules! source {
    ($name:ident, $error:ty, |$this:ident, $dst:ident| $fill:expr) => {
        impl TryRng for $name {
            type Error = $error;
            fn try_next_u32(&mut self) -> Result<u32, $error> {
                let mut bytes = [0; 4];
                self.try_fill_bytes(&mut bytes)?;
                Ok(u32::from_le_bytes(bytes))
            }
            fn try_next_u64(&mut self) -> Result<u64, $error> {
                let mut bytes = [0; 8];
                self.try_fill_bytes(&mut bytes)?;
                Ok(u64::from_le_bytes(bytes))
            }
            fn try_fill_bytes(&mut self, $dst: &mut [u8]) -> Result<(), $error> {
                let $this = self;
                $fill
            }
        }
    };
}

source!(Counting, Infallible, |this, dst| {
    for byte in dst {
        // A step that is odd and large walks through all bit patterns of a character soon.
        *byte = (this.bytes.wrapping_mul(181) >> 3) as u8;
        this.bytes += 1;
    }
    Ok(())
});
source!(Zeros, Infallible, |_this, dst| {
    dst.fill(0);
    Ok(())
});
source!(Broken, NoRandomness, |_this, _dst| Err(NoRandomness));
