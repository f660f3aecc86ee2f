//! Ids made in the program: 63 bits, ordered by time, typed by what they name.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Timestamp;

/// An id of a `K` (see [`crate::kind`]). A decimal string in JSON and URLs, because a JavaScript
/// number holds 53 bits only.
pub struct Id<K>(i64, PhantomData<fn() -> K>);

/// 2026-01-01T00:00:00Z in milliseconds since 1970, where the ids' clock starts.
const START_MILLIS: i64 = 1_767_225_600_000;
const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;

impl<K> Id<K> {
    /// The id whose number is `raw`, as stored.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw, PhantomData)
    }

    /// A number that no id made before `at` reaches, and every id made from then on does.
    pub fn first_at(at: Timestamp) -> Self {
        let millis = (at.millis() - START_MILLIS).clamp(0, (1 << 41) - 1);
        Self::from_raw(millis << (NODE_BITS + SEQUENCE_BITS))
    }

    /// The number, as stored.
    pub const fn raw(self) -> i64 {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<K>();
        write!(f, "{}:{}", name.rsplit("::").next().unwrap_or(name), self.0)
    }
}

/// The text is no id: not a decimal number between 0 and 2⁶³ − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct ParseIdError;

impl<K> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseIdError);
        }
        text.parse().map(Self::from_raw).map_err(|_| ParseIdError)
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Hands out ids for one node: 41 bits of milliseconds since 2026, 10 of node, 12 of sequence.
///
/// Never repeats within a process, also when the clock steps back or more than 4,096 ids are asked
/// for in a millisecond: it then runs ahead of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMaker {
    node: u16,
    millis: i64,
    sequence: u16,
}

impl IdMaker {
    /// A maker for `node` (0 to 1023, 0 on one machine).
    pub const fn new(node: u16) -> Self {
        Self { node: node & ((1 << NODE_BITS) - 1), millis: 0, sequence: 0 }
    }

    /// The next id, at `now`.
    pub fn next<K>(&mut self, now: Timestamp) -> Id<K> {
        let millis = (now.millis() - START_MILLIS).max(0);
        if millis > self.millis {
            (self.millis, self.sequence) = (millis, 0);
        } else if self.sequence + 1 < 1 << SEQUENCE_BITS {
            self.sequence += 1;
        } else {
            (self.millis, self.sequence) = (self.millis + 1, 0);
        }
        Id::from_raw(
            (self.millis & ((1 << 41) - 1)) << (NODE_BITS + SEQUENCE_BITS)
                | i64::from(self.node) << SEQUENCE_BITS
                | i64::from(self.sequence),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kind::Campaign;

    #[test]
    fn ids_rise_and_never_repeat_even_when_the_clock_steps_back() {
        let mut maker = IdMaker::new(3);
        let now = Timestamp::from_seconds(1_800_000_000);
        let earlier = Timestamp::from_seconds(1_799_999_000);
        let mut seen = BTreeSet::new();
        let mut last = Id::<Campaign>::from_raw(0);
        for n in 0..20_000 {
            let id = maker.next(if n % 2 == 0 { now } else { earlier });
            assert!(id > last);
            assert!(seen.insert(id));
            last = id;
        }
    }

    #[test]
    fn json_holds_a_string_and_refuses_anything_else() {
        let id = Id::<Campaign>::from_raw(i64::MAX);
        let mut out = String::new();
        fmt::write(&mut out, format_args!("{id}")).unwrap();
        assert_eq!(out.parse(), Ok(id));
        for wrong in ["", "-1", "+1", " 1", "1.0", "9223372036854775808"] {
            assert_eq!(wrong.parse::<Id<Campaign>>(), Err(ParseIdError), "{wrong:?}");
        }
    }
}
