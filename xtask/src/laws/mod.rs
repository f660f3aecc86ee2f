//! The laws of the house. Each names the breach, and each has a breach that it must find.

mod api;
mod arrows;
mod errors;
mod lists;
mod outside;
mod sql;
mod text;
mod web;

use std::fmt;

use anyhow::{Result, bail};

use crate::house::House;
pub(crate) use errors::declared as declared_problems;
pub(crate) use sql::{migrations, owners};

/// Something that the house forbids, or asks for.
pub(crate) struct Law {
    /// Its name on the command line and in the output.
    pub(crate) name: &'static str,
    /// What it says.
    pub(crate) says: &'static str,
    /// Finds the breaches.
    pub(crate) check: fn(&House) -> Vec<Breach>,
    /// Breaks it.
    pub(crate) plant: fn(&mut House),
}

/// One breach, for a person: where and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// A path, with a line where one can be named, or a crate.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) fault: String,
}

impl Breach {
    fn new(place: impl Into<String>, fault: impl Into<String>) -> Self {
        Self { place: place.into(), fault: fault.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// Every law.
pub(crate) fn all() -> Vec<Law> {
    [
        arrows::LAWS,
        outside::LAWS,
        sql::LAWS,
        api::LAWS,
        lists::LAWS,
        errors::LAWS,
        text::LAWS,
        web::LAWS,
    ]
    .into_iter()
    .flatten()
    .map(|law| Law { ..*law })
    .collect()
}

/// Checks every law on the working tree, one of them with a planted breach if `plant` names it.
pub(crate) fn run(plant: Option<&str>) -> Result<()> {
    let mut house = House::load()?;
    let laws = all();
    if let Some(name) = plant {
        let Some(law) = laws.iter().find(|law| law.name == name) else {
            let names: Vec<_> = laws.iter().map(|law| law.name).collect();
            bail!("no such law: {name}; there is {}", names.join(", "));
        };
        (law.plant)(&mut house);
    }
    let mut broken = Vec::new();
    for law in &laws {
        let mut breaches = (law.check)(&house);
        breaches.sort();
        if breaches.is_empty() {
            continue;
        }
        println!("broken: {}: {}", law.name, law.says);
        for breach in &breaches {
            println!("  {breach}");
        }
        broken.push(law.name);
    }
    let (held, whole) = (laws.len() - broken.len(), laws.len());
    let (crates, files) = (house.crates.len(), house.files.len());
    println!("laws: {held} of {whole} hold, over {crates} crates and {files} files");
    if broken.is_empty() { Ok(()) } else { bail!("broken: {}", broken.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::house::testing::house;

    #[test]
    fn the_sound_house_breaks_no_law() {
        let house = house();
        for law in all() {
            assert_eq!((law.check)(&house), [], "{}", law.name);
        }
    }

    /// What the planted breach of each law must be told as: its place and its fault.
    const TOLD: &[(&str, &str)] = &[
        ("arrows-down", "base: imports db: core may not import that of platform"),
        ("features-apart", "contacts: imports the feature people"),
        ("platform-order", "db: imports jobs, which does not come before it"),
        ("core-alone", "base: uses tokio, which the core's list does not allow"),
        ("lints-inherited", "base: lacks `[lints] workspace = true`"),
        ("no-banned-crates", "openssl-sys: is compiled"),
        ("licences-compatible", "planted: is under MIT AND GPL-3.0-only"),
        ("own-tables", "src/planted.rs:2: writes person, which belongs to people"),
        ("views-named", "views.sql: the view planted is not called v_planted"),
        ("names-once", "makes contact_list, as features/contacts/migrations/1_lists.sql does"),
        ("sql-marked", "src/planted.rs:2: SQL outside sql!: DELETE FROM contact_list"),
        ("picks-counted", "src/planted.rs: has 1 picks, and 0 on the list"),
        ("rows-have-accounts", "20270101000000_planted.sql: the table planted has no account"),
        ("routes-name-permissions", "GET /planted: names no permission"),
        ("topics-name-permissions", "src/planted.rs:2: the topic \"planted\" names no permission"),
        ("schemas-once", "voice/src/planted.rs:3: the schema Planted is that of features/contacts"),
        ("generated-fresh", "docs/reference/planted.md: is missing: run `cargo xtask gen`"),
        ("files-listed", "routes/planted.rs: no `mod planted;` names it"),
        ("features-listed", "features/people: is not in server/src/features.rs"),
        ("migrations-listed", "20270101000000_planted.sql: no include_str! takes it"),
        ("errors-documented", "errors/planted_error.md: no such error is declared"),
        ("errors-declared", "src/planted.rs:3: makes a problem that problems! does not declare"),
        ("errors-filled", "uk/errors.json: list_not_found shows planted, which the server"),
        ("errors-translated", "uk/errors.json: words planted_error, which no server sends"),
        ("top-sentence", "core/base/src/planted.rs: does not begin with"),
        ("nothing-unfinished", "core/base/src/planted.rs:2: says"),
        ("no-private-paths", "core/base/src/planted.rs:1: names a folder below"),
        ("no-large-blobs", "docs/planted.png: has 585 kB"),
        ("readme-is-rustdoc", "core/base/README.md: does not say what the crate is"),
        ("web-arrows", "contacts/planted.ts:2: imports web/apps/desk/src/features/people"),
    ];

    #[test]
    fn every_law_names_the_breach_planted_for_it() {
        assert_eq!(all().len(), TOLD.len());
        for law in all() {
            let mut house = house();
            (law.plant)(&mut house);
            let told: Vec<String> = (law.check)(&house).iter().map(ToString::to_string).collect();
            let expected = TOLD.iter().find(|(name, _)| *name == law.name).map(|(_, words)| *words);
            assert!(
                told.iter().any(|line| line.contains(expected.unwrap())),
                "{}: {told:?}",
                law.name
            );
        }
    }

    #[test]
    fn every_law_has_its_own_name_and_a_sentence() {
        let names: BTreeSet<_> = all().iter().map(|law| law.name).collect();
        assert_eq!(names.len(), all().len());
        assert!(all().iter().all(|law| law.says.ends_with('.')));
    }
}
