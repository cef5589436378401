//! A plugin for the draft of the interface for WASI 0.3, and the bindings of a provider.
//!
//! It compiles, which is what it is for: bindings build from the draft, and its functions can be
//! used as they are meant. Nothing runs it, since nothing implements the draft yet.

/// The bindings of a plugin.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package example:plugin;

            world plugin {
                import scratch:tempfile/tempfile@0.3.0-draft;
                use scratch:tempfile/tempfile@0.3.0-draft.{error};
                export through-a-file: async func(input: stream<u8>) -> result<list<u8>, error>;
            }
        ",
        path: "../../wit/draft-0.3",
        generate_all,
    });
    use super::Plugin;
    export!(Plugin);
}

/// The bindings of a provider: traits that an implementation of the draft has to implement.
/// A component that has them would have to export them, so they are built natively only.
#[cfg(not(target_arch = "wasm32"))]
#[allow(missing_docs, unreachable_pub, clippy::all, dead_code)]
mod provider {
    wit_bindgen::generate!({
        inline: "
            package example:provider;

            world provider {
                export scratch:tempfile/tempfile@0.3.0-draft;
                export scratch:tempfile/ledger@0.3.0-draft;
            }
        ",
        path: "../../wit/draft-0.3",
        generate_all,
    });
}

use bindings::scratch::tempfile::tempfile::{Durability, Error, ReplaceMode};
use bindings::scratch::tempfile::tempfile::{Location, Options, directory, spooled};
use wit_bindgen::StreamReader;

struct Plugin;

impl bindings::Guest for Plugin {
    /// Sends the input through a spooled file and a file in a directory, and returns what it reads.
    async fn through_a_file(input: StreamReader<u8>) -> Result<Vec<u8>, Error> {
        let spool = spooled(Some(65_536), Location::Scratch).await?;
        spool.write(input, 0).await?;

        let options = Options {
            prefix: "draft-".into(),
            suffix: String::new(),
            random_chars: None,
            label: None,
        };
        let dir = directory(options, Location::Scratch).await?;
        let copy = dir.create_file("copy".into()).await?;
        let (bytes, read) = spool.read(None, 0);
        copy.write(bytes, 0).await?;
        read.await?;
        copy.sync(Durability::Data).await?;

        let (bytes, read) = copy.read(None, 0);
        let output = bytes.collect().await;
        read.await?;
        let (entries, listed) = dir.entries("");
        let names = entries.collect().await;
        listed.await?;
        if names.len() == 1 {
            dir.persist("/data/draft".into(), ReplaceMode::NoClobber, Durability::Full).await?;
        }
        Ok(output)
    }
}
