//! Who is in a campaign.

use std::collections::BTreeSet;

/// The contacts of a campaign as they are told apart: no two have the same external id, and no two
/// the same first number. It may know only those that somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    ids: BTreeSet<String>,
    phones: BTreeSet<String>,
}

impl Roll {
    /// A contact of the campaign has this external id.
    pub fn has_id(&mut self, external_id: String) {
        self.ids.insert(external_id);
    }

    /// A contact of the campaign has this first number.
    pub fn has_phone(&mut self, first: String) {
        self.phones.insert(first);
    }

    /// Whether a contact joins: whoever came before keeps what both have.
    pub fn join(&mut self, external_id: Option<&str>, first: &str) -> bool {
        if self.phones.contains(first) || external_id.is_some_and(|id| self.ids.contains(id)) {
            return false;
        }
        self.phones.insert(first.to_owned());
        self.ids.extend(external_id.map(str::to_owned));
        true
    }

    /// Whether a contact of the campaign changes its first number: not to one that another has.
    pub fn change(&mut self, from: &str, to: &str) -> bool {
        if self.phones.contains(to) {
            return false;
        }
        self.phones.remove(from);
        self.phones.insert(to.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_with_an_id_or_a_number_joins() {
        let mut roll = Roll::default();
        roll.has_id("a".to_owned());
        roll.has_phone("1".to_owned());
        assert!(!roll.join(Some("a"), "2") && !roll.join(Some("b"), "1"));
        // Who did not join holds nothing.
        assert!(roll.join(Some("b"), "2") && roll.join(None, "3") && roll.join(None, "4"));
        assert!(!roll.join(None, "4") && !roll.join(Some("b"), "5"));
    }

    #[test]
    fn a_number_is_free_when_its_contact_has_another() {
        let mut roll = Roll::default();
        assert!(roll.join(None, "1") && roll.join(None, "2"));
        assert!(!roll.change("1", "2"), "each keeps its own");
        assert!(roll.change("2", "3") && roll.change("1", "2") && roll.join(None, "1"));
        assert!(!roll.join(None, "2") && !roll.join(None, "3"));
    }
}
