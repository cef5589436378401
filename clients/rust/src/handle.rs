//! What a [`File`](crate::File) reads and writes through: natively core's file, in wasm the descriptor that the provider handed over, or
//! the provider where it hands over none.

#[cfg(not(target_family = "wasm"))]
mod sys {
    use tempfile_core::{File, Process};

    use crate::interface::{self, Durability, Error};

    pub(crate) struct Handle(File<Process>);

    impl Handle {
        pub(crate) fn new(file: interface::File) -> Self {
            Handle(file.into_plain())
        }

        pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
            self.0.read_into(buffer, offset)
        }

        pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<usize, Error> {
            self.0.write(data, offset).map(|count| count as usize)
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
            self.0.stream_source(offset)
        }

        pub(crate) fn into_std(mut self) -> Result<std::fs::File, Error> {
            self.0.into_descriptor()
        }

        pub(crate) fn as_std(&self) -> Result<&std::fs::File, Error> {
            self.0.get_ref()
        }
    }
}

#[cfg(target_family = "wasm")]
mod sys {
    #[cfg(feature = "direct")]
    use std::sync::OnceLock;
    #[cfg(feature = "direct")]
    use std::sync::atomic::{AtomicBool, Ordering};

    #[cfg(feature = "direct")]
    use crate::interface::ErrorCode;
    use crate::interface::{self, Durability, Error};
    #[cfg(feature = "direct")]
    use tempfile_core::File;
    use tempfile_core::MAX_WRITE;
    #[cfg(feature = "direct")]
    use tempfile_wasi::WasiContext;

    /// Whether the provider has refused to hand a file over: then it will refuse the next one too, and need not be asked.
    #[cfg(feature = "direct")]
    static REFUSED: AtomicBool = AtomicBool::new(false);

    pub(crate) struct Handle {
        /// Closed, once the file has been handed over.
        provider: interface::File,
        /// The file itself, if the provider handed it over. Asked for by the first who wants its bytes: many a file is there for its name.
        #[cfg(feature = "direct")]
        direct: OnceLock<Option<File<WasiContext>>>,
    }

    /// The way to the bytes.
    enum Way<'a> {
        Provider(&'a interface::File),
        #[cfg(feature = "direct")]
        Direct(&'a File<WasiContext>),
    }

    impl Handle {
        pub(crate) fn new(provider: interface::File) -> Self {
            Handle {
                provider,
                #[cfg(feature = "direct")]
                direct: OnceLock::new(),
            }
        }

        /// The short one where the provider offers it.
        fn way(&self) -> Way<'_> {
            #[cfg(feature = "direct")]
            if let Some(file) = self.direct.get_or_init(|| hand_over(&self.provider)) {
                return Way::Direct(file);
            }
            Way::Provider(&self.provider)
        }

        pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
            match self.way() {
                Way::Provider(file) => {
                    let bytes =
                        file.read(u32::try_from(buffer.len()).unwrap_or(u32::MAX), offset)?;
                    let count = bytes.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    Ok(count)
                }
                #[cfg(feature = "direct")]
                Way::Direct(file) => file.read_into(buffer, offset),
            }
        }

        pub(crate) fn write(&self, offset: u64, data: &[u8]) -> Result<usize, Error> {
            match self.way() {
                // The provider gets a copy: no larger than what it would write at once.
                Way::Provider(file) => file.write(&data[..data.len().min(MAX_WRITE)], offset),
                #[cfg(feature = "direct")]
                Way::Direct(file) => file.write(data, offset),
            }
            .map(|count| count as usize)
        }

        pub(crate) fn size(&self) -> Result<u64, Error> {
            match self.way() {
                Way::Provider(file) => file.size(),
                #[cfg(feature = "direct")]
                Way::Direct(file) => file.size(),
            }
        }

        pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
            match self.way() {
                Way::Provider(file) => file.set_size(size),
                #[cfg(feature = "direct")]
                Way::Direct(file) => file.set_size(size),
            }
        }

        pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
            match self.way() {
                Way::Provider(file) => file.sync(durability),
                #[cfg(feature = "direct")]
                Way::Direct(file) => file.sync(durability),
            }
        }

        #[cfg(feature = "direct")]
        pub(crate) fn reader(&self, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
            match self.way() {
                Way::Provider(file) => interface::read_via_stream(file, offset),
                Way::Direct(file) => {
                    tempfile_wasi::read_via_stream(file.stream_source(offset)?.get_ref(), offset)
                }
            }
        }

        #[cfg(feature = "direct")]
        pub(crate) fn writer(&self, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
            match self.way() {
                Way::Provider(file) => interface::write_via_stream(file, offset),
                Way::Direct(file) => {
                    tempfile_wasi::write_via_stream(file.stream_source(offset)?.get_ref(), offset)
                }
            }
        }

        pub(crate) fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
            match self.way() {
                Way::Provider(file) => interface::link(file, target, durability),
                // WASI has no such call; the provider would say the same.
                #[cfg(feature = "direct")]
                Way::Direct(_) => Err(Error::new(ErrorCode::Unsupported, "link a file to", target)),
            }
        }
    }

    /// Asks for the file itself.
    #[cfg(feature = "direct")]
    fn hand_over(file: &interface::File) -> Option<File<WasiContext>> {
        if REFUSED.load(Ordering::Relaxed) {
            return None;
        }
        match interface::file_descriptor(file) {
            Ok(descriptor) => Some(tempfile_wasi::file_from_descriptor(descriptor)),
            Err(error) => {
                REFUSED.store(error.code == ErrorCode::Unsupported, Ordering::Relaxed);
                None
            }
        }
    }
}

pub(crate) use sys::Handle;
