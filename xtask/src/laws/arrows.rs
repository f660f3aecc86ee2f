//! Who may import whom.

use super::{Breach, Law};
use crate::house::{Dependency, House};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "arrows-down",
        says: "A crate imports only from its own floor and the floors below.",
        check: arrows_down,
        plant: |house| import(house, "base", "db"),
    },
    Law {
        name: "features-apart",
        says: "Features never import each other.",
        check: features_apart,
        plant: |house| import(house, "contacts", "people"),
    },
    Law {
        name: "platform-order",
        says: "A platform crate imports only platform crates that come before it in the list.",
        check: platform_order,
        plant: |house| import(house, "db", "jobs"),
    },
    Law {
        name: "core-alone",
        says: "The core uses only outside crates of a short list, none of which does I/O.",
        check: core_alone,
        plant: |house| import(house, "base", "tokio"),
    },
    Law {
        name: "lints-inherited",
        says: "Every crate obeys the workspace's lints.",
        check: lints_inherited,
        plant: |house| {
            if let Some(base) = house.crates.get_mut("base") {
                base.manifest.clear();
            }
        },
    },
];

/// Ground first. `sim` plays machines and the runner of the product; `xtask` is a tool, may depend
/// on anything and is no floor.
const FLOORS: &[&str] = &["core", "protocol", "platform", "features", "server", "sim"];

/// The one written order of the platform.
const PLATFORM: &[&str] = &[
    "clock",
    "settings",
    "telemetry",
    "db",
    "blob",
    "bus",
    "jobs",
    "outbound",
    "http-kit",
    "tls",
    "sip-io",
    "media",
    "host",
];

/// What protocol and platform may use of the core.
const CORE_FOR_PROTOCOL: &[&str] = &["base"];
const CORE_FOR_PLATFORM: &[&str] = &["base", "access"];

/// Outside crates that the core may use.
const CORE_OUTSIDE: &[&str] = &["serde", "thiserror", "jiff", "hmac", "sha2"];
/// Outside crates that only the core's tests may use.
const CORE_TESTS: &[&str] = &["proptest", "serde_json", "insta"];

/// Arrows that only tests draw and that no floor allows, with the reason.
const TEST_ARROWS: &[(&str, &str, &str)] = &[];

/// An arrow between two crates of the workspace.
struct Arrow<'a> {
    from: &'a str,
    floor: &'a str,
    to: &'a str,
    below: &'a str,
}

fn arrows(house: &House) -> impl Iterator<Item = Arrow<'_>> {
    let named = house.crates.iter().flat_map(|(name, krate)| {
        krate.dependencies.iter().map(move |dependency| (name.as_str(), dependency))
    });
    named.filter_map(|(from, dependency)| {
        let to = dependency.name.as_str();
        let excused = TEST_ARROWS
            .iter()
            .any(|(test, used, _)| dependency.is_dev && *test == from && *used == to);
        let (floor, below) = (house.floor(from)?, house.floor(to)?);
        (!excused).then_some(Arrow { from, floor, to, below })
    })
}

fn arrows_down(house: &House) -> Vec<Breach> {
    let height = |floor: &str| FLOORS.iter().position(|name| *name == floor);
    arrows(house)
        .filter(|arrow| {
            let Some(from) = height(arrow.floor) else { return false };
            let core = arrow.below == "core";
            match arrow.floor {
                "protocol" => !CORE_FOR_PROTOCOL.contains(&arrow.to),
                "platform" if core => !CORE_FOR_PLATFORM.contains(&arrow.to),
                "sim" => !core,
                _ => height(arrow.below).is_none_or(|to| to > from),
            }
        })
        .map(|Arrow { from, floor, to, below }| {
            Breach::new(from, format!("imports {to}: {floor} may not import that of {below}"))
        })
        .collect()
}

fn features_apart(house: &House) -> Vec<Breach> {
    arrows(house)
        .filter(|arrow| arrow.floor == "features" && arrow.below == "features")
        .map(|arrow| Breach::new(arrow.from, format!("imports the feature {}", arrow.to)))
        .collect()
}

fn platform_order(house: &House) -> Vec<Breach> {
    let place = |name: &str| PLATFORM.iter().position(|listed| *listed == name);
    let unlisted = house
        .crates
        .keys()
        .filter(|name| house.floor(name) == Some("platform") && place(name).is_none())
        .map(|name| Breach::new(name, "is not in the list of the platform's order"));
    let backwards = arrows(house)
        .filter(|arrow| arrow.floor == "platform" && arrow.below == "platform")
        .filter(|arrow| place(arrow.to) >= place(arrow.from))
        .map(|arrow| {
            Breach::new(arrow.from, format!("imports {}, which does not come before it", arrow.to))
        });
    unlisted.chain(backwards).collect()
}

fn core_alone(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (name, krate) in &house.crates {
        if house.floor(name) != Some("core") {
            continue;
        }
        for dependency in &krate.dependencies {
            let other = dependency.name.as_str();
            let known = house.crates.contains_key(other)
                || CORE_OUTSIDE.contains(&other)
                || dependency.is_dev && CORE_TESTS.contains(&other);
            if !known {
                let fault =
                    format!("uses {}, which the core's list does not allow", dependency.name);
                breaches.push(Breach::new(name, fault));
            }
        }
    }
    breaches
}

fn lints_inherited(house: &House) -> Vec<Breach> {
    house
        .crates
        .iter()
        .filter(|(_, krate)| {
            let manifest: Option<toml::Table> = krate.manifest.parse().ok();
            let lints = manifest.as_ref().and_then(|table| table.get("lints"));
            lints.and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool)
                != Some(true)
        })
        .map(|(name, _)| Breach::new(name, "lacks `[lints] workspace = true`"))
        .collect()
}

fn import(house: &mut House, from: &str, to: &str) {
    if let Some(krate) = house.crates.get_mut(from) {
        krate.dependencies.push(Dependency { name: to.to_owned(), is_dev: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::testing::house;

    #[test]
    fn tests_obey_the_arrows_too_and_tools_stand_outside() {
        let mut planted = house();
        if let Some(base) = planted.crates.get_mut("base") {
            base.dependencies.push(Dependency { name: "db".to_owned(), is_dev: true });
            base.dependencies.push(Dependency { name: "proptest".to_owned(), is_dev: true });
            base.dependencies.push(Dependency { name: "tempfile".to_owned(), is_dev: true });
        }
        let said =
            |breaches: Vec<Breach>| breaches.into_iter().map(|b| b.fault).collect::<Vec<_>>();
        let fault = "imports db: core may not import that of platform";
        assert_eq!(said(arrows_down(&planted)), [fault]);
        let fault = "uses tempfile, which the core's list does not allow";
        assert_eq!(said(core_alone(&planted)), [fault]);

        let breach = |from: &str, to: &str| {
            let mut planted = house();
            import(&mut planted, from, to);
            arrows_down(&planted)
        };
        assert_eq!(breach("xtask", "contacts"), []);
        assert_eq!(breach("sim", "base"), []);
        assert_eq!(breach("sim", "db").len(), 1);
        assert_eq!(breach("server", "xtask").len(), 1);
        assert_eq!(breach("sip", "db").len(), 1);
        assert_eq!(breach("people", "server").len(), 1);
    }
}
