#![doc = include_str!("../README.md")]

mod dice;
pub mod fact;
mod id;
mod locale;
mod machine;
mod phone;
mod time;

pub use dice::Dice;
pub use id::{Id, IdMaker, ParseIdError};
pub use locale::Locale;
pub use machine::Machine;
pub use phone::{PhoneError, PhoneNumber};
pub use time::Timestamp;

/// Marker types for [`Id`]: what the id names.
pub mod kind {
    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $name {}
        )* };
    }
    kinds! {
        /// The one word for tenant, organisation and company.
        Account,
        /// A person who signs in.
        User,
        /// A signed-in browser.
        Session,
        /// An outbound calling campaign.
        Campaign,
        /// A contact within one campaign, with its state.
        CampaignContact,
        /// One try to reach a campaign contact.
        Attempt,
        /// A list of people to call.
        ContactList,
        /// Where a contact list is loaded from.
        ContactSource,
        /// One load of a source.
        SourcePull,
        /// One person in a contact list.
        ListContact,
        /// One number of a list contact.
        ListNumber,
        /// One load of a file into a contact list.
        Import,
        /// A SIP trunk or account that calls leave on.
        Line,
        /// A prompt in the audio library.
        Audio,
        /// A unit of durable background work.
        Job,
        /// An entry of a do-not-call list.
        DoNotCall,
        /// Hours under a name, which campaigns choose.
        Calendar,
        /// Attempts, delays and caps under a name, which campaigns choose.
        AttemptRule,
        /// A row of the audit trail.
        AuditRow,
        /// A row of the outbox.
        OutboxRow,
    }
}
