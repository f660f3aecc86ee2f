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

/// A number was put on, or taken off, the account's do-not-call list.
///
/// Subject `contacts.do_not_call_changed`. Waiting campaign contacts with the number are excluded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotCallChanged {
    /// The number.
    pub phone: crate::PhoneNumber,
    /// Whether calls to it are now forbidden.
    pub forbidden: bool,
}

impl DoNotCallChanged {
    /// The subject it is published under.
    pub const SUBJECT: &'static str = "contacts.do_not_call_changed";
}
