//! A set of permissions in one word.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Permission;

/// Some of the permissions. Copied freely; a list of names in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct PermissionSet(u64);

// One bit each: more permissions than bits would silently fall together.
const _: () = assert!(Permission::ALL.len() <= 64);

impl PermissionSet {
    /// No permission.
    pub const EMPTY: Self = Self(0);

    const fn bit(permission: Permission) -> u64 {
        1 << permission as u64
    }

    /// Whether `permission` is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    /// Whether every permission of `other` is in the set.
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The permissions, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | Self::bit(permission)))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let set: PermissionSet = [Permission::Me, Permission::AccountManage].into_iter().collect();
        for permission in Permission::ALL {
            let inside = matches!(permission, Permission::Me | Permission::AccountManage);
            assert_eq!(set.has(permission), inside, "{permission}");
        }
        assert!(set.covers(PermissionSet::EMPTY));
        assert!(set.covers([Permission::Me].into_iter().collect()));
        assert!(!set.covers([Permission::Me, Permission::LineView].into_iter().collect()));
        assert_eq!(format!("{set:?}"), r#"{"me", "account.manage"}"#);
    }
}
