//! Pages by key: a page goes on after the last row of the one before, however far that is.

/// Where a page starts, for `WHERE (key, id) < ($2, $3) ORDER BY key DESC, id DESC` or the same
/// with `>` and no `DESC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange {
    /// The key of the last row of the page before.
    pub key: i64,
    /// Its id, which tells rows of equal keys apart.
    pub id: i64,
}

impl KeyRange {
    /// Before the first row in falling order, such as newest first.
    pub const FALLING: Self = Self { key: i64::MAX, id: i64::MAX };
    /// Before the first row in rising order.
    pub const RISING: Self = Self { key: i64::MIN, id: i64::MIN };
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Whether more rows follow the last.
    pub more: bool,
}

impl<T> Page<T> {
    /// The page that `rows` begin, asked for with `LIMIT limit + 1`: the row beyond tells whether
    /// there is more, so that no count is needed.
    pub fn cut(mut rows: Vec<T>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { items: rows, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_beyond_the_limit_tells_of_more() {
        assert_eq!(Page::cut(vec![1, 2, 3], 2), Page { items: vec![1, 2], more: true });
        assert_eq!(Page::cut(vec![1, 2], 2), Page { items: vec![1, 2], more: false });
    }
}
