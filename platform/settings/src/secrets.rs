//! The key of an installation, and what is sealed with it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Name of the key file within the data directory.
const FILE: &str = "install.key";
/// First byte of everything sealed: which key and cipher.
const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The key of an installation. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Secrets {
    install: [u8; 32],
    seal: XChaCha20Poly1305,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// A secret cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The key file cannot be read or written.
    #[error("the key file {path} cannot be used: {source}", path = path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The key file holds something else than 32 bytes in hexadecimal.
    #[error("{path} is not a key file: restore it from a backup", path = path.display())]
    NotAKey {
        /// Where it is.
        path: PathBuf,
    },
    /// Others on the computer may read the key.
    #[error("others may read {path}: run chmod 600 on it", path = path.display())]
    Exposed {
        /// Where it is.
        path: PathBuf,
    },
    /// What was sealed cannot be opened: another key, another context, or damaged bytes.
    #[error("a sealed secret cannot be opened: was install.key replaced?")]
    Sealed,
}

impl Secrets {
    /// Reads the key from `install.key` in `dir`; makes it, readable by its owner only, when there
    /// is none. Of two processes that make it at the same time, both use the same.
    pub fn load_or_create(dir: impl AsRef<Path>) -> Result<Self, SecretsError> {
        let path = dir.as_ref().join(FILE);
        let failed = |source| SecretsError::File { path: path.clone(), source };
        match read(&path) {
            Err(SecretsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(dir.as_ref()).map_err(failed)?;
                create(dir.as_ref(), &path).map_err(failed)?;
                read(&path)
            }
            read => read,
        }
        .map(Self::from_key)
    }

    /// Secrets of the given key, for tests and tools.
    pub fn from_key(install: [u8; 32]) -> Self {
        // Sealing and tagging never share a key.
        let seal = derive(&install, b"switchbell seal 1");
        Self { install, seal: XChaCha20Poly1305::new(&seal.into()) }
    }

    /// The installation's key, for tags that only this installation can make.
    pub const fn install_key(&self) -> &[u8; 32] {
        &self.install
    }

    /// Encrypts `plain` so that it opens only with the same `context` (what it is and whose, such
    /// as `line.password:123`). 41 bytes longer than `plain`.
    ///
    /// # Panics
    /// When the computer cannot give random bytes, as `rand` does.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce[..]);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        let cipher = self.seal.encrypt(&XNonce::from(nonce), payload);
        sealed.extend(cipher.expect("only texts beyond 256 GiB cannot be encrypted"));
        sealed
    }

    /// What [`Secrets::seal`] was given.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SecretsError::Sealed)?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE>().ok_or(SecretsError::Sealed)?;
        let payload = Payload { msg: cipher, aad: context.as_bytes() };
        self.seal.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SecretsError::Sealed)
    }
}

fn derive(key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the block of its hash (RFC 2104, 2); done here, no error
    // is left to handle.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(purpose);
    mac.finalize().into_bytes().into()
}

fn read(path: &Path) -> Result<[u8; 32], SecretsError> {
    let failed = |source| SecretsError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(SecretsError::Exposed { path: path.to_owned() });
    }
    let mut text = String::new();
    // A key file is 65 bytes; whatever is longer is no key, and is not read whole.
    file.take(100).read_to_string(&mut text).map_err(failed)?;
    from_hex(text.trim()).ok_or_else(|| SecretsError::NotAKey { path: path.to_owned() })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut key = [0; 32];
    for (n, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(key)
}

/// Writes a fresh key under another name and links it into place, so that the file is never seen
/// half written and an existing one is never replaced.
fn create(dir: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0_u8; 32];
    rand::fill(&mut key[..]);
    let text = key.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let draft = dir.join(format!(".{FILE}.{}.{}", std::process::id(), rand::random::<u32>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = (|| {
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    })();
    fs::remove_file(&draft)?;
    written?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let first = Secrets::load_or_create(&data).unwrap();
        assert_ne!(first.install_key(), &[0; 32]);
        assert_eq!(Secrets::load_or_create(&data).unwrap().install_key(), first.install_key());
        let mode = fs::metadata(data.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn processes_that_start_together_use_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let make = || *Secrets::load_or_create(dir.path()).unwrap().install_key();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Secrets::load_or_create(dir.path()).unwrap();
        let path = dir.path().join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Secrets::load_or_create(dir.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for wrong in [String::new(), "00".repeat(31), "zz".repeat(32), "00".repeat(200)] {
            fs::write(&path, wrong).unwrap();
            let error = Secrets::load_or_create(dir.path()).unwrap_err();
            assert!(matches!(error, SecretsError::NotAKey { .. }), "{error}");
        }
    }

    #[test]
    fn a_secret_opens_with_its_own_context_and_key_only() {
        let secrets = Secrets::from_key([7; 32]);
        let sealed = secrets.seal("line.password:1", b"hunter2");
        assert_eq!(sealed.len(), 7 + 41);
        assert_eq!(secrets.open("line.password:1", &sealed).unwrap(), b"hunter2");
        assert_ne!(sealed, secrets.seal("line.password:1", b"hunter2"));
        assert!(secrets.open("line.password:2", &sealed).is_err());
        assert!(Secrets::from_key([8; 32]).open("line.password:1", &sealed).is_err());
        for n in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[n] ^= 1;
            assert!(secrets.open("line.password:1", &damaged).is_err(), "byte {n}");
            assert!(secrets.open("line.password:1", &sealed[..n]).is_err(), "cut at {n}");
        }
    }
}
