//! Walking through JSON of strangers: nothing is built of it but what is asked for, so that its
//! shape cannot cost more memory than its bytes do.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

/// The text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotJson {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Levels of objects in which arrays are looked for.
const DEEPEST: usize = 6;
/// Arrays that are told of.
const MOST_ARRAYS: usize = 20;

/// The whole text, if it is JSON from end to end.
pub(crate) fn parse(body: &[u8]) -> Result<&RawValue, NotJson> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice(body)
        .map_err(|error| NotJson { line: error.line(), column: error.column() })
}

/// A path without `$` and dots around it.
pub(crate) fn tidy_path(path: &str) -> String {
    let path = path.trim();
    path.strip_prefix('$').unwrap_or(path).trim_matches('.').to_owned()
}

/// What a value is, by its first character.
pub(crate) fn is(raw: &RawValue, first: char) -> bool {
    raw.get().trim_start().starts_with(first)
}

/// What stands at `path`; the error is the part of the path that is not there.
pub(crate) fn at<'a>(root: &'a RawValue, path: &str) -> Result<&'a RawValue, String> {
    let mut here = root;
    let mut walked = String::new();
    for key in path.split('.').filter(|key| !key.is_empty()) {
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(key);
        here = member(here, key).ok_or_else(|| walked.clone())?;
    }
    Ok(here)
}

/// The value of a key, if `raw` is an object that has it.
pub(crate) fn member<'a>(raw: &'a RawValue, key: &str) -> Option<&'a RawValue> {
    let mut found = None;
    let each = |name: String, value: &'a RawValue| {
        if found.is_none() && name == key {
            found = Some(value);
        }
    };
    members(raw, each);
    found
}

/// Every key of an object with its value, in order. Nothing when `raw` is no object.
pub(crate) fn members<'a>(raw: &'a RawValue, each: impl FnMut(String, &'a RawValue)) {
    if is(raw, '{') {
        // It was read as JSON before, so it is JSON.
        let _ = serde_json::Deserializer::from_str(raw.get()).deserialize_map(Members(each));
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(String, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            (self.0)(key, map.next_value()?);
        }
        Ok(())
    }
}

/// The elements of an array, one after the other, until `each` says false. Nothing when `raw` is no
/// array.
pub(crate) fn elements<'a>(raw: &'a RawValue, each: impl FnMut(&'a RawValue) -> bool) {
    if is(raw, '[') {
        // It was read as JSON before; what ends early is `each`, which has said so.
        let _ = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Elements(each));
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element()? {
            if !(self.0)(element) {
                return Err(A::Error::custom("enough"));
            }
        }
        Ok(())
    }
}

/// How many elements an array has.
fn length(raw: &RawValue) -> u64 {
    struct Count;
    impl<'de> DeserializeSeed<'de> for Count {
        type Value = u64;
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
            deserializer.deserialize_seq(self)
        }
    }
    impl<'de> Visitor<'de> for Count {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
            let mut count = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    Count.deserialize(&mut serde_json::Deserializer::from_str(raw.get())).unwrap_or(0)
}

/// Arrays within the answer, by their paths, with the numbers of their elements; the longest first.
pub(crate) fn arrays(root: &RawValue) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    search(root, "", 0, &mut found);
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.truncate(MOST_ARRAYS);
    found
}

fn search(raw: &RawValue, path: &str, depth: usize, found: &mut Vec<(String, u64)>) {
    if is(raw, '[') {
        found.push((path.to_owned(), length(raw)));
    } else if depth < DEEPEST {
        members(raw, |key, value| {
            // A key with a dot in it has no path.
            let short = found.len() < MOST_ARRAYS * 5 && key.len() <= 100 && !key.contains('.');
            if short && !key.is_empty() && (is(value, '[') || is(value, '{')) {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                search(value, &path, depth + 1, found);
            }
        });
    }
}

/// A value as a cell: texts as they are, nothing for `null`, lists of simple values with semicolons
/// between, objects as JSON.
pub(crate) fn cell(raw: &RawValue) -> String {
    let text = raw.get().trim();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).unwrap_or_default(),
        Some(b'n') | None => String::new(),
        Some(b'[') => {
            let mut parts = Vec::new();
            let mut simple = true;
            elements(raw, |element| {
                simple = !is(element, '[') && !is(element, '{');
                if simple {
                    parts.push(cell(element));
                }
                simple
            });
            parts.retain(|part| !part.is_empty());
            if simple { parts.join("; ") } else { text.to_owned() }
        }
        Some(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = r#"{"ok":true,"result":{"list":[{"id":1},{"id":2}],"none":[]},"a.b":[1]}"#;

    #[test]
    fn alo_13_arrays_are_found_with_their_paths() {
        let root = parse(ANSWER.as_bytes()).unwrap();
        let found = arrays(root);
        assert_eq!(found, [("result.list".to_owned(), 2), ("result.none".to_owned(), 0)]);
        assert_eq!(arrays(parse(b" [1,2]").unwrap()), [(String::new(), 2)]);
        assert!(at(root, "result.list").is_ok());
        assert_eq!(at(root, "data.items").unwrap_err(), "data");
        assert_eq!(at(root, "result.items").unwrap_err(), "result.items");
        assert_eq!(tidy_path(" $.result.list "), "result.list");
    }

    #[test]
    fn values_become_cells() {
        for (json, text) in [
            (r#""a\u0041\n""#, "aA\n"),
            ("null", ""),
            ("12.50", "12.50"),
            ("380931234567", "380931234567"),
            ("true", "true"),
            (r#"["+1", null, 2]"#, "+1; 2"),
            (r#"[{"a":1}]"#, r#"[{"a":1}]"#),
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
        ] {
            assert_eq!(cell(parse(json.as_bytes()).unwrap()), text, "{json}");
        }
    }

    #[test]
    fn what_is_not_json_says_where() {
        assert_eq!(parse(b"{\n  \"a\": }").unwrap_err(), NotJson { line: 2, column: 8 });
        assert!(parse(b"").is_err() && parse(b"<html>").is_err() && parse(b"[1] x").is_err());
        assert!(parse(b"\xEF\xBB\xBF[]").is_ok());
    }

    #[test]
    fn deep_nesting_does_no_harm() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        if let Ok(root) = parse(deep.as_bytes()) {
            assert_eq!(arrays(root), [(String::new(), 1)]);
            assert!(cell(root).starts_with("[["));
        }
        let deep = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
        if let Ok(root) = parse(deep.as_bytes()) {
            assert_eq!(arrays(root), []);
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(root) = parse(&bytes) {
                arrays(root);
                cell(root);
                let _ = at(root, "a.b");
            }
        }

        #[test]
        fn nor_does_any_json(
            text in r#"[\[\]{}:,"a-c0-9.\\ truefalsn]{0,120}"#,
        ) {
            if let Ok(root) = parse(text.as_bytes()) {
                arrays(root);
                cell(root);
                elements(root, |element| { cell(element); true });
                let _ = at(root, "a.b");
            }
        }
    }
}
