//! Copies of an instance that has drawn names already, as a snapshot makes them: no two draw the
//! same name.
//!
//! The instance is that of a component's core module. At rest all that it has is in its memory.

use std::collections::HashSet;
use std::fs;

use getrandom::SysRng;
use rand_core::TryRng;
use test_plugins::NAMES_PLUGIN;
use wasmtime::{Engine, Instance, Linker, Memory, Module, Store, TypedFunc};

use crate::figure::{Scale, Tally, figure};

figure!(copies_of_a_snapshot_share_no_name, a_generator_that_is_seeded_once);

fn copies_of_a_snapshot_share_no_name(scale: Scale) -> Tally {
    let copies = scale.pick(100, 1000);
    let mut tally = draw_in_copies(copies, 100, false);
    tally.add(draw_in_copies(1, scale.pick(10_000, 1_000_000), false));
    tally
}

fn a_generator_that_is_seeded_once() -> Tally {
    draw_in_copies(10, 10, true)
}

fn draw_in_copies(copies: u32, names: u32, seeded_once: bool) -> Tally {
    let mut tally = Tally::default();
    let component = fs::read(NAMES_PLUGIN).expect("read the component");
    let engine = Engine::default();
    let module = Module::new(&engine, core_module(&component)).expect("compile the module");
    let mut seen = HashSet::new();
    let mut first = Drawing::start(&module);
    seen.extend(first.draw(names, seeded_once));
    let snapshot = first.memory.data(&first.store).to_vec();
    for number in 0..copies {
        let mut copy = Drawing::start(&module);
        copy.restore(&snapshot);
        for name in copy.draw(names, seeded_once) {
            tally.expect(seen.insert(name.clone()), || format!("copy {number} draws {name} again"));
        }
    }
    tally.count("copies of an instance", copies.into());
    tally.count("names drawn", (u64::from(copies) + 1) * u64::from(names));
    tally.expect(seen.iter().all(|name| name.len() == "tmp".len() + 16), || "a short name".into());
    tally
}

/// An instance, and how its names are had by the canonical ABI.
struct Drawing {
    store: Store<()>,
    memory: Memory,
    draw: TypedFunc<(u32, u32), u32>,
    release: TypedFunc<u32, ()>,
}

impl Drawing {
    fn start(module: &Module) -> Self {
        let mut store = Store::new(module.engine(), ());
        let mut linker = Linker::new(module.engine());
        // The only import that is called.
        for import in module.imports().filter(|import| import.name() == "get-random-u64") {
            let bits = || SysRng.try_next_u64().expect("randomness");
            linker.func_wrap(import.module(), import.name(), bits).expect("define an import");
        }
        linker.define_unknown_imports_as_traps(module).expect("define the other imports");
        let instance = linker.instantiate(&mut store, module).expect("instantiate the module");
        let initialize: Option<TypedFunc<(), ()>> =
            instance.get_typed_func(&mut store, "_initialize").ok();
        if let Some(initialize) = initialize {
            initialize.call(&mut store, ()).expect("initialize the instance");
        }
        Drawing::of(store, &instance)
    }

    fn of(mut store: Store<()>, instance: &Instance) -> Self {
        Drawing {
            memory: instance.get_memory(&mut store, "memory").expect("it has a memory"),
            draw: instance.get_typed_func(&mut store, "draw").expect("it draws"),
            release: instance
                .get_typed_func(&mut store, "cabi_post_draw")
                .expect("it takes its answer back"),
            store,
        }
    }

    /// Makes it a copy of the instance that had this memory.
    fn restore(&mut self, snapshot: &[u8]) {
        let more = snapshot.len() - self.memory.data_size(&self.store);
        self.memory.grow(&mut self.store, more as u64 / (64 << 10)).expect("memory");
        self.memory.write(&mut self.store, 0, snapshot).expect("as large a memory");
    }

    fn draw(&mut self, count: u32, seeded_once: bool) -> Vec<String> {
        let answer = self.draw.call(&mut self.store, (count, seeded_once.into())).expect("draw");
        let memory = self.memory.data(&self.store);
        let number = |at: usize| {
            let bytes = memory[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(bytes) as usize
        };
        let (text, length) = (number(answer as usize), number(answer as usize + 4));
        let text = String::from_utf8(memory[text..text + length].to_vec()).expect("UTF-8");
        self.release.call(&mut self.store, answer).expect("take the answer back");
        text.lines().map(str::to_owned).collect()
    }
}

/// The first core module of a component: a section with the number 1, after the preamble of eight
/// bytes.
fn core_module(component: &[u8]) -> &[u8] {
    let mut rest = &component[8..];
    loop {
        let id = rest[0];
        let mut size = 0;
        let mut at = 1;
        loop {
            size |= usize::from(rest[at] & 0x7f) << (7 * (at - 1));
            at += 1;
            if rest[at - 1] & 0x80 == 0 {
                break;
            }
        }
        let (section, later) = rest[at..].split_at(size);
        if id == 1 {
            return section;
        }
        rest = later;
    }
}
