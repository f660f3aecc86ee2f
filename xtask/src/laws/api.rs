//! What the server's own description must say.

use std::collections::BTreeMap;

use access::Permission;
use serde_json::{Value, json};

use super::{Breach, Law};
use crate::{generate, house::House, source::Source};

/// The laws of this file.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "routes-name-permissions",
        says: "Every route names a permission, or says why it needs none.",
        check: routes_name_permissions,
        plant: |house| {
            let document = house.openapi.get_or_insert_with(|| json!({}));
            document["paths"]["/planted"] = json!({ "get": { "operationId": "planted" } });
        },
    },
    Law {
        name: "topics-name-permissions",
        says: "Every live topic names a permission.",
        check: topics_name_permissions,
        plant: |house| {
            house.add_text(
                "features/contacts/src/planted.rs",
                "//! Planted.\nfn f(s: &mut Socket) { s.topic(Topic::new(\"planted\", any(), g)); }\n",
            );
        },
    },
    Law {
        name: "schemas-once",
        says: "No two types share the name of a schema, of which only one would be described.",
        check: schemas_once,
        plant: |house| {
            for path in ["features/contacts/src/planted.rs", "features/voice/src/planted.rs"] {
                house.add_text(path, "//! Planted.\n#[derive(ToSchema)]\nstruct Planted;\n");
            }
        },
    },
    Law {
        name: "generated-fresh",
        says: "Generated files are what `cargo xtask gen` makes.",
        check: generated_fresh,
        plant: |house| {
            house.generated.insert("docs/reference/planted.md".to_owned(), "# New\n".to_owned());
        },
    },
];

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn routes_name_permissions(house: &House) -> Vec<Breach> {
    let Some(paths) = house.openapi.as_ref().and_then(|document| document["paths"].as_object())
    else {
        return vec![Breach::new("openapi.json", "the server does not describe its routes")];
    };
    let mut breaches = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let fault = match (&operation["x-permission"], &operation["x-public"]) {
                (Value::String(name), Value::Null) if is_permission(name) => continue,
                (Value::Null, Value::String(reason)) if reason.contains(' ') => continue,
                (Value::Null, Value::Null) => "names no permission and no reason for being public",
                (Value::String(_), Value::Null) => "names a permission that does not exist",
                (Value::Null, _) => "is public without a reason in words",
                _ => "names a permission and a reason for being public",
            };
            breaches.push(Breach::new(format!("{} {path}", method.to_uppercase()), fault));
        }
    }
    breaches
}

fn is_permission(name: &str) -> bool {
    Permission::ALL.iter().any(|permission| permission.as_str() == name)
}

/// A topic cannot be made but by `Topic::new(pattern, permission, snapshot)`; the kit itself makes
/// some in its tests only.
fn topics_name_permissions(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in house.sources().filter(|(path, _)| !path.starts_with("platform/http-kit/"))
    {
        for topic in Source::read(text).map(|source| source.topics).unwrap_or_default() {
            if !topic.permission.starts_with("Permission::") {
                let place = format!("{path}:{}", topic.line);
                let pattern = topic.pattern;
                breaches
                    .push(Breach::new(place, format!("the topic {pattern} names no permission")));
            }
        }
    }
    breaches
}

fn schemas_once(house: &House) -> Vec<Breach> {
    let mut first = BTreeMap::<String, String>::new();
    let mut breaches = Vec::new();
    for (path, text) in house.sources() {
        for (line, name) in Source::read(text).map(|source| source.schemas).unwrap_or_default() {
            let place = format!("{path}:{line}");
            if let Some(before) = first.get(&name) {
                let fault =
                    format!("the schema {name} is that of {before}: give it another by `as`");
                breaches.push(Breach::new(place, fault));
            } else {
                first.insert(name, place);
            }
        }
    }
    breaches
}

fn generated_fresh(house: &House) -> Vec<Breach> {
    let run = "run `cargo xtask gen`";
    let mut breaches: Vec<Breach> = generate::stale(house)
        .into_iter()
        .map(|(path, why)| Breach::new(path, format!("{why}: {run}")))
        .collect();
    breaches.extend(house.untold.iter().map(|what| Breach::new("cannot be compared", what)));
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::testing::house;

    #[test]
    fn a_route_names_one_permission_that_exists_or_gives_a_reason() {
        let fault = |operation: Value| {
            let mut house = house();
            house.openapi = Some(json!({ "paths": { "/kettles": { "post": operation } } }));
            routes_name_permissions(&house).into_iter().map(|breach| breach.to_string()).next()
        };
        let names = |said: &str| Some(format!("POST /kettles: {said}"));
        assert_eq!(fault(json!({ "x-permission": "list.view" })), None);
        assert_eq!(fault(json!({ "x-public": "asked before sign-in" })), None);
        assert_eq!(fault(json!({})), names("names no permission and no reason for being public"));
        let unknown = json!({ "x-permission": "kettle.boil" });
        assert_eq!(fault(unknown), names("names a permission that does not exist"));
        assert_eq!(fault(json!({ "x-public": "" })), names("is public without a reason in words"));
        let both = json!({ "x-permission": "list.view", "x-public": "for everybody" });
        assert_eq!(fault(both), names("names a permission and a reason for being public"));
    }

    #[test]
    fn a_schema_is_named_by_its_type_or_by_as_and_tests_have_none() {
        let mut house = house();
        let one = "#[derive(Debug, ToSchema)]\n#[schema(as = Pan)]\nstruct Kettle;\n";
        let other = "#[derive(utoipa::ToSchema)]\nenum Kettle {}\nstruct Pan;\n\
                     #[cfg(test)]\nmod tests { #[derive(ToSchema)] struct Pan; }\n";
        house.add_text("features/contacts/src/one.rs", one);
        house.add_text("features/contacts/src/other.rs", other);
        assert_eq!(schemas_once(&house), []);
        house.add_text("features/voice/src/third.rs", "#[derive(ToSchema)]\nstruct Pan {}\n");
        let said: Vec<_> = schemas_once(&house).iter().map(ToString::to_string).collect();
        let fault = "the schema Pan is that of features/contacts/src/one.rs:3: give it another";
        assert!(said[0].contains(fault), "{said:?}");
    }

    #[test]
    fn a_topic_is_found_with_its_place() {
        let mut house = house();
        (LAWS[1].plant)(&mut house);
        let said: Vec<_> =
            topics_name_permissions(&house).iter().map(ToString::to_string).collect();
        let fault = "features/contacts/src/planted.rs:2: the topic \"planted\" names no permission";
        assert_eq!(said, [fault]);
    }
}
