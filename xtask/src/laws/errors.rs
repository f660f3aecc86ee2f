//! The codes of errors are the same in the code, in the manual and in every language.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Breach, Law};
use crate::{
    generate,
    house::House,
    source::{Problem, Source},
};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "errors-documented",
        says: "Every error code has one declaration and a page in docs/reference/errors, and every page a code.",
        check: errors_documented,
        plant: |house| {
            house.add_text("docs/reference/errors/planted_error.md", "# planted_error\n");
        },
    },
    Law {
        name: "errors-declared",
        says: "Every refusal of a feature is declared in problems!, where these laws see it.",
        check: errors_declared,
        plant: |house| {
            let text =
                "//! Planted.\nfn f() -> Problem {\n Problem::new(418, \"teapot\", \"\") }\n";
            house.add_text("features/contacts/src/planted.rs", text);
        },
    },
    Law {
        name: "errors-filled",
        says: "The words for an error show only values that the server sends with it.",
        check: errors_filled,
        plant: |house| {
            let path = generate::catalogue("uk");
            house.add_text(&path, r#"{ "list_not_found": "Немає {{planted, number}}." }"#);
        },
    },
    Law {
        name: "errors-translated",
        says: "Every code of an error and of a field's fault is worded in every language of the pages, and no other is.",
        check: errors_translated,
        plant: |house| {
            let path = generate::catalogue("uk");
            house.add_text(&path, r#"{ "planted_error": "Немає." }"#);
        },
    },
];

/// Every declared problem, with the place of its code.
pub(crate) fn declared(house: &House) -> Vec<(String, Problem)> {
    let mut found = Vec::new();
    for (path, text) in house.sources() {
        if path.starts_with("xtask/") || !text.contains("problems!") {
            continue;
        }
        let Ok(source) = Source::read(text) else { continue };
        for problem in source.problems {
            found.push((format!("{path}:{}", problem.line), problem));
        }
    }
    found
}

fn errors_documented(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut seen = BTreeMap::new();
    for (place, problem) in declared(house) {
        if let Some(first) = seen.insert(problem.code.clone(), place.clone()) {
            let fault = format!("the code {} is declared at {first} too", problem.code);
            breaches.push(Breach::new(&place, fault));
        }
        if !house.files.contains_key(&generate::error_page(&problem.code)) {
            let fault = format!("{} has no page: run `cargo xtask gen`", problem.code);
            breaches.push(Breach::new(place, fault));
        }
    }
    for (path, _) in house.texts("docs/reference/errors/", ".md") {
        let code = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".md");
        if code != "index" && !seen.contains_key(code) {
            breaches.push(Breach::new(path, "no such error is declared"));
        }
    }
    breaches
}

fn errors_declared(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in house.texts("features/", ".rs").chain(house.texts("server/", ".rs")) {
        for (at, line) in text.lines().enumerate() {
            if line.contains("Problem::new(") {
                let place = format!("{path}:{}", at + 1);
                breaches
                    .push(Breach::new(place, "makes a problem that problems! does not declare"));
            }
        }
    }
    breaches
}

fn errors_filled(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let problems = declared(house);
    for language in generate::LANGUAGES {
        let path = generate::catalogue(language);
        let catalogue = house.files.get(&path).and_then(|file| file.text.as_deref());
        let words: Value =
            catalogue.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        for (_, problem) in &problems {
            let sentence = words[&problem.code].as_str().unwrap_or_default();
            for name in placeholders(sentence).filter(|name| !problem.params.contains(name)) {
                let fault =
                    format!("{} shows {name}, which the server does not send", problem.code);
                breaches.push(Breach::new(&path, fault));
            }
        }
    }
    breaches
}

/// The names in `{{name}}` and `{{name, format}}`.
fn placeholders(sentence: &str) -> impl Iterator<Item = String> {
    sentence
        .split("{{")
        .skip(1)
        .map(|rest| rest.split([',', '}']).next().unwrap_or_default().trim().to_owned())
}

/// Codes of the pages' own, for what no server tells.
const LOCAL: &[(&str, &str)] = &[
    ("network", "no answer came"),
    ("cancelled", "the person stopped it"),
    ("unknown", "a code that these pages do not know yet"),
];

fn errors_translated(house: &House) -> Vec<Breach> {
    let mut needed: BTreeMap<String, String> =
        declared(house).into_iter().map(|(place, problem)| (problem.code, place)).collect();
    let mut said: BTreeSet<String> = LOCAL.iter().map(|(code, _)| (*code).to_owned()).collect();
    for (path, text) in house.sources().filter(|(path, _)| !path.starts_with("xtask/")) {
        let Ok(source) = Source::read(text) else { continue };
        for (line, code) in source.faults {
            needed.entry(code).or_insert_with(|| format!("{path}:{line}"));
        }
        said.extend(source.codes);
    }
    said.extend(needed.keys().cloned());
    let mut breaches = Vec::new();
    for language in generate::LANGUAGES {
        let path = generate::catalogue(language);
        let catalogue = house.files.get(&path).and_then(|file| file.text.as_deref());
        let words: Option<Value> = catalogue.and_then(|text| serde_json::from_str(text).ok());
        let Some(words) = words.as_ref().and_then(Value::as_object) else {
            breaches.push(Breach::new(path, "is not a catalogue of words"));
            continue;
        };
        for (code, place) in &needed {
            if !words.contains_key(code) {
                breaches.push(Breach::new(&path, format!("does not word {code} of {place}")));
            }
        }
        for code in words.keys().filter(|code| !said.contains(*code)) {
            breaches.push(Breach::new(&path, format!("words {code}, which no server sends")));
        }
    }
    breaches
}
