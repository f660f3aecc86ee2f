//! Writing so that a file is there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::{Error, Result, blocking};

/// A file on its way. Dropped before [`Writer::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    /// Away while a piece is written, and for good once a write failed.
    file: Option<File>,
    draft: Draft,
    target: PathBuf,
    written: u64,
}

/// The draft's file; removed when dropped, unless it was moved into place.
#[derive(Debug)]
struct Draft(Option<PathBuf>);

impl Draft {
    fn move_to(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, target)?;
        }
        // Nothing is left to remove.
        self.0.take();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, path = %path.display(), "a draft was left behind");
        }
    }
}

impl Writer {
    pub(crate) async fn begin(drafts: PathBuf, target: PathBuf) -> Result<Self> {
        blocking(move || {
            let path = drafts.join(format!("{:016x}", rand::random::<u64>()));
            let file = File::options().write(true).create_new(true).open(&path)?;
            let draft = Draft(Some(path));
            Ok(Self { file: Some(file), draft, target, written: 0 })
        })
        .await
    }

    /// Adds a piece. After an error the writer is of no more use.
    pub async fn write(&mut self, piece: impl Into<Bytes>) -> Result<()> {
        let piece = piece.into();
        let length = piece.len() as u64;
        let mut file = self.file.take().ok_or_else(broken)?;
        let write = move || {
            file.write_all(&piece)?;
            Ok(file)
        };
        self.file = Some(blocking(write).await?);
        self.written += length;
        Ok(())
    }

    /// How many bytes were written so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Moves the file into place once it is on the disk, and tells its length.
    pub async fn finish(self) -> Result<u64> {
        let Self { file, draft, target, written } = self;
        let file = file.ok_or_else(broken)?;
        blocking(move || {
            file.sync_all()?;
            make_folder(&target)?;
            draft.move_to(&target)?;
            sync_folder(&target)?;
            Ok(written)
        })
        .await
    }
}

fn broken() -> Error {
    Error::Io(io::Error::other("an earlier piece could not be written"))
}

/// Makes the folder of `path`, so that a power cut does not take it away again.
fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    make_folder(folder)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    sync_folder(folder)
}

/// Makes a change of names in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
