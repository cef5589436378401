//! What a [`File`](crate::File) reads and writes through: natively core's file, in wasm the descriptor that the provider handed over, or
//! the provider where it hands over none.

#[cfg(not(target_family = "wasm"))]
mod sys {
    use tempfile_core::{File, Native};

    use crate::interface::{self, Durability, Error};

    pub(crate) struct Handle(File<Native>);

    impl Handle {
        pub(crate) fn new(file: interface::File) -> Self {
            Handle(file.into_plain())
        }

        pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
            self.0.read_into(offset, buffer)
        }

        pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<usize, Error> {
            self.0.write(offset, data).map(|count| count as usize)
        }

        pub(crate) fn size(&self) -> Result<u64, Error> {
            self.0.size()
        }

        pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
            self.0.set_size(size)
        }

        pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
            self.0.sync(durability)
        }

        pub(crate) fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
            self.0.link(target, durability)
        }

        pub(crate) fn at(&self, offset: u64) -> Result<&std::fs::File, Error> {
            self.0.at(offset)
        }

        pub(crate) fn into_std(mut self) -> Result<std::fs::File, Error> {
            self.0.hand_over()
        }

        pub(crate) fn as_std(&self) -> Result<&std::fs::File, Error> {
            self.0.get_ref()
        }
    }
}

#[cfg(target_family = "wasm")]
mod sys {
    #[cfg(feature = "direct")]
    use std::sync::atomic::{AtomicBool, Ordering};

    #[cfg(feature = "direct")]
    use crate::interface::ErrorCode;
    use crate::interface::{self, Durability, Error};
    #[cfg(feature = "direct")]
    use tempfile_core::File;
    use tempfile_core::MAX_WRITE;
    #[cfg(feature = "direct")]
    use tempfile_wasi::Wasi;

    /// Whether the provider has refused to hand a file over: then it will refuse the next one too, and need not be asked.
    #[cfg(feature = "direct")]
    static REFUSED: AtomicBool = AtomicBool::new(false);

    pub(crate) enum Handle {
        Provider(interface::File),
        /// The file handed over, and its line in the ledger.
        #[cfg(feature = "direct")]
        Direct(File<Wasi>, #[allow(dead_code, reason = "held for its drop")] interface::Line),
    }

    impl Handle {
        /// Takes the short way where the provider offers it.
        pub(crate) fn new(file: interface::File) -> Self {
            #[cfg(feature = "direct")]
            if !REFUSED.load(Ordering::Relaxed) {
                match interface::hand_over(&file) {
                    Ok(descriptor) => {
                        let direct = File::handed_over(Wasi::default(), descriptor);
                        return Handle::Direct(direct, file.into_line());
                    }
                    Err(error) => REFUSED.store(error.code == ErrorCode::Unsupported, Ordering::Relaxed),
                }
            }
            Handle::Provider(file)
        }

        pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
            match self {
                Handle::Provider(file) => {
                    let bytes = file.read(offset, u32::try_from(buffer.len()).unwrap_or(u32::MAX))?;
                    let count = bytes.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    Ok(count)
                }
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.read_into(offset, buffer),
            }
        }

        pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<usize, Error> {
            match self {
                // The provider gets a copy: no larger than what it would write at once.
                Handle::Provider(file) => file.write(offset, &data[..data.len().min(MAX_WRITE)]),
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.write(offset, data),
            }
            .map(|count| count as usize)
        }

        pub(crate) fn size(&self) -> Result<u64, Error> {
            match self {
                Handle::Provider(file) => file.size(),
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.size(),
            }
        }

        pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
            match self {
                Handle::Provider(file) => file.set_size(size),
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.set_size(size),
            }
        }

        pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
            match self {
                Handle::Provider(file) => file.sync(durability),
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.sync(durability),
            }
        }

        #[cfg(feature = "direct")]
        pub(crate) fn reader(&self, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
            match self {
                Handle::Provider(file) => interface::reader(file, offset),
                Handle::Direct(file, _) => tempfile_wasi::reader(file.at(offset)?, offset),
            }
        }

        #[cfg(feature = "direct")]
        pub(crate) fn writer(&self, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
            match self {
                Handle::Provider(file) => interface::writer(file, offset),
                Handle::Direct(file, _) => tempfile_wasi::writer(file.at(offset)?, offset),
            }
        }

        pub(crate) fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
            match self {
                Handle::Provider(file) => interface::link(file, target, durability),
                #[cfg(feature = "direct")]
                Handle::Direct(file, _) => file.link(target, durability),
            }
        }
    }
}

pub(crate) use sys::Handle;
