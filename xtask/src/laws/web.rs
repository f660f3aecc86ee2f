//! The arrows of the pages: app, features, shared, in this order.

use super::{Breach, Law};
use crate::house::House;

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[Law {
    name: "web-arrows",
    says: "The pages' features never import each other, and shared parts import neither.",
    check: web_arrows,
    plant: |house| {
        house.add_text(
            "web/apps/desk/src/features/contacts/planted.ts",
            "// Planted.\nimport { x } from '../people/api';\n",
        );
    },
}];

fn web_arrows(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for ending in [".ts", ".tsx"] {
        for (path, text) in house.texts("web/apps/", ending) {
            let Some((app, inside)) = path.split_once("/src/") else { continue };
            let Some((folder, _)) = inside.rsplit_once('/') else { continue };
            let from = zone(inside);
            for (at, line) in text.lines().enumerate() {
                let Some(target) = imported(line).and_then(|name| resolve(folder, name)) else {
                    continue;
                };
                let to = zone(&target);
                let wrong = match (&from, &to) {
                    (Zone::Feature(one), Zone::Feature(other)) => one != other,
                    (Zone::Feature(_) | Zone::Shared, Zone::App)
                    | (Zone::Shared, Zone::Feature(_)) => true,
                    _ => false,
                };
                if wrong {
                    let place = format!("{path}:{}", at + 1);
                    breaches.push(Breach::new(place, format!("imports {app}/src/{target}")));
                }
            }
        }
    }
    breaches
}

#[derive(PartialEq)]
enum Zone {
    App,
    Feature(String),
    Shared,
    Other,
}

fn zone(path: &str) -> Zone {
    let mut parts = path.split('/');
    match (parts.next(), parts.next()) {
        (Some("app"), _) => Zone::App,
        (Some("features"), Some(name)) => Zone::Feature(name.to_owned()),
        (Some("shared"), _) => Zone::Shared,
        _ => Zone::Other,
    }
}

/// The module that a line imports: what stands in quotes behind `from` or `import(`.
fn imported(line: &str) -> Option<&str> {
    let rest = line.split_once(" from ").or_else(|| line.split_once("import("))?.1.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest[1..].split(quote).next()
}

/// A relative or `@/` import as a path below `src`; `None` for packages.
fn resolve(folder: &str, name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("@/") {
        return Some(rest.to_owned());
    }
    if !name.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
