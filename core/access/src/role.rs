//! The six presets that people are given.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Permission, PermissionSet};

/// A preset of permissions. The owner is not a role: it is a flag on a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Talks with customers.
    Operator,
    /// Leads operators; runs and pauses campaigns.
    Supervisor,
    /// May do everything within the account.
    Administrator,
    /// Sets up lines, audio, lists and campaigns, and does not start them.
    Integrator,
    /// Reads results.
    Analyst,
    /// Listens to recorded calls and judges them.
    QualityReviewer,
}

impl Role {
    /// Every role, in the order in which pages list them.
    pub const ALL: [Self; 6] = [
        Self::Operator,
        Self::Supervisor,
        Self::Administrator,
        Self::Integrator,
        Self::Analyst,
        Self::QualityReviewer,
    ];

    /// The stable name, as in the API and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
            Self::Integrator => "integrator",
            Self::Analyst => "analyst",
            Self::QualityReviewer => "quality_reviewer",
        }
    }

    /// The permissions of the preset, derived from [`Permission::default_roles`].
    pub fn permissions(self) -> PermissionSet {
        Permission::ALL.into_iter().filter(|p| p.default_roles().contains(&self)).collect()
    }
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a role")
    }
}

impl std::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("owner".parse::<Role>(), Err(UnknownRole));
    }

    /// CONE-28: each stock role reaches its modules and no others.
    #[test]
    fn cone_28_the_presets_are_these() {
        let names = |role: Role| -> Vec<&str> {
            role.permissions().iter().map(Permission::as_str).collect()
        };
        assert_eq!(names(Role::Operator), ["me", "live.connect", "campaign.view"]);
        assert_eq!(
            names(Role::Supervisor),
            [
                "me",
                "live.connect",
                "campaign.view",
                "campaign.start",
                "list.view",
                "list.edit",
                "list.export",
                "do_not_call.view",
                "do_not_call.edit",
                "do_not_call.export",
                "audio.view",
                "line.view",
                "recording.listen",
                "user.view",
                "recording.keep",
            ]
        );
        assert_eq!(names(Role::Administrator).len(), Permission::ALL.len());
        assert_eq!(
            names(Role::Integrator),
            [
                "me",
                "live.connect",
                "campaign.view",
                "campaign.edit",
                "list.view",
                "list.edit",
                "do_not_call.view",
                "do_not_call.edit",
                "audio.view",
                "audio.edit",
                "line.view",
                "line.manage",
                "account.view",
                "job.view",
            ]
        );
        assert_eq!(
            names(Role::Analyst),
            [
                "me",
                "live.connect",
                "campaign.view",
                "list.view",
                "list.export",
                "do_not_call.view",
                "do_not_call.export",
            ]
        );
        assert_eq!(
            names(Role::QualityReviewer),
            ["me", "live.connect", "list.view", "recording.listen", "recording.keep"]
        );
    }
}
