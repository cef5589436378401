//! The test plugin in wasmtime stores of an embedder's own: nothing of the sandbox helps it to end.

use std::fs;
use std::future::{Future, poll_fn};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use wasi_tempfile_host::provider::{self, TempfileCtx, TempfileCtxView, TempfileView};
use wasi_tempfile_host::{PluginPreopens, SCRATCH_GUEST_PATH, ScratchDir, components, compose};
use wasmtime::component::{Component, Linker, Resource, ResourceTable};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::bindings::filesystem::types::{Descriptor, HostDescriptor};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView, async_trait};

use crate::plugins::Provider;
use crate::support::PLUGIN;

/// An engine, and the plugin in it.
pub(crate) struct Embedder {
    engine: Engine,
    plugin: CommandPre<State>,
    provider: Provider,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
    limits: StoreLimits,
    unlink_fails: Arc<AtomicBool>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        self.tempfile.view(&mut self.table)
    }
}

/// What an instance is given.
pub(crate) struct Given<'a> {
    pub(crate) arguments: &'a [&'a str],
    pub(crate) litter: &'a str,
    /// What its code may cost.
    pub(crate) fuel: u64,
    /// What its memories may have, in bytes.
    pub(crate) memory: usize,
    pub(crate) first_line: FirstLine,
    pub(crate) input: Input,
}

impl Default for Given<'_> {
    fn default() -> Self {
        Given {
            arguments: &[],
            litter: "named",
            fuel: u64::MAX,
            memory: 1 << 28,
            first_line: FirstLine::IsHeard,
            input: Input::Ended,
        }
    }
}

/// What the host does when the plugin says its first line: the point that a plugin has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstLine {
    /// It is this process's own.
    IsHeard,
    IsIgnored,
    /// The time of every instance is up.
    EndsTheEpoch,
    /// The host's own function fails.
    Fails,
    /// From then on the host's function fails by which a provider component removes a name: in a
    /// destructor, if that is where it does so.
    LetsUnlinkFail,
}

/// The plugin's standard input.
#[derive(Clone)]
pub(crate) enum Input {
    Ended,
    /// Never anything, and never the end. The future of whoever waits for it is dropped.
    Never,
    /// It ends when standard input of this process does.
    Process,
}

/// How an instance ended.
#[derive(Debug)]
pub(crate) enum End {
    Returned,
    /// In words, the causes too.
    Failed(String),
    /// It waited for what never comes.
    Dropped,
}

fn configured() -> Engine {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(1 << 16)
        .async_stack_size(1 << 19);
    Engine::new(&config).expect("an engine")
}

impl Embedder {
    pub(crate) fn new(provider: Provider) -> Self {
        let engine = configured();
        let plugin = fs::read(PLUGIN).expect("read the plugin");
        let component = match provider {
            Provider::Component => compose(&plugin, components::PROVIDER, PluginPreopens::Granted)
                .expect("compose the plugin"),
            Provider::Host => plugin,
        };
        let component = Component::new(&engine, component).expect("compile the plugin");
        Self::link(engine, &component, provider)
    }

    fn link(engine: Engine, component: &Component, provider: Provider) -> Self {
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("link WASI");
        match provider {
            Provider::Component => serve_unlink(&mut linker).expect("link one function anew"),
            Provider::Host => {
                provider::add_to_linker_async(&mut linker).expect("link the provider")
            }
        }
        let plugin =
            linker.instantiate_pre(component).and_then(CommandPre::new).expect("link the plugin");
        Embedder { engine, plugin, provider }
    }

    /// Keeps the machine code for another process of this program.
    pub(crate) fn store(&self, file: &Path) {
        let code = self.plugin.instance_pre().component().serialize().expect("keep the plugin");
        fs::write(file, code).expect("write the plugin");
    }

    /// Takes what [`store`](Self::store) kept.
    pub(crate) fn load(provider: Provider, file: &Path) -> Self {
        let engine = configured();
        // SAFETY: this program's other process wrote it, in a directory of the test's own, and
        // waits for this one.
        let component =
            unsafe { Component::deserialize_file(&engine, file) }.expect("load the plugin");
        Self::link(engine, &component, provider)
    }

