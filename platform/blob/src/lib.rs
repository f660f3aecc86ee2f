#![doc = include_str!("../README.md")]

mod error;
mod key;
mod write;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

pub use error::{Error, Result};
pub use write::Writer;

/// Where files are while they are written.
const DRAFTS: &str = ".drafts";

/// A folder of blobs. Clones share it.
#[derive(Debug, Clone)]
pub struct Blob {
    root: Arc<Path>,
    least_free: f64,
}

/// How full the disk is. Shares are in percent of the whole disk, 0.0 to 100.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Space {
    /// What is free for this program.
    pub free: f64,
    /// What has to stay free: [`Blob::keep_free`].
    pub least: f64,
}

impl Space {
    /// Whether nothing that can wait should be written any more.
    pub fn is_low(self) -> bool {
        self.free < self.least
    }
}

/// What has to stay free when nothing else is said, in percent.
const LEAST_FREE: f64 = 5.0;

impl Blob {
    /// Opens the folder, making it when it is not there. Drafts that a killed process left behind
    /// are removed, so a folder belongs to one process.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let root: PathBuf = dir.into();
        let drafts = root.join(DRAFTS);
        if drafts.exists() {
            fs::remove_dir_all(&drafts)?;
        }
        fs::create_dir_all(&drafts)?;
        Ok(Self { root: root.into(), least_free: LEAST_FREE })
    }

    /// Says how much of the disk has to stay free, in percent, 0.0 to 100.0.
    #[must_use]
    pub fn keep_free(self, percent: f64) -> Self {
        Self { least_free: percent, ..self }
    }

    /// Keeps `bytes` under `key`, in place of what was there.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<()> {
        let mut writer = self.create(key).await?;
        writer.write(bytes).await?;
        writer.finish().await.map(drop)
    }

    /// Begins to write under `key`, piece by piece. Nothing is seen before [`Writer::finish`].
    pub async fn create(&self, key: &str) -> Result<Writer> {
        Writer::begin(self.root.join(DRAFTS), self.path(key)?).await
    }

    /// How many bytes are kept under `key`; [`Error::NotFound`] when there is nothing.
    pub async fn len(&self, key: &str) -> Result<u64> {
        let found = tokio::fs::metadata(self.path(key)?).await?;
        if found.is_file() { Ok(found.len()) } else { Err(Error::NotFound) }
    }

    /// The bytes of `range`, fewer where the file ends before. Ask for no more than fits into
    /// memory.
    pub async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let mut file = self.reader(key).await?;
        file.seek(io::SeekFrom::Start(range.start)).await?;
        let wanted = range.end.saturating_sub(range.start);
        let mut read = Vec::new();
        file.take(wanted).read_to_end(&mut read).await?;
        Ok(read.into())
    }

    /// All bytes under `key`. For small files.
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        self.read_range(key, 0..u64::MAX).await
    }

    /// The file under `key`, to be read from its beginning.
    pub async fn reader(&self, key: &str) -> Result<tokio::fs::File> {
        let path = self.path(key)?;
        let file = tokio::fs::File::open(path).await?;
        if file.metadata().await?.is_file() { Ok(file) } else { Err(Error::NotFound) }
    }

    /// Removes what is under `key`, if anything is.
    pub async fn remove(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        blocking(move || match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(write::sync_folder(&path)?),
        })
        .await
    }

    /// Where the bytes of `key` are on this computer, for threads that read or write files
    /// themselves. They keep the promise of the crate by syncing, and make the folder if need be.
    pub fn path(&self, key: &str) -> Result<PathBuf> {
        key::check(key)?;
        Ok(self.root.join(key))
    }

    /// How full the disk is now. Reads the file system, not the files.
    pub async fn space(&self) -> Result<Space> {
        let root = Arc::clone(&self.root);
        let least = self.least_free;
        blocking(move || {
            let disk = rustix::fs::statvfs(&*root).map_err(io::Error::from)?;
            let (all, free) = (disk.f_blocks as f64, disk.f_bavail as f64);
            Ok(Space { free: if all > 0.0 { free / all * 100.0 } else { 100.0 }, least })
        })
        .await
    }
}

