//! Files of keys and certificates: for their owner alone, and never half written.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::{Result, TlsError};

/// Whatever is longer is no certificate, and is not read whole.
const MOST: u64 = 1 << 20;

fn failed(path: &Path) -> impl Fn(io::Error) -> TlsError {
    move |source| TlsError::File { path: path.to_owned(), source }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let length = fs::metadata(path).map_err(failed(path))?.len();
    if length > MOST {
        let reason = format!("{length} bytes are no certificate");
        return Err(TlsError::Content { path: path.to_owned(), reason });
    }
    fs::read(path).map_err(failed(path))
}

/// The bytes of a file; nothing when there is none.
pub(crate) fn read_if_any(path: &Path) -> Result<Option<Vec<u8>>> {
    match read(path) {
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Writes a file that its owner alone may read, in place of what was there, in one step.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
    let draft = path.with_extension(format!("draft-{:08x}", rand::random::<u32>()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        // What is left of a failed draft is in nobody's way.
        let _ = fs::remove_file(&draft);
    }
    written.map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_for_its_owner_alone_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tls/key.pem");
        assert_eq!(read_if_any(&path).unwrap(), None);
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no draft is left behind");
    }
}
