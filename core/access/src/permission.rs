//! What can be allowed, each with the roles that have it from the start.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Role::{
    self, Administrator, Analyst, Integrator, Operator, QualityReviewer, Supervisor,
};

macro_rules! permissions {
    ($($name:ident = $code:literal, $description:literal, [$($role:expr),* $(,)?];)*) => {
        /// One thing that a person may be allowed to do. Every route and every live topic names one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $(#[doc = $description] $name,)*
        }

        impl Permission {
            /// Every permission, in the order in which pages list them.
            pub const ALL: [Self; { [$($code),*].len() }] = [$(Self::$name),*];

            /// The stable name, noun and verb: `campaign.start`. Used in the API and in storage.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it allows, in an English sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }

            /// The roles whose preset includes it.
            pub const fn default_roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$($role),*],)* }
            }
        }
    };
}

permissions! {
    Me = "me",
        "Use one's own profile, password and sessions.",
        [Operator, Supervisor, Administrator, Integrator, Analyst, QualityReviewer];
    LiveConnect = "live.connect",
        "Open the live connection; each topic asks for its own permission.",
        [Operator, Supervisor, Administrator, Integrator, Analyst, QualityReviewer];
    CampaignView = "campaign.view",
        "See campaigns, their contacts, attempts and results.",
        [Operator, Supervisor, Administrator, Integrator, Analyst];
    CampaignEdit = "campaign.edit",
        "Create campaigns and change their settings.",
        [Administrator, Integrator];
    CampaignStart = "campaign.start",
        "Start, pause, resume and stop campaigns, and place test calls.",
        [Supervisor, Administrator];
    CampaignDelete = "campaign.delete",
        "Delete and restore campaigns.",
        [Administrator];
    ListView = "list.view",
        "See contact lists and the people in them.",
        [Supervisor, Administrator, Integrator, Analyst, QualityReviewer];
    ListEdit = "list.edit",
        "Create contact lists and import into them.",
        [Supervisor, Administrator, Integrator];
    ListExport = "list.export",
        "Download the contents of contact lists and the rejected rows of imports.",
        [Supervisor, Administrator, Analyst];
    DoNotCallView = "do_not_call.view",
        "See the do-not-call list and check numbers against it.",
        [Supervisor, Administrator, Integrator, Analyst];
    DoNotCallEdit = "do_not_call.edit",
        "Put numbers on the do-not-call list and take them off.",
        [Supervisor, Administrator, Integrator];
    DoNotCallExport = "do_not_call.export",
        "Download the do-not-call list.",
        [Supervisor, Administrator, Analyst];
    AudioView = "audio.view",
        "See and hear the audio library.",
        [Supervisor, Administrator, Integrator];
    AudioEdit = "audio.edit",
        "Upload, rename and delete audio.",
        [Administrator, Integrator];
    LineView = "line.view",
        "See lines and their health.",
        [Supervisor, Administrator, Integrator];
    LineManage = "line.manage",
        "Create, change, check and delete lines.",
        [Administrator, Integrator];
    RecordingListen = "recording.listen",
        "Listen to recordings of calls.",
        [Supervisor, Administrator, QualityReviewer];
    UserView = "user.view",
        "See the people of the account and their roles.",
        [Supervisor, Administrator];
    UserManage = "user.manage",
        "Invite people, change their roles and disable them.",
        [Administrator];
    AccountView = "account.view",
        "See the settings of the account.",
        [Administrator, Integrator];
    AccountManage = "account.manage",
        "Change the settings of the account.",
        [Administrator];
    JobView = "job.view",
        "See background work.",
        [Administrator, Integrator];
    JobManage = "job.manage",
        "Retry and stop background work.",
        [Administrator];
    AuditView = "audit.view",
        "See who changed what.",
        [Administrator];
    AuditExport = "audit.export",
        "Download the audit trail.",
        [Administrator];
    RecordingKeep = "recording.keep",
        "Keep a recording beyond the time of the account.",
        [Supervisor, Administrator, QualityReviewer];
}

/// The text names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownPermission;

impl fmt::Display for UnknownPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a permission")
    }
}

impl std::error::Error for UnknownPermission {}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == name)
            .ok_or(UnknownPermission)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_read_back() {
        let names: BTreeSet<_> = Permission::ALL.iter().map(|p| p.as_str()).collect();
        assert_eq!(names.len(), Permission::ALL.len());
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
            assert!(permission.description().ends_with('.'), "{permission}");
        }
        assert_eq!("campaign.fly".parse::<Permission>(), Err(UnknownPermission));
    }

    #[test]
    fn administrators_have_every_permission() {
        for permission in Permission::ALL {
            assert!(permission.default_roles().contains(&Administrator), "{permission}");
        }
    }
}
