//! `cargo xtask sql`: every SQL text of the program is prepared on both engines, and was executed by
//! the tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    e2e::postgres,
    house::House,
    migrated, shell,
    source::{Engine, Source},
};

/// Where a test run leaves the texts that it executed: the value of `SWITCHBELL_SQL_LOG`.
pub(crate) fn log_path() -> Result<PathBuf> {
    Ok(shell::target()?.join("sql-executed.log"))
}

/// A text of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    /// Path and line.
    place: String,
    /// The only engine that it is for.
    only: Option<Engine>,
    sql: String,
}

/// What is wrong with a text on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fault {
    Refused(String),
    NotExecuted,
}

/// Prepares and compares, prints one line of figures, and fails with the list of what is missing.
pub(crate) fn run(plant: Option<&str>) -> Result<()> {
    let planted = match plant {
        None => None,
        Some("bad-column") => Some("SELECT no_such_column FROM migration"),
        Some("unexecuted") => Some("SELECT name FROM migration WHERE name = $1 || 'planted'"),
        Some(other) => bail!("no such fault: {other}; there is bad-column, unexecuted"),
    };
    let house = House::of_sources()?;
    let mut texts = texts(&house);
    texts.extend(planted.map(|text| Text {
        place: "planted".to_owned(),
        only: None,
        sql: text.to_owned(),
    }));
    // Its address is left in the environment of what is started from here.
    postgres::base_url()?;
    let executed = executed()?;
    let refused = refused(&house, &texts)?;
    let (line, faults) = compare(&texts, &refused, &executed);
    println!("{line}");
    for fault in &faults {
        println!("  {fault}");
    }
    if faults.is_empty() {
        Ok(())
    } else {
        bail!("{} SQL texts are refused or were executed by no test", faults.len())
    }
}

/// The product's texts; one that stands in several places is told by the first.
fn texts(house: &House) -> Vec<Text> {
    let mut texts = Vec::<Text>::new();
    let mut seen = BTreeSet::new();
    for (path, source) in house.sources().filter(|(path, _)| !path.starts_with("xtask/")) {
        for sql in Source::read(source).map(|source| source.sql).unwrap_or_default() {
            if seen.insert((sql.engine, sql.text.clone())) {
                let place = format!("{path}:{}", sql.line);
                texts.push(Text { place, only: sql.engine, sql: sql.text });
            }
        }
    }
    texts
}

/// The texts that an engine refuses, by their place in `texts`, with the reason.
fn refused(house: &House, texts: &[Text]) -> Result<BTreeMap<(Engine, usize), String>> {
    let given: Vec<Value> = texts
        .iter()
        .map(|text| json!({ "engine": text.only.map(Engine::name), "text": text.sql }))
        .collect();
    let answer = migrated::ask(house, "prepare", &json!(given))?;
    let mut refused = BTreeMap::new();
    for entry in answer.as_array().context("the example house gave no list")? {
        let engine = entry["engine"].as_str().and_then(Engine::named);
        let (Some(engine), Some(n)) = (engine, entry["text"].as_u64()) else {
            bail!("the example house gave {entry}");
        };
        let why = entry["why"].as_str().unwrap_or_default().to_owned();
        refused.insert((engine, n as usize), why);
    }
    Ok(refused)
}

/// The texts that the last test run executed.
fn executed() -> Result<BTreeSet<(Engine, String)>> {
    let path = log_path()?;
    if !path.exists() {
        println!("sql: no test run has left its texts yet, running the tests");
        crate::test::units()?;
    }
    read_log(&fs::read_to_string(&path).with_context(|| path.display().to_string())?)
}

fn read_log(log: &str) -> Result<BTreeSet<(Engine, String)>> {
    let mut executed = BTreeSet::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).context("the log of executed SQL")?;
        let engine = entry["engine"].as_str().and_then(Engine::named);
        let (Some(engine), Some(sql)) = (engine, entry["sql"].as_str()) else {
            bail!("the log of executed SQL has {line}");
        };
        executed.insert((engine, sql.to_owned()));
    }
    Ok(executed)
}

