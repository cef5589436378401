//! Calls a plugin with a world of its own a thousand times: `embed-world ROOT PLUGIN`.
//!
//! The engine, the data in the store and the bindings are this program's. Each call has an
//! instance, a scratch directory and limits of its own, and one of them traps.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::wasmtime::component::HasSelf;
use wasi_tempfile_host::wasmtime::{Config, Engine, PoolingAllocationConfig};
use wasi_tempfile_host::{
    EngineLimits, Outcome, Plugin, Provider, RunOptions, Sandbox, ScratchRoot, State,
};

/// The bindings of the plugin's world.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all)]
mod bindings {
    wasi_tempfile_host::wasmtime::component::bindgen!({
        path: "../transform/wit",
        exports: { default: async },
        wasmtime_crate: wasi_tempfile_host::wasmtime,
    });
}

/// How many tenants there are, and how often each calls the plugin.
const TENANTS: u32 = 8;
const CALLS: usize = 125;

/// How many calls the pool has room for. Further calls wait.
const AT_ONCE: u32 = 4;

/// The memory of a call, in bytes.
const MEMORY: usize = 16 << 20;

/// The data of a call, for the functions that the plugin imports.
struct Tenant {
    name: String,
}

impl bindings::TransformImports for Tenant {
    fn tenant(&mut self) -> String {
        self.name.clone()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, plugin] = &args[..] else { return Err("usage: embed-world ROOT PLUGIN".into()) };
    let sandbox = Sandbox::builder().engine(engine()?).data().build()?;
    let sandbox = sandbox.with(|linker| {
        bindings::Transform::add_to_linker::<_, HasSelf<Tenant>>(linker, State::data_mut)
    })?;
    let plugin = sandbox.load(&fs::read(plugin)?, Provider::Host)?;
    let root = ScratchRoot::open(root)?;
    tokio::runtime::Builder::new_multi_thread().build()?.block_on(call_all(&plugin, &root))?;
    println!("left in the scratch root: {}", fs::read_dir(root.path())?.count());
    Ok(())
}

/// An engine with a pooling allocator, and with what a sandbox needs.
fn engine() -> Result<Engine, Box<dyn Error>> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(AT_ONCE)
        .total_core_instances(AT_ONCE * 8)
        .total_memories(AT_ONCE * 2)
        .total_tables(AT_ONCE * 8)
        .total_stacks(AT_ONCE)
        .max_memory_size(MEMORY);
    let mut config = Config::new();
    EngineLimits::default().configure(&mut config);
    config.allocation_strategy(pool);
    Ok(Engine::new(&config)?)
}

/// Calls the plugin for all tenants at once, and counts the answers.
async fn call_all(plugin: &Plugin<Tenant>, root: &ScratchRoot) -> Result<(), Box<dyn Error>> {
    let mut tenants = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE as usize));
    for tenant in 0..TENANTS {
        let (plugin, root, places) = (plugin.clone(), root.clone(), places.clone());
        tenants.spawn(async move {
            let mut answers = Vec::new();
            for number in 0..CALLS {
                let input = if (tenant, number) == (0, 60) { "trap" } else { "line\na" };
                let place = places.clone().acquire_owned().await?;
                let name = format!("tenant {tenant}");
                let outcome = call(&plugin, &root, place, name, input).await?;
                let ending = outcome.ending.to_string();
                answers.push(outcome.value.map_or(ending, |answer| format!("{answer:?}")));
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(answers)
        });
    }
    let mut count = BTreeMap::new();
    while let Some(answers) = tenants.join_next().await {
        let answers = answers?.map_err(|error| error as Box<dyn Error>)?;
        answers.into_iter().for_each(|answer| *count.entry(answer).or_insert(0) += 1);
    }
    count.iter().for_each(|(answer, count)| println!("{count} x {answer}"));
    Ok(())
}

async fn call(
    plugin: &Plugin<Tenant>,
    root: &ScratchRoot,
    place: OwnedSemaphorePermit,
    name: String,
    input: &'static str,
) -> Result<Outcome<Result<String, String>>, wasi_tempfile_host::Error> {
    let files = Limits { bytes: Some(1 << 20), handles: Some(16), ..Limits::default() };
    let options = RunOptions::in_root(root)
        .data(Tenant { name })
        // Until the place in the pool is free, also if this call were dropped half-way.
        .hold(place)
        .memory(MEMORY as u64)
        .timeout(Duration::from_secs(60))
        .limits(files);
    plugin
        .call_async(options, move |store, instance| {
            let plugin = bindings::Transform::new(&mut *store, &instance);
            Box::pin(async move { plugin?.call_transform(store, input.as_bytes()).await })
        })
        .await
}
