//! A component that draws names of temporary files, as the provider does: with core, and from the
//! system's source. Its instance is copied as it is, the way a snapshot is.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::convert::Infallible;

use getrandom::SysRng;
use rand_core::TryRng;
use tempfile_core::{Options, under_new_name};

/// Generated from the world in the text.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package test:names;
            world names {
                /// Names, a line each: from the system's source, or from a generator that is seeded
                /// from it once.
                export draw: func(count: u32, seeded-once: bool) -> string;
            }
        ",
    });
    export!(Names with_types_in self);
    use super::Names;
}

struct Names;

impl bindings::Guest for Names {
    fn draw(count: u32, seeded_once: bool) -> String {
        let mut names = String::new();
        for _ in 0..count {
            let options = Options::default();
            let drawn = match seeded_once {
                false => under_new_name(&options, &mut SysRng, |_| Ok(())),
                true => GENERATOR.with_borrow_mut(|generator| {
                    let generator = generator.get_or_insert_with(Generator::seeded);
                    under_new_name(&options, generator, |_| Ok(()))
                }),
            };
            let ((), name) = drawn.expect("a name");
            names.push_str(&name);
            names.push('\n');
        }
        names
    }
}

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// What the provider must not have: a generator whose state a snapshot copies.
struct Generator(u64);

impl Generator {
    fn seeded() -> Self {
        Generator(SysRng.try_next_u64().expect("randomness"))
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| bits as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        // The multiplier of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok(self.0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
        Ok(())
    }
}
