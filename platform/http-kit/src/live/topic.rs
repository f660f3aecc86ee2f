//! What can be watched: a pattern, a permission and a function that makes the snapshot.

use std::{collections::BTreeMap, fmt, future::Future, str::FromStr, sync::Arc};

use access::Permission;
use base::{Id, kind};
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::Value;

use crate::{CommonProblem, Result};

type Snapshot =
    Arc<dyn Fn(Id<kind::Account>, Params) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

/// A declared topic, such as `campaign:{id}:live`.
#[derive(Clone)]
pub struct Topic {
    /// Segments between colons; `{name}` stands for any one segment.
    pub pattern: &'static str,
    /// What the caller's role must allow.
    pub permission: Permission,
    snapshot: Snapshot,
}

/// The values of a topic's `{name}` segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<&'static str, String>);

impl Topic {
    /// A topic whose present state `snapshot` tells, by account.
    ///
    /// The function sees the account of the caller and nothing else, so that another account's
    /// rows cannot appear. It refuses with the same problems as a route; 404 for what is not there.
    /// Rows that change are members of an object keyed by id rather than of an array, which a patch
    /// replaces whole. Null members are dropped: null and absent are the same in topics.
    pub fn new<F, R>(pattern: &'static str, permission: Permission, snapshot: F) -> Self
    where
        F: Fn(Id<kind::Account>, Params) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value>> + Send + 'static,
    {
        let snapshot: Snapshot = Arc::new(move |account, params| snapshot(account, params).boxed());
        Self { pattern, permission, snapshot }
    }

    /// The values of `name`, if it is of this pattern.
    pub(crate) fn params(&self, name: &str) -> Option<Params> {
        let (mut pattern, mut segments) = (self.pattern.split(':'), name.split(':'));
        let mut params = BTreeMap::new();
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return Some(Params(params)),
                (Some(expected), Some(segment)) => {
                    match expected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                        Some(key) if !segment.is_empty() => {
                            params.insert(key, segment.to_owned());
                        }
                        None if expected == segment => {}
                        Some(_) | None => return None,
                    }
                }
                (Some(_), None) | (None, Some(_)) => return None,
            }
        }
    }

    /// The present state for `account`.
    pub(crate) fn snapshot(
        &self,
        account: Id<kind::Account>,
        params: Params,
    ) -> BoxFuture<'static, Result<Value>> {
        (self.snapshot)(account, params)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({} needs {})", self.pattern, self.permission)
    }
}

impl Params {
    /// The value of `{name}`, read as an id or any other type; 404 when it cannot be.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T> {
        let value = self.0.get(name).and_then(|value| value.parse().ok());
        Ok(value.ok_or(CommonProblem::NotFound)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_segment_by_segment() {
        let topic = Topic::new("campaign:{id}:live", Permission::CampaignView, |_, _| async {
            Ok(Value::Null)
        });
        let params = topic.params("campaign:12:live").unwrap();
        assert_eq!(params.get::<Id<kind::Campaign>>("id").unwrap(), Id::from_raw(12));
        assert!(params.get::<Id<kind::Campaign>>("other").is_err());
        for wrong in ["campaign:12", "campaign::live", "campaign:12:live:x", "list:12:live", ""] {
            assert_eq!(topic.params(wrong), None, "{wrong}");
        }
    }
}
