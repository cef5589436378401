//! Natively: a `std::fs::File`.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};

use tempfile_core::Native;

use super::positioned::Positioned;
use crate::interface::{self, Durability, Error, ErrorCode};

pub(crate) struct Handle {
    file: fs::File,
    append: bool,
    #[cfg(windows)]
    cursor: cursor::Lock,
}

impl Handle {
    pub(crate) fn new(file: interface::File) -> Result<Self, Error> {
        file.into_std().map(Handle::from_std)
    }

    pub(crate) fn from_std(file: fs::File) -> Self {
        Handle {
            file,
            append: false,
            #[cfg(windows)]
            cursor: cursor::Lock::default(),
        }
    }

    pub(crate) fn into_std(self) -> fs::File {
        self.file
    }

    pub(crate) fn as_std(&self) -> &fs::File {
        &self.file
    }

    fn positioned(&self) -> Positioned<'_, Native> {
        Positioned { platform: Native, file: &self.file }
    }

    #[cfg(unix)]
    fn without_cursor<T>(
        &self,
        act: impl FnOnce(Positioned<'_, Native>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        act(self.positioned())
    }

    /// Moves the cursor back, which every read and write moves on Windows.
    #[cfg(windows)]
    fn without_cursor<T>(
        &self,
        act: impl FnOnce(Positioned<'_, Native>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _alone = self.cursor.lock();
        let failed = |error: io::Error| {
            let code = tempfile_core::error_code_of(&error);
            Error::without_path(code, "keep the cursor of a temporary file")
        };
        let before = (&self.file).stream_position().map_err(failed)?;
        let done = act(self.positioned());
        (&self.file).seek(SeekFrom::Start(before)).map_err(failed)?;
        done
    }

    /// The file, for what uses its cursor.
    #[cfg(unix)]
    fn with_cursor<T>(&self, act: impl FnOnce(&fs::File) -> io::Result<T>) -> io::Result<T> {
        act(&self.file)
    }

    #[cfg(windows)]
    fn with_cursor<T>(&self, act: impl FnOnce(&fs::File) -> io::Result<T>) -> io::Result<T> {
        let _alone = self.cursor.lock();
        act(&self.file)
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        self.without_cursor(|file| file.read_at(buffer, offset))
    }

    /// In append mode, writes at the end, as Linux does whatever the offset is.
    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        self.without_cursor(|file| {
            if !self.append {
                return file.write_at(data, offset);
            }
            // An offset that is not used has to be valid all the same.
            file.write_at(&[], offset)?;
            file.write_at(data, file.size()?)
        })
    }

    pub(crate) fn size(&self) -> Result<u64, Error> {
        self.positioned().size()
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
        self.positioned().set_size(size)
    }

    pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.positioned().sync(durability)
    }

    #[cfg(unix)]
    pub(crate) fn link(&self, target: &str) -> Result<(), Error> {
        use std::os::unix::fs::MetadataExt;
        use tempfile_core::{Process, link_unnamed};
        match self.file.metadata().map(|metadata| metadata.nlink()) {
            Ok(0) => link_unnamed(&Process, &self.file, target, Durability::None),
            Ok(_) => Err(Error::new(ErrorCode::Invalid, "link a temporary file to", target)),
            Err(error) => {
                let code = tempfile_core::error_code_of(&error);
                Err(Error::without_path(code, "count the names of a temporary file"))
            }
        }
    }

    #[cfg(windows)]
    pub(crate) fn link(&self, target: &str) -> Result<(), Error> {
        Err(Error::new(ErrorCode::Unsupported, "link a temporary file to", target))
    }

    /// Makes every write go to the end, for all that share this open file, child processes
    /// included.
    #[cfg(unix)]
    pub(crate) fn set_append(&mut self) -> io::Result<()> {
        let flags = rustix::fs::fcntl_getfl(&self.file)?;
        rustix::fs::fcntl_setfl(&self.file, flags | rustix::fs::OFlags::APPEND)?;
        self.append = true;
        Ok(())
    }

    #[cfg(windows)]
    pub(crate) fn set_append(&mut self) -> io::Result<()> {
        self.file = Native::reopen_for_append(&self.file)?;
        self.append = true;
        Ok(())
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Handle {
            file: self.file.try_clone()?,
            append: self.append,
            #[cfg(windows)]
            cursor: self.cursor.clone(),
        })
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with_cursor(|mut file| file.read(buffer))
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.with_cursor(|mut file| file.read_vectored(buffers))
    }

    pub(crate) fn write(&self, data: &[u8]) -> io::Result<usize> {
        self.with_cursor(|mut file| file.write(data))
    }

    pub(crate) fn write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.with_cursor(|mut file| file.write_vectored(data))
    }

    pub(crate) fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        let sought = self.with_cursor(|mut file| file.seek(to));
        // On Windows the standard library has no kind for the number of a negative position.
        #[cfg(windows)]
        let sought = sought.map_err(|error| match tempfile_core::error_code_of(&error) {
            ErrorCode::Invalid => {
                let operation = "seek in a temporary file";
                crate::error::io_error(Error::without_path(ErrorCode::Invalid, operation))
            }
            _ => error,
        });
        sought
    }
}

#[cfg(windows)]
mod cursor {
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// A lock on the cursor of an open file, which all clones share.
    #[derive(Clone, Default)]
    pub(super) struct Lock(Arc<Mutex<()>>);

    impl Lock {
        pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
