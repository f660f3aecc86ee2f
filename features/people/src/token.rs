//! Secrets that open a door: 256 random bits, of which only a hash is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A fresh token, as it goes into a cookie or a link, and what is stored of it.
#[derive(Clone)]
pub(crate) struct Token {
    /// 43 characters that a URL and a cookie take as they are.
    pub(crate) text: String,
    pub(crate) hash: Vec<u8>,
}

impl Token {
    /// A token that nobody can guess.
    pub(crate) fn new() -> Self {
        let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let hash = hash(&text);
        Self { text, hash }
    }
}

/// What is stored of the token `text`. No salt: the text is random.
pub(crate) fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_and_its_hash_finds_it() {
        let (one, two) = (Token::new(), Token::new());
        assert_ne!(one.text, two.text);
        assert_eq!(URL_SAFE_NO_PAD.decode(&one.text).unwrap().len(), 32);
        assert_eq!(hash(&one.text), one.hash);
        assert!(one.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }
}
