//! Prompts in memory, so that a call that is answered plays at once and the media thread never
//! waits for a disk.

use std::{collections::HashMap, sync::Arc};

use base::{Id, kind};
use media::Codec;
use parking_lot::Mutex;

type Key = (Id<kind::Account>, Id<kind::Audio>, Codec);

/// Prompts by use. When a bound in bytes is passed, those unused for longest go; calls that play
/// them keep their own hold.
pub(super) struct Cache {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    prompts: HashMap<Key, (Arc<[u8]>, u64)>,
    bytes: usize,
    uses: u64,
}

impl Cache {
    /// A cache of at most `most` bytes; a prompt larger than that is not kept.
    pub(super) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default() }
    }

    pub(super) fn get(
        &self,
        account: Id<kind::Account>,
        audio: Id<kind::Audio>,
        codec: Codec,
    ) -> Option<Arc<[u8]>> {
        let mut inner = self.inner.lock();
        inner.uses += 1;
        let now = inner.uses;
        let (prompt, used) = inner.prompts.get_mut(&(account, audio, codec))?;
        *used = now;
        Some(Arc::clone(prompt))
    }

    pub(super) fn put(
        &self,
        account: Id<kind::Account>,
        audio: Id<kind::Audio>,
        codec: Codec,
        prompt: Arc<[u8]>,
    ) {
        if prompt.len() > self.most {
            return;
        }
        let mut inner = self.inner.lock();
        inner.uses += 1;
        let now = inner.uses;
        inner.bytes += prompt.len();
        if let Some((old, _)) = inner.prompts.insert((account, audio, codec), (prompt, now)) {
            inner.bytes -= old.len();
        }
        while inner.bytes > self.most {
            let oldest = inner.prompts.iter().min_by_key(|(_, (_, used))| *used).map(|(k, _)| *k);
            let Some(oldest) = oldest else { break };
            inner.forget(&oldest);
        }
    }

    /// The audio is deleted.
    pub(super) fn forget(&self, account: Id<kind::Account>, audio: Id<kind::Audio>) {
        let mut inner = self.inner.lock();
        for codec in Codec::ALL {
            inner.forget(&(account, audio, codec));
        }
    }
}

impl Inner {
    fn forget(&mut self, key: &Key) {
        if let Some((prompt, _)) = self.prompts.remove(key) {
            self.bytes -= prompt.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Id<kind::Account> = Id::from_raw(1);

    fn audio(n: i64) -> Id<kind::Audio> {
        Id::from_raw(n)
    }

    #[test]
    fn the_bound_in_bytes_holds_and_what_was_played_last_stays() {
        let cache = Cache::new(100);
        for n in 1..=3 {
            cache.put(ACCOUNT, audio(n), Codec::Pcmu, vec![0; 33].into());
        }
        assert!(cache.get(ACCOUNT, audio(1), Codec::Pcmu).is_some());
        cache.put(ACCOUNT, audio(4), Codec::Pcmu, vec![0; 33].into());
        assert!(cache.get(ACCOUNT, audio(2), Codec::Pcmu).is_none());
        assert!(cache.get(ACCOUNT, audio(1), Codec::Pcmu).is_some());
        cache.put(ACCOUNT, audio(5), Codec::Pcmu, vec![0; 101].into());
        assert!(cache.get(ACCOUNT, audio(5), Codec::Pcmu).is_none());
        assert_eq!(cache.inner.lock().bytes, 99);
    }

    #[test]
    fn what_is_deleted_or_another_accounts_is_not_found() {
        let cache = Cache::new(100);
        cache.put(ACCOUNT, audio(1), Codec::Pcmu, vec![0; 10].into());
        cache.put(ACCOUNT, audio(1), Codec::Pcmu, vec![1; 20].into());
        assert!(cache.get(Id::from_raw(2), audio(1), Codec::Pcmu).is_none());
        assert!(cache.get(ACCOUNT, audio(1), Codec::Pcma).is_none());
        cache.forget(ACCOUNT, audio(1));
        assert!(cache.get(ACCOUNT, audio(1), Codec::Pcmu).is_none());
        assert_eq!(cache.inner.lock().bytes, 0);
    }
}