/// The line of figures, and what is missing.
fn compare(
    texts: &[Text],
    refused: &BTreeMap<(Engine, usize), String>,
    executed: &BTreeSet<(Engine, String)>,
) -> (String, Vec<String>) {
    let mut line = format!("sql: {} texts;", texts.len());
    let mut faults = Vec::new();
    for engine in [Engine::Sqlite, Engine::Pg] {
        let (mut whole, mut prepared, mut done) = (0, 0, 0);
        for (n, text) in texts.iter().enumerate() {
            if text.only.is_some_and(|only| only != engine) {
                continue;
            }
            whole += 1;
            let mut found = Vec::new();
            match refused.get(&(engine, n)) {
                Some(why) => found.push(Fault::Refused(why.clone())),
                None => prepared += 1,
            }
            if executed.contains(&(engine, text.sql.clone())) {
                done += 1;
            } else {
                found.push(Fault::NotExecuted);
            }
            faults.extend(found.iter().map(|fault| tell(text, engine, fault)));
        }
        let name = engine.name();
        // Writing to a String cannot fail.
        let _ =
            write!(line, " {name}: prepared {prepared} of {whole}, executed {done} of {whole};");
    }
    line.pop();
    (line, faults)
}

fn tell(text: &Text, engine: Engine, fault: &Fault) -> String {
    let (place, name) = (&text.place, engine.name());
    let words = text.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match fault {
        Fault::Refused(why) => format!("{place}: {name} refuses it: {why}: {words}"),
        Fault::NotExecuted => format!("{place}: no test executed it on {name}: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(place: &str, only: Option<Engine>, text: &str) -> Text {
        Text { place: place.to_owned(), only, sql: text.to_owned() }
    }

    #[test]
    fn what_is_refused_or_not_executed_is_told_by_its_place() {
        let texts = [
            text("a.rs:1", None, "SELECT a"),
            text("a.rs:2", Some(Engine::Pg), "SELECT b\n  FROM c"),
        ];
        let log = "{\"engine\":\"sqlite\",\"sql\":\"SELECT a\"}\n\
                   {\"engine\":\"pg\",\"sql\":\"SELECT a\"}\n";
        let executed = read_log(log).unwrap();
        let refused = BTreeMap::from([((Engine::Pg, 1), "no such column b".to_owned())]);
        let (line, faults) = compare(&texts, &refused, &executed);
        assert_eq!(
            line,
            "sql: 2 texts; sqlite: prepared 1 of 1, executed 1 of 1; \
             pg: prepared 1 of 2, executed 1 of 2"
        );
        assert_eq!(
            faults,
            [
                "a.rs:2: pg refuses it: no such column b: SELECT b FROM c",
                "a.rs:2: no test executed it on pg: SELECT b FROM c",
            ]
        );
        let done = read_log(&format!("{log}{}\n", r#"{"engine":"pg","sql":"SELECT b\n  FROM c"}"#));
        assert_eq!(compare(&texts, &BTreeMap::new(), &done.unwrap()).1, Vec::<String>::new());
        assert!(read_log("{}").is_err());
    }

    #[test]
    fn a_text_is_listed_once_and_not_from_tests() {
        let mut house = crate::house::testing::house();
        let code = "//! Planted.\nfn f() { sql!(\"SELECT account FROM contact_list\"); }\n\
                    #[cfg(test)] mod tests { fn g() { sql!(\"SELECT 2\"); } }\n";
        house.add_text("features/contacts/src/planted.rs", code);
        let texts = texts(&house);
        let [only] = texts.as_slice() else { panic!("{texts:?}") };
        assert_eq!(only.place, "features/contacts/src/planted.rs:2");
    }
}
