//! What every file must be like.

use super::{Breach, Law};
use crate::house::{File, House};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "top-sentence",
        says: "Every source file begins with a sentence that says what it is.",
        check: top_sentence,
        plant: |house| house.add_text("core/base/src/planted.rs", "fn planted() {}\n"),
    },
    Law {
        name: "nothing-unfinished",
        says: "No file carries a mark of unfinished work.",
        check: nothing_unfinished,
        plant: |house| {
            let text = concat!("//! Planted.\n// FIX", "ME: later.\n");
            house.add_text("core/base/src/planted.rs", text);
        },
    },
    Law {
        name: "no-private-paths",
        says: "No file names a folder of somebody's machine.",
        check: no_private_paths,
        plant: |house| {
            let text = concat!("//! Planted, see /ho", "me/somebody/notes.\n");
            house.add_text("core/base/src/planted.rs", text);
        },
    },
    Law {
        name: "no-large-blobs",
        says: "No file is larger than 512 kB, lock files excepted.",
        check: no_large_blobs,
        plant: |house| {
            house.files.insert("docs/planted.png".to_owned(), File { bytes: 600_000, text: None });
        },
    },
    Law {
        name: "readme-is-rustdoc",
        says: "Every crate has a README that says what it is, and it is the crate's rustdoc.",
        check: readme_is_rustdoc,
        plant: |house| house.add_text("core/base/README.md", "# base\n"),
    },
];

/// How a comment begins in a file of each kind but Rust.
const TOPS: &[(&str, &[&str])] = &[
    (".sql", &["-- "]),
    (".ts", &["// ", "/**", "/* "]),
    (".tsx", &["// ", "/**", "/* "]),
    (".mjs", &["// ", "/** ", "#!"]),
    (".sh", &["#!", "# "]),
];

/// Marks of work that is not done; in halves, so that this file is not one of them.
const UNFINISHED: &[&str] = &[
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X "),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// Folders that only one machine has; in halves, too.
const PRIVATE: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Files that carry other people's text.
const NOT_OURS: &[&str] = &["LICENSE", "package-lock.json", "Cargo.lock", "OFL.txt"];

/// Files that tools keep, however long they get.
const LOCKS: &[&str] = &["package-lock.json", "Cargo.lock"];

const LARGEST: u64 = 512 * 1024;

fn top_sentence(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in house.texts("", ".rs") {
        let is_readme = text.starts_with("#![doc = include_str!(");
        if !is_readme && !top_paragraph(text).is_some_and(|top| top.ends_with('.')) {
            breaches.push(Breach::new(path, "does not begin with `//!` and a sentence"));
        }
    }
    for (ending, tops) in TOPS {
        for (path, text) in house.texts("", ending) {
            let first = text.lines().next().unwrap_or_default();
            if !tops.iter().any(|top| first.starts_with(top)) {
                breaches.push(Breach::new(path, "does not begin with what it is"));
            }
        }
    }
    breaches
}

/// The first paragraph of the doc comment with which a Rust file begins.
fn top_paragraph(text: &str) -> Option<String> {
    let lines: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

fn nothing_unfinished(house: &House) -> Vec<Breach> {
    lines_with(house, UNFINISHED)
        .map(|(place, mark)| Breach::new(place, format!("says {mark}")))
        .collect()
}

fn no_private_paths(house: &House) -> Vec<Breach> {
    lines_with(house, PRIVATE)
        .map(|(place, path)| Breach::new(place, format!("names a folder below {path}")))
        .collect()
}

/// The places of our own files at which one of `marks` stands.
fn lines_with(
    house: &House,
    marks: &'static [&'static str],
) -> impl Iterator<Item = (String, &'static str)> {
    let ours =
        house.texts("", "").filter(|(path, _)| !NOT_OURS.iter().any(|name| path.ends_with(name)));
    ours.flat_map(move |(path, text)| {
        text.lines().enumerate().filter_map(move |(at, line)| {
            let mark = marks.iter().find(|mark| line.contains(**mark))?;
            Some((format!("{path}:{}", at + 1), *mark))
        })
    })
}

fn no_large_blobs(house: &House) -> Vec<Breach> {
    house
        .files
        .iter()
        .filter(|(path, _)| !LOCKS.iter().any(|lock| path.ends_with(lock)))
        .filter(|(_, file)| file.bytes > LARGEST)
        .map(|(path, file)| Breach::new(path, format!("has {} kB", file.bytes / 1024)))
        .collect()
}

fn readme_is_rustdoc(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for krate in house.crates.values() {
        let path = format!("{}/README.md", krate.folder);
        let text = house.files.get(&path).and_then(|file| file.text.as_deref()).unwrap_or_default();
        if text.lines().filter(|line| !line.trim().is_empty()).count() < 2 {
            breaches.push(Breach::new(path, "does not say what the crate is"));
        }
        let root = ["lib.rs", "main.rs"]
            .iter()
            .find_map(|name| house.files.get(&format!("{}/src/{name}", krate.folder)));
        let root = root.and_then(|file| file.text.as_deref()).unwrap_or_default();
        if !root.starts_with("#![doc = include_str!(\"../README.md\")]") {
            breaches.push(Breach::new(&krate.folder, "its README is not its rustdoc"));
        }
    }
    breaches
}
