//! One answer of a REST feed: its elements as rows, and where the next answer is.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{json, value::RawValue};
use url::Url;

use super::{
    Auth, FeedSettings, Keys, MOST_ROWS, Paging, RawRow,
    fault::SourceFault,
    json::{self, NotJson},
};

/// Bytes of one element.
const LONGEST_ELEMENT: usize = 256 * 1024;
/// Keys of one element that are looked at.
const MOST_KEYS: usize = 200;
/// Keys of elements that are told of.
const MOST_TOLD: usize = 40;

/// What a look at an answer found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Elements of the list.
    pub(crate) rows: u64,
    /// Keys that the first elements have, in the order in which they came.
    pub(crate) keys: Vec<String>,
    /// The mark for the next answer, with paging by one.
    pub(crate) mark: Option<String>,
}

/// Headers that say who asks.
pub(crate) fn headers(auth: &Auth, secret: &str) -> Vec<(String, String)> {
    let header = |name: &str, value: String| vec![(name.to_owned(), value)];
    match auth {
        Auth::None => Vec::new(),
        Auth::Bearer => header("Authorization", format!("Bearer {secret}")),
        Auth::Basic { user } => header(
            "Authorization",
            format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
        ),
        Auth::Header { name } => header(name, secret.to_owned()),
    }
}

/// The same headers as a page may show them.
pub(crate) fn masked(auth: &Auth) -> Vec<(String, String)> {
    let dots = "••••••";
    match auth {
        Auth::None => Vec::new(),
        Auth::Bearer => vec![("Authorization".to_owned(), format!("Bearer {dots}"))],
        Auth::Basic { .. } => vec![("Authorization".to_owned(), format!("Basic {dots}"))],
        Auth::Header { name } => vec![(name.clone(), dots.to_owned())],
    }
}

/// Gives each element of the list in `body` to `each` as a row.
///
/// An element without any of the keys that are needed is a row all the same: the import says what
/// is wrong with it. When no element has one of them, the settings are wrong.
pub(crate) fn read(
    body: &[u8],
    settings: &FeedSettings,
    mut each: impl FnMut(RawRow),
) -> Result<Page, SourceFault> {
    let root = json::parse(body).map_err(|at| not_json(body, &at))?;
    let list = json::at(root, &settings.path).map_err(|missing| {
        let params = json!({ "path": settings.path, "missing": missing });
        SourceFault::new("path_missing", params)
    })?;
    if !json::is(list, '[') {
        return Err(SourceFault::new("not_a_list", json!({ "path": settings.path })));
    }
    let mut page = Page::default();
    let mut seen = [false; 3];
    json::elements(list, |element| {
        page.rows += 1;
        each(row(element, &settings.keys, &mut page.keys, &mut seen));
        page.rows < MOST_ROWS
    });
    if page.rows > 0 {
        let needed = [&settings.keys.id, &settings.keys.phone, &settings.keys.name];
        let missing = needed.into_iter().zip(seen).filter(|(_, seen)| !seen);
        let missing: Vec<&str> = missing.map(|(key, _)| key.as_str()).collect();
        if !missing.is_empty() {
            let params = json!({ "keys": missing.join(", "), "found": page.keys.join(", ") });
            return Err(SourceFault::new("key_missing", params));
        }
    }
    if let Paging::Cursor { path, .. } = &settings.paging {
        page.mark = json::at(root, path).ok().map(json::cell).filter(|mark| !mark.is_empty());
    }
    Ok(page)
}

fn not_json(body: &[u8], at: &NotJson) -> SourceFault {
    let start = &body[..body.len().min(512)];
    if start.iter().all(u8::is_ascii_whitespace) {
        return SourceFault::bare("empty");
    }
    let text = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
    if text.starts_with("<!doctype") || text.starts_with("<html") {
        return SourceFault::bare("html");
    }
    SourceFault::new("not_json", json!({ "line": at.line, "column": at.column }))
}

