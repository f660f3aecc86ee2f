//! The difference between two snapshots, as a JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

/// Takes null members out of objects, so that null and absent mean the same to both sides: in a
/// merge patch, null takes a member away. Arrays are replaced whole and keep theirs.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, without_nulls(member)))
                .collect(),
        ),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

/// The patch that turns `old` into `new`, or nothing when they are equal. Both are free of nulls.
pub(crate) fn diff(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Some(new.clone()) };
    let mut patch = Map::new();
    for (name, member) in new {
        match old.get(name) {
            None => {
                patch.insert(name.clone(), member.clone());
            }
            Some(before) => {
                if let Some(change) = diff(before, member) {
                    patch.insert(name.clone(), change);
                }
            }
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// `MergePatch` of RFC 7386, 2, word for word.
    fn apply(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let Value::Object(mut target) = (if target.is_object() { target } else { json!({}) })
        else {
            unreachable!("made an object above")
        };
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                let before = target.remove(name).unwrap_or(Value::Null);
                target.insert(name.clone(), apply(before, value));
            }
        }
        Value::Object(target)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[ab]".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_turns_the_old_snapshot_into_the_new(old in value(), new in value()) {
            let (old, new) = (without_nulls(old), without_nulls(new));
            match diff(&old, &new) {
                None => prop_assert_eq!(old, new),
                Some(patch) => prop_assert_eq!(apply(old, &patch), new),
            }
        }
    }

    #[test]
    fn only_what_changed_is_in_the_patch() {
        let old = json!({"rows": {"1": {"n": 1, "s": "a"}, "2": {"n": 2}}, "x": [1]});
        let new = json!({"rows": {"1": {"n": 5, "s": "a"}, "3": {"n": 3}}, "x": [1]});
        assert_eq!(
            diff(&old, &new),
            Some(json!({"rows": {"1": {"n": 5}, "2": null, "3": {"n": 3}}}))
        );
    }
}