/// Disk work off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Io(io::Error::other(e)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Blob) {
        let dir = tempfile::tempdir().unwrap();
        let blob = Blob::open(dir.path().join("blobs")).unwrap();
        (dir, blob)
    }

    fn drafts(blob: &Blob) -> usize {
        fs::read_dir(blob.root.join(DRAFTS)).unwrap().count()
    }

    #[tokio::test]
    async fn what_is_put_is_read_back_in_ranges() {
        let (_dir, blob) = store();
        blob.put("audio/7/1.wav", "0123456789").await.unwrap();
        assert_eq!(blob.len("audio/7/1.wav").await.unwrap(), 10);
        assert_eq!(blob.get("audio/7/1.wav").await.unwrap(), "0123456789");
        for (range, part) in [(0..4, "0123"), (4..4, ""), (8..99, "89"), (99..100, "")] {
            assert_eq!(blob.read_range("audio/7/1.wav", range).await.unwrap(), part);
        }
        blob.put("audio/7/1.wav", "new").await.unwrap();
        assert_eq!(blob.get("audio/7/1.wav").await.unwrap(), "new");
        assert_eq!(drafts(&blob), 0);
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found_and_removing_twice_is_no_error() {
        let (_dir, blob) = store();
        blob.put("a/b", "x").await.unwrap();
        blob.remove("a/b").await.unwrap();
        blob.remove("a/b").await.unwrap();
        for key in ["a/b", "a", "c/d/e"] {
            assert!(matches!(blob.get(key).await, Err(Error::NotFound)), "{key}");
            assert!(matches!(blob.len(key).await, Err(Error::NotFound)), "{key}");
        }
    }

    #[tokio::test]
    async fn a_draft_is_seen_when_it_is_finished_only() {
        let (_dir, blob) = store();
        let mut writer = blob.create("r/1.wav").await.unwrap();
        writer.write("one ").await.unwrap();
        writer.write("two").await.unwrap();
        assert!(matches!(blob.len("r/1.wav").await, Err(Error::NotFound)));
        assert_eq!(writer.written(), 7);
        assert_eq!(writer.finish().await.unwrap(), 7);
        assert_eq!(blob.get("r/1.wav").await.unwrap(), "one two");
        let mut given_up = blob.create("r/1.wav").await.unwrap();
        given_up.write("other").await.unwrap();
        drop(given_up);
        assert_eq!(blob.get("r/1.wav").await.unwrap(), "one two");
        assert_eq!(drafts(&blob), 0);
    }

    #[tokio::test]
    async fn drafts_of_a_killed_process_are_removed() {
        let (dir, blob) = store();
        let writer = blob.create("r/1.wav").await.unwrap();
        std::mem::forget(writer);
        assert_eq!(drafts(&blob), 1);
        let again = Blob::open(dir.path().join("blobs")).unwrap();
        assert_eq!(drafts(&again), 0);
    }

    #[tokio::test]
    async fn no_key_leaves_the_folder() {
        let (dir, blob) = store();
        fs::write(dir.path().join("secret"), "x").unwrap();
        let long = "a".repeat(201);
        for key in [
            "",
            "/",
            "../secret",
            "a/../../secret",
            "a//b",
            "/etc/passwd",
            "a/",
            ".drafts/x",
            "a/.b",
            "A",
            "a b",
            "a\\b",
            "a\0b",
            "ї",
            ".",
            "..",
            &long,
        ] {
            assert!(matches!(blob.get(key).await, Err(Error::Key(_))), "{key:?}");
            assert!(matches!(blob.put(key, "x").await, Err(Error::Key(_))), "{key:?}");
            assert!(matches!(blob.remove(key).await, Err(Error::Key(_))), "{key:?}");
        }
    }

    #[tokio::test]
    async fn the_disk_is_low_when_less_is_free_than_has_to_stay_free() {
        let (_dir, blob) = store();
        let space = blob.space().await.unwrap();
        assert!((0.0..=100.0).contains(&space.free), "{space:?}");
        assert!(!blob.clone().keep_free(0.0).space().await.unwrap().is_low());
        assert!(Space { free: 4.9, least: 5.0 }.is_low());
        assert!(!Space { free: 5.0, least: 5.0 }.is_low());
    }
}
