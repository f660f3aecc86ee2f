//! Pages of a list, found by key and never by offset.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::{CommonProblem, Result};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The query of a paged list. Flatten it, or take it as a second `Query`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before; absent for the first page.
    pub cursor: Option<String>,
    /// How many rows, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// How many rows the page has at most.
    pub fn limit(&self) -> usize {
        self.limit.map_or(50, |limit| limit.clamp(1, 200) as usize)
    }

    /// How many rows to ask the database for: one more than the page, to know whether a next one
    /// follows. Ready to be bound in SQL.
    pub fn fetch(&self) -> i64 {
        self.limit() as i64 + 1
    }

    /// The key of the last row of the page before, as given to [`PageQuery::page`].
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>> {
        self.cursor.as_deref().map(decode).transpose()
    }

    /// As [`PageQuery::page`], of rows that were searched for no further than to the key `end`:
    /// when that was not the end of all, a next page goes on behind it.
    pub fn page_of<T, K: Serialize>(
        &self,
        rows: Vec<T>,
        end: Option<K>,
        key: impl Fn(&T) -> K,
    ) -> Page<T> {
        let mut page = self.page(rows, key);
        page.next = page.next.or_else(|| end.map(|end| encode(&end)));
        page
    }

    /// Makes a page of `rows`, which were fetched with [`PageQuery::fetch`]. `key` gives what
    /// orders a row: `|row| (row.updated_at, row.id)`.
    pub fn page<T, K: Serialize>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let more = rows.len() > self.limit();
        rows.truncate(self.limit());
        let next = if more { rows.last().map(|row| encode(&key(row))) } else { None };
        Page { items: rows, next }
    }
}

impl<T> Page<T> {
    /// The same page with each row changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CommonProblem::InvalidCursor)?;
    Ok(serde_json::from_slice(&bytes).map_err(|_| CommonProblem::InvalidCursor)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_the_rows_after_it_and_the_last_page_has_none() {
        let rows: Vec<i64> = (0..120).collect();
        let mut query = PageQuery { cursor: None, limit: Some(50) };
        let mut seen = Vec::new();
        loop {
            let after = query.after::<i64>().unwrap().unwrap_or(-1);
            let fetched: Vec<i64> = rows
                .iter()
                .copied()
                .filter(|row| *row > after)
                .take(query.fetch() as usize)
                .collect();
            let page = query.page(fetched, |row| *row);
            seen.extend(page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for cursor in ["", "%%%", "bm90IGpzb24"] {
            let query = PageQuery { cursor: Some(cursor.to_owned()), limit: None };
            assert_eq!(query.after::<i64>().unwrap_err().code(), "invalid_cursor", "{cursor}");
        }
    }
}
