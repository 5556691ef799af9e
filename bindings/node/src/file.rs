//! Files as JavaScript names them, and what goes wrong with them.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::fs::FileExt;

use mica_core::error::{CoreError, ErrorValues};
use napi::bindgen_prelude::Either;
use thiserror::Error;

/// What could not be done with a file. The code is the system's, such as `ENOENT`.
#[derive(Debug, Error)]
#[error("cannot {action} {name}: {source}")]
pub(crate) struct FileError {
    action: &'static str,
    name: String,
    offset: Option<u64>,
    source: io::Error,
}

impl CoreError for FileError {
    fn code(&self) -> &'static str {
        posix_code(&self.source)
    }

    fn values(&self) -> ErrorValues {
        ErrorValues {
            offset: self.offset,
            ..ErrorValues::default()
        }
    }
}

/// The names that operators know, as Node writes them.
fn posix_code(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EACCES) => "EACCES",
        Some(libc::EBADF) => "EBADF",
        Some(libc::EDQUOT) => "EDQUOT",
        Some(libc::EEXIST) => "EEXIST",
        Some(libc::EFBIG) => "EFBIG",
        Some(libc::EINVAL) => "EINVAL",
        Some(libc::EISDIR) => "EISDIR",
        Some(libc::ELOOP) => "ELOOP",
        Some(libc::EMFILE) => "EMFILE",
        Some(libc::ENAMETOOLONG) => "ENAMETOOLONG",
        Some(libc::ENFILE) => "ENFILE",
        Some(libc::ENODEV) => "ENODEV",
        Some(libc::ENOENT) => "ENOENT",
        Some(libc::ENOMEM) => "ENOMEM",
        Some(libc::ENOSPC) => "ENOSPC",
        Some(libc::ENOTDIR) => "ENOTDIR",
        Some(libc::ENXIO) => "ENXIO",
        Some(libc::EPERM) => "EPERM",
        Some(libc::EROFS) => "EROFS",
        Some(libc::ESPIPE) => "ESPIPE",
        Some(libc::ESTALE) => "ESTALE",
        Some(libc::ETIMEDOUT) => "ETIMEDOUT",
        _ => "EIO",
    }
}

/// A file to read: a path that is opened on the job's thread, or the job's own copy of a descriptor.
pub(crate) enum Input {
    Path(String),
    Open { name: String, file: File },
}

impl Input {
    /// A descriptor is copied, so that its owner may close it while the job runs.
    ///
    /// # Errors
    /// [`FileError`] when the number is no open descriptor, or the process has too many.
    pub(crate) fn new(reference: Either<i32, String>) -> Result<Self, FileError> {
        match reference {
            Either::B(path) => Ok(Self::Path(path)),
            Either::A(descriptor) => {
                let name = format!("descriptor {descriptor}");
                match copy_descriptor(descriptor) {
                    Ok(file) => Ok(Self::Open { name, file }),
                    Err(source) => Err(FileError {
                        action: "use",
                        name,
                        offset: None,
                        source,
                    }),
                }
            }
        }
    }

    /// # Errors
    /// [`FileError`] when the path cannot be opened.
    pub(crate) fn open(self) -> Result<InputFile, FileError> {
        match self {
            Self::Open { name, file } => Ok(InputFile { name, file }),
            Self::Path(name) => match File::open(&name) {
                Ok(file) => Ok(InputFile { name, file }),
                Err(source) => Err(FileError {
                    action: "open",
                    name,
                    offset: None,
                    source,
                }),
            },
        }
    }
}

#[expect(
    unsafe_code,
    reason = "JavaScript has descriptors as numbers; fcntl checks whether this one is open"
)]
fn copy_descriptor(descriptor: RawFd) -> io::Result<File> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1, and borrowed only for the call that copies it, during which JavaScript's thread
    // cannot close it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(File::from(borrowed.try_clone_to_owned()?))
}

/// An open file that is read at given positions, so that a descriptor's own position does not move.
pub(crate) struct InputFile {
    name: String,
    file: File,
}

