//! Nothing that exists is forgotten in the list that makes it work.

use std::collections::BTreeSet;

use super::{Breach, Law};
use crate::{house::House, source::Source};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "files-listed",
        says: "Every Rust file is named by a `mod` line: no endpoint, job or block is forgotten.",
        check: files_listed,
        plant: |house| house.add_text("features/contacts/src/routes/planted.rs", "//! Planted.\n"),
    },
    Law {
        name: "features-listed",
        says: "Every feature is in the server's list, and every folder of a floor is a crate.",
        check: features_listed,
        plant: |house| house.add_text("server/src/features.rs", "//! No features at all.\n"),
    },
    Law {
        name: "migrations-listed",
        says: "Every migration is part of its crate's chain.",
        check: migrations_listed,
        plant: |house| {
            house.add_text(
                "features/contacts/migrations/20270101000000_planted.sql",
                "-- Planted.\n",
            );
        },
    },
];

fn files_listed(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, _) in house.texts("", ".rs") {
        let Some((folder, name)) = path.rsplit_once('/') else { continue };
        let roots = ["lib.rs", "main.rs", "build.rs"];
        let is_root = roots.contains(&name) || !folder.contains("/src") || folder.ends_with("/bin");
        if is_root {
            continue;
        }
        // `a/b.rs` is listed by `a/mod.rs`, `a.rs` or, at the top, by the crate's root;
        // `a/mod.rs` by the folder above.
        let (parent, module) = if name == "mod.rs" {
            folder.rsplit_once('/').unwrap_or((folder, ""))
        } else {
            (folder, name.trim_end_matches(".rs"))
        };
        let listers = [
            format!("{parent}/mod.rs"),
            format!("{parent}/lib.rs"),
            format!("{parent}/main.rs"),
            format!("{parent}.rs"),
        ];
        let listed = listers.iter().any(|lister| {
            house
                .files
                .get(lister)
                .and_then(|file| Source::read(file.text.as_deref()?).ok())
                .is_some_and(|source| source.modules.iter().any(|listed| listed == module))
        });
        if !listed {
            breaches.push(Breach::new(path, format!("no `mod {module};` names it")));
        }
    }
    breaches
}

fn features_listed(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let list = house.files.get("server/src/features.rs").and_then(|file| file.text.as_deref());
    for (name, krate) in &house.crates {
        if krate.folder.starts_with("features/")
            && !list.is_some_and(|list| list.contains(&format!("{name}::")))
        {
            breaches.push(Breach::new(&krate.folder, "is not in server/src/features.rs"));
        }
    }
    let known: BTreeSet<&str> = house.crates.values().map(|krate| krate.folder.as_str()).collect();
    for path in house.files.keys().filter(|path| path.ends_with("/Cargo.toml")) {
        let folder = path.trim_end_matches("/Cargo.toml");
        if !known.contains(folder) {
            breaches.push(Breach::new(folder, "is not a member of the workspace"));
        }
    }
    breaches
}

fn migrations_listed(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, _) in super::migrations(house) {
        let Some((folder, name)) = path.split_once("/migrations/") else { continue };
        let listed = house
            .texts(&format!("{folder}/src/"), ".rs")
            .any(|(_, text)| text.contains(&format!("migrations/{name}")));
        if !listed {
            breaches.push(Breach::new(path, "no include_str! takes it into the crate's chain"));
        }
    }
    breaches
}