    /// Runs an instance to its end, with the fuel that it took; and gives its directory back.
    pub(crate) async fn run(
        &self,
        scratch: ScratchDir,
        given: Given<'_>,
    ) -> (End, u64, Arc<ScratchDir>) {
        let waits = Arc::new(AtomicBool::new(false));
        let mut store = self.instance(scratch, &given, &waits);
        let end = {
            let mut run = Box::pin(async {
                let command = self.plugin.instantiate_async(&mut store).await?;
                command.wasi_cli_run().call_run(&mut store).await
            });
            let polled = poll_fn(|context| match run.as_mut().poll(context) {
                Poll::Pending if waits.load(Ordering::Relaxed) => Poll::Ready(None),
                ended => ended.map(Some),
            });
            match polled.await {
                None => End::Dropped,
                Some(Ok(Ok(()))) => End::Returned,
                Some(Ok(Err(()))) => End::Failed("it says so itself".to_owned()),
                Some(Err(error)) => End::Failed(format!("{error:#}")),
            }
        };
        let burnt = given.fuel - store.get_fuel().unwrap_or(0);
        (end, burnt, store.data().tempfile.scratch().clone())
    }

    fn instance(
        &self,
        scratch: ScratchDir,
        given: &Given<'_>,
        waits: &Arc<AtomicBool>,
    ) -> Store<State> {
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(true);
        wasi.arg("plugin").args(given.arguments).env("LITTER", given.litter);
        let unlink_fails = Arc::new(AtomicBool::new(false));
        wasi.stdout(Said {
            first_line: given.first_line,
            engine: self.engine.clone(),
            unlink_fails: unlink_fails.clone(),
        });
        match given.input {
            Input::Ended => {}
            Input::Never => {
                wasi.stdin(Never(waits.clone()));
            }
            Input::Process => {
                wasi.inherit_stdin();
            }
        }
        if self.provider == Provider::Component {
            wasi.preopened_dir(scratch.path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite)
                .expect("open the directory");
        }
        let state = State {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            tempfile: TempfileCtx::builder(scratch)
                .and_then(|builder| builder.build())
                .expect("open the directory"),
            limits: StoreLimitsBuilder::new().memory_size(given.memory).build(),
            unlink_fails,
        };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_fuel(given.fuel).expect("the engine counts fuel");
        store.set_epoch_deadline(1);
        store
    }
}

/// Serves the one function of WASI anew that a provider component's destructors call.
fn serve_unlink(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap_async("[method]descriptor.unlink-file-at", |mut store, (dir, name)| {
        Box::new(async move {
            let (dir, name): (Resource<Descriptor>, String) = (dir, name);
            if store.data().unlink_fails.load(Ordering::Relaxed) {
                wasmtime::bail!("the host failed to unlink");
            }
            let removed = store.data_mut().filesystem().unlink_file_at(dir, name).await;
            Ok((removed.map_or_else(|error| error.downcast().map(Err), |()| Ok(Ok(())))?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The plugin's standard output: a line is a point that the plugin has got to.
#[derive(Clone)]
struct Said {
    first_line: FirstLine,
    engine: Engine,
    unlink_fails: Arc<AtomicBool>,
}

impl IsTerminal for Said {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Said {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(MemoryOutputPipe::new(1 << 20))
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Said {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Said {
    fn write(&mut self, line: Bytes) -> StreamResult<()> {
        match self.first_line {
            FirstLine::IsHeard => {
                std::io::stdout().write_all(&line).map_err(|error| StreamError::Trap(error.into()))
            }
            FirstLine::IsIgnored => Ok(()),
            FirstLine::EndsTheEpoch => {
                self.engine.increment_epoch();
                Ok(())
            }
            FirstLine::LetsUnlinkFail => {
                self.unlink_fails.store(true, Ordering::Relaxed);
                Ok(())
            }
            FirstLine::Fails => Err(StreamError::trap("the host failed")),
        }
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(4096)
    }
}

/// A standard input on which nothing ever comes.
struct Never(Arc<AtomicBool>);

impl IsTerminal for Never {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Never {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(MemoryInputPipe::new(Bytes::new()))
    }
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Never(self.0.clone()))
    }
}

#[async_trait]
impl Pollable for Never {
    async fn ready(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        std::future::pending().await
    }
}

#[async_trait]
impl InputStream for Never {
    fn read(&mut self, _: usize) -> StreamResult<Bytes> {
        Ok(Bytes::new())
    }
}

/// Runs this on one thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("start a runtime").block_on(future)
}
