//! Facts with no machine behind them, which more than one feature must understand.

use serde::{Deserialize, Serialize};

use crate::{Id, kind};

/// Numbers of a contact list were added or changed by one committed unit of work.
///
/// Subject `contacts.list_changed`. Campaigns that link the list take the new contacts up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChanged {
    /// The list.
    pub list: Id<kind::ContactList>,
}

impl ListChanged {
    /// The subject it is published under.
    pub const SUBJECT: &'static str = "contacts.list_changed";
}

/// A number was put on, or taken off, a do-not-call list: the account's, a campaign's or a contact
/// list's.
///
/// Subject `contacts.do_not_call_changed`. Who has contacts with the number asks again whether they
/// may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotCallChanged {
    /// The number.
    pub phone: crate::PhoneNumber,
}

impl DoNotCallChanged {
    /// The subject it is published under.
    pub const SUBJECT: &'static str = "contacts.do_not_call_changed";
}
