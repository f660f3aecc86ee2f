//! Which crates of others are let in.

use super::{Breach, Law};
use crate::house::{House, Outside};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "no-banned-crates",
        says: "No crate that binds OpenSSL or AWS-LC, and no second database layer, is compiled.",
        check: no_banned_crates,
        plant: |house| house.outside.push(planted("openssl-sys", Some("MIT"))),
    },
    Law {
        name: "licences-compatible",
        says: "Every crate may be used in a program under Apache-2.0.",
        check: licences_compatible,
        plant: |house| house.outside.push(planted("planted", Some("MIT AND GPL-3.0-only"))),
    },
];

/// Crates that must not be compiled: TLS by C libraries that a bare Debian lacks or that need more
/// than a C compiler, and a second way to the database.
const BANNED: &[&str] =
    &["openssl-sys", "openssl", "native-tls", "aws-lc-sys", "aws-lc-rs", "sea-orm", "sqlx"];

/// Licences, by their SPDX names, whose only condition is that they are told.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licences with another condition that we keep, with the reason.
const WITH_REASON: &[(&str, &str)] = &[
    ("MPL-2.0", "asks for the source of changed files; none is changed"),
    ("CDLA-Permissive-2.0", "of the list of certificate authorities: data, not code"),
];

fn no_banned_crates(house: &House) -> Vec<Breach> {
    house
        .outside
        .iter()
        .filter(|krate| BANNED.contains(&krate.name.as_str()))
        .map(|krate| {
            Breach::new(&krate.name, "is compiled; `cargo tree --invert` tells who asks for it")
        })
        .collect()
}

fn licences_compatible(house: &House) -> Vec<Breach> {
    house
        .outside
        .iter()
        .filter(|krate| !krate.licence.as_deref().is_some_and(is_compatible))
        .map(|krate| {
            let licence = krate.licence.as_deref().unwrap_or("no licence that is named");
            Breach::new(&krate.name, format!("is under {licence}"))
        })
        .collect()
}

/// Whether an SPDX expression can be kept. Old manifests write `/` for `OR`. Every exception of the
/// form `WITH …` only adds a permission.
fn is_compatible(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (holds, rest) = either(&words);
    holds && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = both(words);
    while let ["OR", more @ ..] = rest {
        let (other, after) = both(more);
        (holds, rest) = (holds | other, after);
    }
    (holds, rest)
}

fn both<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = one(words);
    while let ["AND", more @ ..] = rest {
        let (other, after) = one(more);
        (holds, rest) = (holds & other, after);
    }
    (holds, rest)
}

fn one<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => match either(inside) {
            (holds, [")", rest @ ..]) => (holds, rest),
            (_, rest) => (false, rest),
        },
        [name, rest @ ..] => {
            let known =
                LICENCES.contains(name) || WITH_REASON.iter().any(|(listed, _)| listed == name);
            let rest = if let ["WITH", _, rest @ ..] = rest { rest } else { rest };
            (known, rest)
        }
        [] => (false, words),
    }
}

fn planted(name: &str, licence: Option<&str>) -> Outside {
    Outside { name: name.to_owned(), licence: licence.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_expression_is_read_as_spdx_says() {
        for kept in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-2.0-only OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
        ] {
            assert!(is_compatible(kept), "{kept}");
        }
        for refused in
            ["", "GPL-3.0-only", "MIT AND GPL-2.0-only", "(MIT", "MIT MIT", "Unheard-1.0"]
        {
            assert!(!is_compatible(refused), "{refused}");
        }
    }
}
