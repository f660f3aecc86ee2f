//! Whose tables a statement may touch.

use std::collections::BTreeMap;

use super::{Breach, Law};
use crate::{
    house::{House, owner},
    source::{Engine, Source},
};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "own-tables",
        says: "A crate writes its own tables only, and reads others' only through v_ views.",
        check: own_tables,
        plant: |house| {
            house.add_text(
                "features/contacts/src/planted.rs",
                "//! Planted.\nfn f() { sql!(\"UPDATE person SET name = $1\"); }\n",
            );
        },
    },
    Law {
        name: "views-named",
        says: "Every view is called v_ and something, so that a reader sees what is published.",
        check: views_named,
        plant: |house| {
            house.add_text(
                "features/people/migrations/views.sql",
                "-- Planted.\nCREATE VIEW planted AS SELECT 1 FROM person;\n",
            );
        },
    },
    Law {
        name: "names-once",
        says: "No two migrations make a table or a view of the same name.",
        check: names_once,
        plant: |house| {
            house.add_text(
                "features/people/migrations/20270101000000_planted.sql",
                "-- Planted.\nCREATE TABLE contact_list (account BIGINT NOT NULL);\n",
            );
        },
    },
    Law {
        name: "sql-marked",
        says: "Every SQL text is marked with sql!, so that `cargo xtask sql` finds it.",
        check: sql_marked,
        plant: |house| {
            house.add_text(
                "features/contacts/src/planted.rs",
                "//! Planted.\nfn f() { tx.exec(\"DELETE FROM contact_list\"); }\n",
            );
        },
    },
    Law {
        name: "picks-counted",
        says: "Differences between the two engines are few, and each is on the list with a reason.",
        check: picks_counted,
        plant: |house| {
            house.add_text(
                "features/contacts/src/planted.rs",
                "//! Planted.\nfn f() { tx.pick(sql!(sqlite: \"SELECT 1\"), sql!(pg: \"SELECT 1\")); }\n",
            );
        },
    },
    Law {
        name: "rows-have-accounts",
        says: "Every row has its account: every table has the column, or is on the list of the installation's.",
        check: rows_have_accounts,
        plant: |house| {
            house.add_text(
                "features/contacts/migrations/20270101000000_planted.sql",
                "-- Planted.\nCREATE TABLE planted (id BIGINT PRIMARY KEY);\n",
            );
        },
    },
];

/// Tables of the installation as a whole, with the reason why they have no account.
const INSTALLATION: &[(&str, &str)] =
    &[("db_heartbeat", "one row by which readiness sees that the database takes work")];

/// Tables that a crate touches though another one made them, with the reason.
const SHARED: &[(&str, &str, &str)] =
    &[("bus", "outbox", "units of work of any crate fill it by db::outbox; the bus empties it")];

/// Uses of `pick` by file, with the reason.
const PICKS: &[(&str, usize, &str)] = &[
    ("features/campaigns/src/store/campaigns.rs", 1, "a change reads the row first: locks it"),
    ("features/campaigns/src/store/claims.rs", 1, "a claim reads the contact first: locks it"),
    (
        "features/campaigns/src/store/contacts.rs",
        2,
        "an exclusion reads the contact first: locks it",
    ),
    (
        "features/campaigns/src/store/finishes.rs",
        3,
        "an end reads attempt and contact first: locks them",
    ),
    ("features/campaigns/src/store/lease.rs", 1, "the lease must stand until the commit: locks it"),
    (
        "features/campaigns/src/store/presets.rs",
        2,
        "a change reads the preset first, for the audit: locks it",
    ),
    ("platform/db/src/migrate.rs", 1, "each engine lists its views in a catalogue of its own"),
    ("platform/jobs/src/store.rs", 1, "claiming a job: SKIP LOCKED where rows have locks"),
];

/// Tables and views, each with the crate whose migrations make it.
pub(crate) fn owners(house: &House) -> BTreeMap<String, String> {
    makers(house).map(|(path, name)| (name, owner(path).unwrap_or_default().to_owned())).collect()
}

/// The name of every table and view, with the migration that makes it.
fn makers(house: &House) -> impl Iterator<Item = (&str, String)> {
    migrations(house).flat_map(|(path, text)| {
        let made = tables(text).into_iter().map(|(table, _)| table).chain(views(text));
        made.map(move |name| (path, name))
    })
}

