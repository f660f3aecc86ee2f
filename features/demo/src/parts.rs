//! What the demo needs of those who own its parts. Tied in the server.

use std::{future::Future, pin::Pin};

use base::{
    Id, PhoneNumber,
    kind::{Audio, Campaign, ContactList, Line},
};
use http_kit::{Caller, Result};

/// A future that a trait object can return.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A contact of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its id in the list.
    pub external_id: String,
    /// What it is called.
    pub name: String,
    /// A number of the demo carrier.
    pub phone: PhoneNumber,
}

/// The campaign of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaign {
    /// What it is called.
    pub name: String,
    /// The line that it calls on.
    pub line: Id<Line>,
    /// What it plays.
    pub audio: Id<Audio>,
    /// Whom it calls.
    pub list: Id<ContactList>,
}

/// Whoever owns lines, audio, lists and campaigns. A part is made under the name given, or under
/// one with a number behind it when that name is taken. Removing what is gone already succeeds.
pub trait Parts: Send + Sync + 'static {
    /// Makes a line of the demo carrier.
    fn add_line<'a>(&'a self, by: &'a Caller, name: &'a str) -> Later<'a, Result<Id<Line>>>;
    /// Removes it; refused while a campaign that is not over uses it.
    fn remove_line<'a>(&'a self, by: &'a Caller, id: Id<Line>) -> Later<'a, Result<()>>;
    /// Puts the announcement into the audio library.
    fn add_audio<'a>(&'a self, by: &'a Caller, name: &'a str) -> Later<'a, Result<Id<Audio>>>;
    /// Removes it; refused while a campaign that is not over plays it.
    fn remove_audio<'a>(&'a self, by: &'a Caller, id: Id<Audio>) -> Later<'a, Result<()>>;
    /// Makes a list of these people.
    fn add_list<'a>(
        &'a self,
        by: &'a Caller,
        name: &'a str,
        people: Vec<Person>,
    ) -> Later<'a, Result<Id<ContactList>>>;
    /// Removes it; refused while a campaign that is not over calls it.
    fn remove_list<'a>(&'a self, by: &'a Caller, id: Id<ContactList>) -> Later<'a, Result<()>>;
    /// Makes a draft with all hours open, two attempts, ten minutes between them, five seconds as
    /// the least talk, and recording on.
    fn add_campaign<'a>(
        &'a self,
        by: &'a Caller,
        campaign: NewCampaign,
    ) -> Later<'a, Result<Id<Campaign>>>;
    /// Stops it if it is not over, and deletes it.
    fn remove_campaign<'a>(&'a self, by: &'a Caller, id: Id<Campaign>) -> Later<'a, Result<()>>;
}