impl InputFile {
    /// # Errors
    /// [`FileError`] when the file system does not say it.
    pub(crate) fn size(&self) -> Result<u64, FileError> {
        match self.file.metadata() {
            Ok(metadata) => Ok(metadata.len()),
            Err(source) => Err(FileError {
                action: "stat",
                name: self.name.clone(),
                offset: None,
                source,
            }),
        }
    }

    /// Reads at most `into.len()` bytes; 0 at the end of the file.
    ///
    /// # Errors
    /// [`FileError`] with the offset where reading failed.
    pub(crate) fn read(&self, into: &mut [u8], offset: u64) -> Result<usize, FileError> {
        read_at(&self.file, into, offset).map_err(|source| FileError {
            action: "read",
            name: self.name.clone(),
            offset: Some(offset),
            source,
        })
    }

    /// Reads `length` bytes; nothing if the file ends before.
    ///
    /// # Errors
    /// [`FileError`] with the offset where reading failed.
    pub(crate) fn read_exactly(
        &self,
        offset: u64,
        length: usize,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let mut bytes = Vec::new();
        let is_whole = self.read_exactly_into(&mut bytes, offset, length)?;
        Ok(is_whole.then_some(bytes))
    }

    /// Makes `bytes` those from `offset` on, `length` of them; false if the file ends before.
    ///
    /// # Errors
    /// [`FileError`] with the offset where reading failed.
    pub(crate) fn read_exactly_into(
        &self,
        bytes: &mut Vec<u8>,
        offset: u64,
        length: usize,
    ) -> Result<bool, FileError> {
        Ok(self.read_up_to(bytes, offset, length)? == length)
    }

    /// As [`InputFile::read_exactly_into`]; gives how many bytes there are before the file ends.
    ///
    /// # Errors
    /// [`FileError`] with the offset where reading failed.
    pub(crate) fn read_up_to(
        &self,
        bytes: &mut Vec<u8>,
        offset: u64,
        length: usize,
    ) -> Result<usize, FileError> {
        bytes.resize(length, 0);
        let mut done: usize = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            match self.read(rest, at)? {
                0 => break,
                count => done = done.saturating_add(count),
            }
        }
        Ok(done)
    }
}

fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// A file that is written from where it ends.
pub(crate) struct OutputFile {
    name: String,
    file: File,
    size: u64,
}

impl OutputFile {
    /// An empty file; one that is there already is emptied.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be made.
    pub(crate) fn create(name: String) -> Result<Self, FileError> {
        let file = File::create(&name);
        Self::new(name, file, "create")
    }

    /// A file that may be there already, at its end.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be opened or made.
    pub(crate) fn append(name: String) -> Result<Self, FileError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&name);
        Self::new(name, file, "open")
    }

    /// The file's first bytes, `length` of them if it has so many. It was opened to be appended to.
    ///
    /// # Errors
    /// [`FileError`] when they cannot be read.
    pub(crate) fn read_front(&self, length: usize) -> Result<Vec<u8>, FileError> {
        let mut bytes = vec![0; length];
        let count = read_at(&self.file, &mut bytes, 0);
        let count = count.map_err(|source| FileError {
            action: "read",
            name: self.name.clone(),
            offset: Some(0),
            source,
        })?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn new(
        name: String,
        opened: io::Result<File>,
        action: &'static str,
    ) -> Result<Self, FileError> {
        let opened = opened.and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        match opened {
            Ok((file, size)) => Ok(Self { name, file, size }),
            Err(source) => Err(FileError {
                action,
                name,
                offset: None,
                source,
            }),
        }
    }

    /// Its bytes up to now.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends bytes, all of them.
    ///
    /// # Errors
    /// [`FileError`] with the offset where writing began.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(bytes)
            .map_err(|source| self.error("write", source))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(length);
        Ok(())
    }

    /// Returns once the bytes are on the disk.
    ///
    /// # Errors
    /// [`FileError`] when the system could not keep them.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync_all()
            .map_err(|source| self.error("sync", source))
    }

    fn error(&self, action: &'static str, source: io::Error) -> FileError {
        FileError {
            action,
            name: self.name.clone(),
            offset: Some(self.size),
            source,
        }
    }
}