fn names_once(house: &House) -> Vec<Breach> {
    let mut first = BTreeMap::new();
    let mut breaches = Vec::new();
    for (path, name) in makers(house) {
        if let Some(other) = first.insert(name.clone(), path) {
            breaches.push(Breach::new(path, format!("makes {name}, as {other} does")));
        }
    }
    breaches
}

/// The migrations and views of all crates, by path: a crate's tables come before its views.
pub(crate) fn migrations(house: &House) -> impl Iterator<Item = (&str, &str)> {
    house.texts("", ".sql").filter(|(path, _)| path.contains("/migrations/"))
}

/// The tables that a migration makes, each with its definition.
fn tables(text: &str) -> Vec<(String, String)> {
    let text: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    text.split(';')
        .filter_map(|statement| {
            let rest = statement.trim().strip_prefix("CREATE TABLE ")?;
            let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
            let (name, body) = rest.split_once('(')?;
            Some((name.trim().to_owned(), body.to_owned()))
        })
        .collect()
}

fn own_tables(house: &House) -> Vec<Breach> {
    let owners = owners(house);
    let mut texts = Vec::new();
    for (path, source) in sources(house) {
        let crate_name = owner(&path).unwrap_or_default().to_owned();
        for sql in source.sql {
            texts.push((crate_name.clone(), format!("{path}:{}", sql.line), sql.text));
        }
    }
    for (path, text) in migrations(house) {
        let crate_name = owner(path).unwrap_or_default();
        texts.push((crate_name.to_owned(), path.to_owned(), text.to_owned()));
    }
    let mut breaches = Vec::new();
    for (owner, place, text) in texts {
        for (touch, table) in touched(&text) {
            let published = touch == Touch::Reads && table.starts_with("v_");
            let shared = SHARED.iter().any(|(name, what, _)| *name == owner && *what == table);
            if let Some(other) =
                owners.get(&table).filter(|other| **other != owner && !published && !shared)
            {
                let fault = format!("{} {table}, which belongs to {other}", touch.verb());
                breaches.push(Breach::new(&place, fault));
            }
        }
    }
    breaches
}

fn views_named(house: &House) -> Vec<Breach> {
    let all = migrations(house).flat_map(|(path, text)| views(text).map(move |name| (path, name)));
    all.filter(|(_, name)| !name.starts_with("v_"))
        .map(|(path, name)| Breach::new(path, format!("the view {name} is not called v_{name}")))
        .collect()
}

/// The views that a text makes.
fn views(text: &str) -> impl Iterator<Item = String> {
    let words = words(text);
    let found: Vec<String> = words
        .windows(3)
        .filter(|triple| triple[0] == "CREATE" && triple[1] == "VIEW")
        .map(|triple| triple[2].clone())
        .collect();
    found.into_iter()
}

/// What a statement does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    Reads,
    Writes,
    RefersTo,
}

impl Touch {
    const fn verb(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::RefersTo => "refers to",
        }
    }
}

/// The words and signs of an SQL text; comments and texts in quotes are left out.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\'' {
            while rest.next().is_some_and(|c| c != '\'') {}
        } else if c == '-' && rest.peek() == Some(&'-') {
            while rest.next().is_some_and(|c| c != '\n') {}
        } else if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        } else if !c.is_whitespace() {
            words.push(c.to_string());
        }
        words.push(String::new());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The tables that a statement names: those behind INSERT INTO, UPDATE and DELETE FROM are written,
/// behind FROM, JOIN and USING read, behind REFERENCES referred to.
fn touched(text: &str) -> Vec<(Touch, String)> {
    let words = words(text);
    let at = |n: usize| words.get(n).map(String::as_str).unwrap_or_default();
    let is_name = |n: usize| at(n).starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut found = Vec::new();
    for n in 0..words.len() {
        let before = n.checked_sub(1).map(at).unwrap_or_default().to_uppercase();
        let touch = match (before.as_str(), at(n).to_uppercase().as_str()) {
            // `ON CONFLICT … DO UPDATE SET`, `FOR UPDATE`, `IS DISTINCT FROM`.
            ("DO" | "FOR" | "KEY", "UPDATE") | ("DISTINCT", "FROM") => continue,
            ("INSERT", "INTO") | ("DELETE", "FROM") | (_, "UPDATE") => Touch::Writes,
            (_, "FROM" | "JOIN" | "USING") => Touch::Reads,
            (_, "REFERENCES") => Touch::RefersTo,
            _ => continue,
        };
        if !is_name(n + 1) {
            continue;
        }
        found.push((touch, at(n + 1).to_lowercase()));
        // `FROM a, b x, c AS y`: the names behind the commas.
        let mut name = n + 1;
        while let Some(comma) = (name + 1..=name + 3).find(|next| at(*next) == ",") {
            let is_alias = (name + 1..comma).all(is_name) && is_name(comma + 1);
            if touch != Touch::Reads || !is_alias {
                break;
            }
            name = comma + 1;
            found.push((touch, at(name).to_lowercase()));
        }
    }
    found
}

