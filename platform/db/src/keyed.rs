//! Keys and rows as `json_each` takes them.

use std::fmt::Display;

use serde::{Serialize, Serializer as _};

use crate::{Error, Result, Value};

/// An object of JSON, made member by member, that a statement takes apart with `json_each($1)` into
/// `key` and `value`: 500 rows are one argument on both engines.
///
/// It is written as text at once. A tree of [`serde_json::Value`] of the same rows costs several
/// allocations for each, and is written as text all the same.
///
/// ```
/// let mut rows = db::Keyed::default();
/// rows.put(7, &[1, 2])?;
/// rows.key("a")?;
/// assert_eq!(db::Value::from(rows), db::Value::Text(r#"{"7":[1,2],"a":0}"#.to_owned()));
/// # Ok::<_, db::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Keyed {
    text: Vec<u8>,
    members: usize,
}

impl Keyed {
    /// Adds a row. Keys may come twice: `json_each` then gives both.
    ///
    /// # Errors
    /// A `row` that is no JSON: a map with keys that are no text.
    pub fn put(&mut self, key: impl Display, row: &impl Serialize) -> Result<()> {
        let bad = |error: serde_json::Error| Error::Db(format!("a row that is no JSON: {error}"));
        self.text.push(if self.members == 0 { b'{' } else { b',' });
        serde_json::Serializer::new(&mut self.text).collect_str(&key).map_err(bad)?;
        self.text.push(b':');
        serde_json::to_writer(&mut self.text, row).map_err(bad)?;
        self.members += 1;
        Ok(())
    }

    /// Adds a key without a row.
    ///
    /// # Errors
    /// None; see [`Keyed::put`].
    pub fn key(&mut self, key: impl Display) -> Result<()> {
        self.put(key, &0)
    }

    /// How many members there are.
    pub const fn len(&self) -> usize {
        self.members
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.members == 0
    }
}

impl From<Keyed> for Value {
    fn from(mut keyed: Keyed) -> Self {
        if keyed.is_empty() {
            keyed.text.push(b'{');
        }
        keyed.text.push(b'}');
        // JSON is written in UTF-8 only.
        Self::Text(String::from_utf8(keyed.text).unwrap_or_default())
    }
}