fn row(element: &RawValue, keys: &Keys, told: &mut Vec<String>, seen: &mut [bool; 3]) -> RawRow {
    if element.get().len() > LONGEST_ELEMENT || !json::is(element, '{') {
        // No contact, but a row for a person to look at.
        let shown = element.get().chars().take(100).collect();
        return RawRow {
            more: BTreeMap::from([("element".to_owned(), shown)]),
            ..RawRow::default()
        };
    }
    let mut found: BTreeMap<String, &RawValue> = BTreeMap::new();
    json::members(element, |key, value| {
        if told.len() < MOST_TOLD && !told.contains(&key) {
            told.push(key.clone());
        }
        if found.len() < MOST_KEYS {
            found.entry(key).or_insert(value);
        }
    });
    let mut taken: Vec<&str> = Vec::new();
    let take = |key: &str, at: Option<&mut bool>| -> String {
        let value = found.get(key).copied().or_else(|| nested(&found, key));
        if let (Some(at), Some(_)) = (at, value) {
            *at = true;
        }
        value.map(json::cell).unwrap_or_default()
    };
    let [id_seen, phone_seen, name_seen] = seen;
    let mut row = RawRow {
        id: take(&keys.id, Some(id_seen)),
        phone: take(&keys.phone, Some(phone_seen)),
        name: take(&keys.name, Some(name_seen)),
        zone: keys.zone.as_deref().map(|key| take(key, None)).unwrap_or_default(),
        more: BTreeMap::new(),
    };
    taken.extend([keys.id.as_str(), &keys.phone, &keys.name]);
    taken.extend(keys.zone.as_deref());
    for (key, value) in found {
        if !taken.contains(&key.as_str()) {
            row.more.insert(key, json::cell(value));
        }
    }
    row
}

/// The value of a key with dots, which leads into objects.
fn nested<'a>(found: &BTreeMap<String, &'a RawValue>, key: &str) -> Option<&'a RawValue> {
    let (first, rest) = key.split_once('.')?;
    json::at(found.get(first)?, rest).ok()
}

/// Where the first answer is.
pub(crate) fn first(settings: &FeedSettings) -> Result<Url, SourceFault> {
    let mut url = Url::parse(&settings.url).map_err(|_| SourceFault::bare("not_a_url"))?;
    if let Paging::Page { param, first } = &settings.paging {
        set_query(&mut url, param, &first.to_string());
    }
    Ok(url)
}

/// Where the next answer is, if there is one. `number` counts the answers so far, and `links` are
/// the values of the header of that name.
pub(crate) fn next(
    settings: &FeedSettings,
    here: &Url,
    number: u64,
    page: &Page,
    links: &[String],
) -> Option<Url> {
    match &settings.paging {
        Paging::None => None,
        Paging::Page { param, first } => {
            let mut url = Url::parse(&settings.url).ok()?;
            set_query(&mut url, param, &(u64::from(*first) + number).to_string());
            (page.rows > 0).then_some(url)
        }
        Paging::Cursor { param, .. } => {
            let mark = page.mark.as_deref()?;
            if mark.starts_with("http://") || mark.starts_with("https://") || mark.starts_with('/')
            {
                return here.join(mark).ok();
            }
            let mut url = Url::parse(&settings.url).ok()?;
            set_query(&mut url, param, mark);
            Some(url)
        }
        Paging::Link => {
            links.iter().find_map(|value| next_link(value)).and_then(|to| here.join(to).ok())
        }
    }
}

/// Sets a name of the query in place of what it was.
fn set_query(url: &mut Url, name: &str, value: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}

