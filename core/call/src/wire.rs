//! Identifiers that a call carries on the wire, made from the attempt.

use base::{Id, kind::Attempt};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Call-ID, From tag and INVITE branch of one attempt.
///
/// HMAC-SHA256 under the installation's key, cut to 128 bits: countable in the callee's log, not
/// guessable by anybody else, and the same again after a restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WireIds {
    /// Value of the Call-ID header, 32 hexadecimal digits.
    pub call_id: String,
    /// Tag of our From header, 32 hexadecimal digits.
    pub from_tag: String,
    /// Branch of the first INVITE, magic cookie included (RFC 3261, 8.1.1.7).
    pub branch: String,
}

impl WireIds {
    /// The identifiers of `attempt` under the installation's `key`.
    pub fn of(key: &[u8; 32], attempt: Id<Attempt>) -> Self {
        Self {
            call_id: digest(key, "call-id", attempt, 0),
            from_tag: digest(key, "from-tag", attempt, 0),
            branch: Self::branch(key, attempt, 1),
        }
    }

    /// The branch of the `n`th request of the call; the first INVITE is number 1, the same again
    /// with credentials number 2.
    pub fn branch(key: &[u8; 32], attempt: Id<Attempt>, n: u32) -> String {
        format!("z9hG4bK{}", digest(key, "branch", attempt, n))
    }
}

fn digest(key: &[u8; 32], label: &str, attempt: Id<Attempt>, n: u32) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(format!("{label}|{attempt}|{n}").as_bytes());
    let half: [u8; 16] = mac.finalize().into_bytes()[..16].try_into().expect("SHA-256 has 32");
    format!("{:032x}", u128::from_be_bytes(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attempt_has_the_same_ids_and_another_key_has_others() {
        let attempt = Id::from_raw(42);
        let ids = WireIds::of(&[7; 32], attempt);
        assert_eq!(ids, WireIds::of(&[7; 32], attempt));
        assert_ne!(ids, WireIds::of(&[8; 32], attempt));
        assert_ne!(ids, WireIds::of(&[7; 32], Id::from_raw(43)));
        assert_eq!(ids.call_id.len(), 32);
        assert!(ids.branch.starts_with("z9hG4bK"));
    }
}