/// The sources of the product that may hold SQL, as read.
fn sources(house: &House) -> impl Iterator<Item = (String, Source)> {
    house
        .sources()
        .filter(|(path, _)| !path.starts_with("xtask/"))
        .filter_map(|(path, text)| Some((path.to_owned(), Source::read(text).ok()?)))
}

fn sql_marked(house: &House) -> Vec<Breach> {
    sources(house)
        .flat_map(|(path, source)| {
            source.unmarked.into_iter().map(move |(line, text)| {
                let start: String = text.chars().take(40).collect();
                Breach::new(format!("{path}:{line}"), format!("SQL outside sql!: {start}…"))
            })
        })
        .collect()
}

fn picks_counted(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, source) in sources(house) {
        let allowed = PICKS.iter().find(|(file, ..)| *file == path).map_or(0, |(_, n, _)| *n);
        let sides = source.sql.iter().filter(|sql| sql.engine == Some(Engine::Sqlite)).count();
        let found = source.picks.len().max(sides);
        if found != allowed {
            let fault = format!("has {found} picks, and {allowed} on the list");
            breaches.push(Breach::new(&path, fault));
        }
    }
    breaches
}

fn rows_have_accounts(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in migrations(house) {
        for (table, body) in tables(text) {
            let listed = INSTALLATION.iter().any(|(name, _)| *name == table);
            let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
            let has = ["account BIGINT NOT NULL", "account BIGINT PRIMARY KEY"];
            if !listed && !has.iter().any(|column| body.contains(column)) {
                breaches.push(Breach::new(path, format!("the table {table} has no account")));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::testing::house;

    #[test]
    fn the_tables_of_a_statement_are_found() {
        let names = |text: &str| {
            let found = touched(text).into_iter();
            found.map(|(touch, name)| format!("{} {name}", touch.verb())).collect::<Vec<_>>()
        };
        let text = "INSERT INTO a (x) SELECT y, z FROM b JOIN v_c ON true";
        assert_eq!(names(text), ["writes a", "reads b", "reads v_c"]);
        let text = "INSERT INTO a (x) VALUES ($1) ON CONFLICT (x) DO UPDATE SET x = 1";
        assert_eq!(names(text), ["writes a"]);
        let text = "update a set x = (select 1 from b, d e, f as g, h), y = 2 where x in (1, 2)";
        assert_eq!(names(text), ["writes a", "reads b", "reads d", "reads f", "reads h"]);
        let text =
            "DELETE FROM a WHERE x IS DISTINCT FROM $1 AND y = 'FROM k' -- FROM l\n RETURNING x, y";
        assert_eq!(names(text), ["writes a"]);
        assert_eq!(names("SELECT 1 FROM a FOR UPDATE SKIP LOCKED"), ["reads a"]);
        assert_eq!(names("SELECT 1 FROM (SELECT 2 FROM a GROUP BY b, c) z"), ["reads a"]);
        let text = "CREATE TABLE a (b BIGINT REFERENCES c (id), d TEXT)";
        assert_eq!(names(text), ["refers to c"]);
    }

    #[test]
    fn a_crate_is_told_whose_table_it_touched() {
        let said = |path: &str, text: &str| {
            let mut house = house();
            house.add_text(path, text);
            own_tables(&house).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let code = "//! Planted.\nfn f() {\n sql!(\"UPDATE person SET name = $1\"); }\n";
        let fault = "features/contacts/src/planted.rs:3: writes person, which belongs to people";
        assert_eq!(said("features/contacts/src/planted.rs", code), [fault]);
        assert_eq!(said("features/people/src/planted.rs", code), Vec::<String>::new());
        let views = "-- Views.\nCREATE VIEW v_x AS SELECT 1 FROM contact_list;\n";
        let path = "features/people/migrations/views.sql";
        let fault = format!("{path}: reads contact_list, which belongs to contacts");
        assert_eq!(said(path, views), [fault]);
    }
}
