//! Which keys there are.

use crate::{Error, Result};

const LONGEST: usize = 200;

/// Refuses what could leave the folder, be hidden in it, or differ by case only.
pub(crate) fn check(key: &str) -> Result<()> {
    let segment = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
    };
    if key.len() <= LONGEST && key.split('/').all(segment) {
        Ok(())
    } else {
        Err(Error::Key(key.chars().take(LONGEST).collect()))
    }
}
