//! What is stored about a campaign and its contacts; everything else is derived.

/// The stored value is none that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state {0:?}")]
pub struct UnknownState(pub String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word that is stored and sent.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownState;

            fn from_str(word: &str) -> Result<Self, $crate::UnknownState> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err($crate::UnknownState(other.to_owned())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::UnknownState;

            fn try_from(word: String) -> Result<Self, $crate::UnknownState> {
                word.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The stored state of a campaign. `Completed` and `Stopped` are terminal.
    CampaignState {
        /// Being filled in; may be incomplete.
        Draft = "draft",
        /// Calls as its rules allow.
        Running = "running",
        /// Makes no new calls until resumed.
        Paused = "paused",
        /// Nobody is left to call.
        Completed = "completed",
        /// Ended by a person.
        Stopped = "stopped",
    }
}

words! {
    /// The stored state of a campaign contact, detail included. Disjoint; their sum is the total.
    ContactState {
        /// Waits for a call, from its `next_at` on.
        Callable = "callable",
        /// An attempt is open.
        InAttempt = "in_attempt",
        /// Answered by a person whose work on it is not over.
        InWork = "in_work",
        /// Reached with success.
        Success = "success",
        /// Reached or refused, without success, and not to be called again.
        NotSuccess = "not_success",
        /// All attempts are spent.
        Attempted = "attempted",
        /// No number of the contact exists.
        InvalidNumber = "invalid_number",
        /// The contact has no number at all.
        NoNumber = "no_number",
        /// On the do-not-call list.
        DoNotCall = "do_not_call",
        /// Excluded by a person.
        ByHand = "by_hand",
        /// Excluded by where it came from.
        BySource = "source",
    }
}

impl ContactState {
    /// The group that pages and filters speak of.
    pub const fn group(self) -> ContactGroup {
        match self {
            Self::Callable => ContactGroup::Callable,
            Self::InAttempt => ContactGroup::InAttempt,
            Self::InWork => ContactGroup::InWork,
            Self::Success | Self::NotSuccess => ContactGroup::Closed,
            Self::Attempted => ContactGroup::Attempted,
            Self::InvalidNumber | Self::NoNumber => ContactGroup::Flagged,
            Self::DoNotCall | Self::ByHand | Self::BySource => ContactGroup::Excluded,
        }
    }
}

words! {
    /// States of a contact that share a word on the page.
    ContactGroup {
        /// Waits for a call.
        Callable = "callable",
        /// A call is up.
        InAttempt = "in_attempt",
        /// With a person.
        InWork = "in_work",
        /// Finished.
        Closed = "closed",
        /// Not reached.
        Attempted = "attempted",
        /// Cannot be called.
        Flagged = "flagged",
        /// Must not be called.
        Excluded = "excluded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_word_is_read_back() {
        assert!(CampaignState::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
        assert!(ContactState::ALL.iter().all(|state| state.as_str().parse() == Ok(*state)));
        assert_eq!("gone".parse::<ContactState>(), Err(UnknownState("gone".to_owned())));
    }
}