/// The address in a `Link` header (RFC 8288) whose relation is `next`.
fn next_link(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some(from) = rest.find('<') {
        let (target, after) = rest[from + 1..].split_once('>')?;
        let end = after.find(",<").or_else(|| after.find(", <")).unwrap_or(after.len());
        let is_next = after[..end].split(';').any(|part| {
            let Some((name, value)) = part.split_once('=') else { return false };
            let value = value.trim().trim_matches(['"', ',']);
            name.trim().eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// JSON of any shape, with the keys of contacts among others.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}|[\"\n\r,;\u{0}\u{FEFF}]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("(id|phone|name|a|\\PC{0,6})", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn settings(path: &str) -> FeedSettings {
        FeedSettings {
            url: "https://crm.example/api?status=new".to_owned(),
            auth: Auth::Bearer,
            path: path.to_owned(),
            keys: Keys::default(),
            paging: Paging::None,
            timeout_s: 30,
            region: "UA".to_owned(),
        }
    }

    fn rows(body: &str, settings: &FeedSettings) -> Result<Vec<RawRow>, SourceFault> {
        let mut rows = Vec::new();
        read(body.as_bytes(), settings, |row| rows.push(row)).map(|_| rows)
    }

    #[test]
    fn alo_12_the_keys_can_be_renamed_and_the_rest_is_kept() {
        let body = r#"{"data":{"items":[
            {"uid":7,"contact":{"tel":["093 1","067 2"]},"title":"Олена","debt":12.5,"vip":null}]}}"#;
        let mut settings = settings("data.items");
        settings.keys = Keys {
            id: "uid".to_owned(),
            phone: "contact.tel".to_owned(),
            name: "title".to_owned(),
            zone: None,
        };
        let rows = rows(body, &settings).unwrap();
        assert_eq!((rows[0].id.as_str(), rows[0].phone.as_str()), ("7", "093 1; 067 2"));
        assert_eq!((rows[0].name.as_str(), rows[0].more["debt"].as_str()), ("Олена", "12.5"));
        assert_eq!(rows[0].more["vip"], "");
    }

    #[test]
    fn alo_13_what_is_wrong_with_an_answer_has_a_name() {
        for (body, path, code) in [
            ("<!DOCTYPE html><html>", "", "html"),
            ("  ", "", "empty"),
            ("{\"a\":", "", "not_json"),
            ("{\"a\":[]}", "data.items", "path_missing"),
            ("{\"a\":{}}", "a", "not_a_list"),
            ("{\"a\":[]}", "", "not_a_list"),
            (r#"[{"id":1,"tel":"1","name":"x"}]"#, "", "key_missing"),
        ] {
            let fault = rows(body, &settings(path)).unwrap_err();
            assert_eq!(fault.code, code, "{body}");
        }
        let fault = rows(r#"[{"id":1,"tel":"1"}]"#, &settings("")).unwrap_err();
        assert_eq!(fault.params["keys"], "phone, name");
        assert_eq!(fault.params["found"], "id, tel");
        // One element that has the key is enough; the others are rows to be refused.
        let mixed = r#"[{"id":1,"phone":"1","name":"x"},{"id":2},3]"#;
        assert_eq!(rows(mixed, &settings("")).unwrap().len(), 3);
        assert_eq!(rows("[]", &settings("")).unwrap(), []);
    }

    #[test]
    fn pages_follow_by_number_by_mark_and_by_header() {
        let here = Url::parse("https://crm.example/api?status=new").unwrap();
        let full = Page { rows: 2, mark: Some("m&1".to_owned()), ..Page::default() };
        let mut of = settings("");
        assert_eq!(next(&of, &here, 1, &full, &[]), None);
        of.paging = Paging::Page { param: "page".to_owned(), first: 1 };
        assert_eq!(first(&of).unwrap().query(), Some("status=new&page=1"));
        let second = next(&of, &here, 1, &full, &[]).unwrap();
        assert_eq!(second.query(), Some("status=new&page=2"));
        assert_eq!(next(&of, &here, 2, &Page::default(), &[]), None);
        of.paging = Paging::Cursor { param: "after".to_owned(), path: "next".to_owned() };
        let second = next(&of, &here, 1, &full, &[]).unwrap();
        assert_eq!(second.query(), Some("status=new&after=m%261"));
        assert_eq!(next(&of, &here, 1, &Page::default(), &[]), None);
        of.paging = Paging::Link;
        let links =
            ["<https://crm.example/a?p=0>; rel=\"prev\", </api?p=2>; rel=\"next\"".to_owned()];
        let second = next(&of, &here, 1, &full, &links).unwrap();
        assert_eq!(second.as_str(), "https://crm.example/api?p=2");
    }

    #[test]
    fn the_secret_is_sent_and_never_shown() {
        for (auth, sent) in [
            (Auth::Bearer, "Bearer s3cret"),
            (Auth::Basic { user: "crm".to_owned() }, "Basic Y3JtOnMzY3JldA=="),
            (Auth::Header { name: "X-Api-Key".to_owned() }, "s3cret"),
        ] {
            assert_eq!(headers(&auth, "s3cret")[0].1, sent);
            assert!(!masked(&auth)[0].1.contains("s3cret"));
        }
    }

    /// The rows of an answer in the table that an import takes, and the table's bytes.
    fn table(body: &str, settings: &FeedSettings) -> (u64, usize) {
        let mut table = crate::source::table::Table::default();
        let read = read(body.as_bytes(), settings, |row| table.push(&row));
        assert!(read.is_ok_and(|page| page.rows <= MOST_ROWS && page.keys.len() <= MOST_TOLD));
        (table.rows(), table.take().len())
    }

    #[test]
    fn hostile_answers_cost_no_more_than_their_bounds() {
        let mut any = settings("");
        // Every element has the keys that are needed.
        any.keys = Keys { id: "a".into(), phone: "a".into(), name: "a".into(), zone: None };
        let wide = (0..20_000).map(|n| format!(",\"k{n}\":{n}")).collect::<Vec<_>>().concat();
        let long = "\\u0416".repeat(30_000);
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        for (element, most) in [
            // More keys, longer values and deeper lists than a contact has.
            (format!("{{\"a\":1{wide}}}"), 2_000),
            (format!("{{\"a\":\"{long}\"}}"), 20_000),
            (format!("{{\"{long}\":1,\"a\":2}}"), 200),
            (format!("{{\"a\":{deep}}}"), 2_000),
            (format!("{{\"a\":[{}0]}}", "0,".repeat(50_000)), 20_000),
            // The same key again and again.
            (format!("{{{}\"a\":1}}", "\"a\":2,".repeat(20_000)), 200),
        ] {
            let body = format!("[{element},{{\"a\":1}}]");
            let (rows, bytes) = table(&body, &any);
            assert_eq!(rows, 2);
            assert!(bytes <= most, "{bytes} of {}", &body[..40]);
        }
        // More elements than are taken.
        let many = format!("[{}{{\"a\":1}}]", "{\"a\":1},".repeat(MOST_ROWS as usize + 5));
        assert_eq!(table(&many, &any).0, MOST_ROWS);
        // Elements that are none.
        let (rows, bytes) = table(&format!("[{}{{\"a\":1}}]", "[],".repeat(50_000)), &any);
        assert_eq!(rows, 50_001);
        assert!(bytes < 50_001 * 16, "{bytes}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, &settings("a.b"), drop);
        }

        /// JSON of any shape gives rows within their bounds, however its keys are called.
        #[test]
        fn any_json_gives_rows_within_their_bounds(
            elements in prop::collection::vec(value(), 0..20),
            path in prop::sample::select(vec!["", "a", "a.b"]),
        ) {
            let list = Value::Array(elements.clone());
            let body = match path {
                "" => list,
                "a" => json!({ "a": list }),
                _ => json!({ "a": { "b": list } }),
            };
            let mut table = crate::source::table::Table::default();
            let mut rows = 0;
            let page = read(body.to_string().as_bytes(), &settings(path), |row| {
                rows += 1;
                table.push(&row);
            });
            if let Ok(page) = page {
                prop_assert_eq!((page.rows, rows), (elements.len() as u64, elements.len()));
                let text = table.take();
                let format = crate::source::table::FORMAT;
                let cut = crate::file::cut(&text, format, 0, usize::MAX, true);
                // A line for each element, none lost and none doubled.
                prop_assert_eq!(cut.rows.len(), elements.len());
                prop_assert!(cut.rows.iter().all(|row| row.cells.len() <= 104));
            }
        }

        #[test]
        fn no_answer_makes_it_fall_over(
            text in r#"[\[\]{}:,"a-c0-9.\\ idphonename]{0,160}"#,
            path in "[a-c.$]{0,8}",
            link in "[<>;,=\" relnxtp/]{0,40}",
        ) {
            let mut count = 0;
            if let Ok(page) = read(text.as_bytes(), &settings(&path), |_| count += 1) {
                prop_assert_eq!(page.rows, count);
            }
            next_link(&link);
        }
    }
}
