//! What becomes of a unit of rows beside what the list already holds.
//!
//! A row belongs to the contact with its external id; without one, or when the id is new, to the
//! contact with its first phone number. Within one file the first row wins and later ones are
//! duplicates; a contact from before is brought up to date.

use std::collections::BTreeMap;

use base::{Id, PhoneNumber, kind::ListContact};

use crate::{contact::Candidate, reason::Reason};

/// A contact that the list holds, as far as merging needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its id.
    pub(crate) id: Id<ListContact>,
    /// Its id in the system that it came from.
    pub(crate) external_id: Option<String>,
    /// The name; empty when none is known.
    pub(crate) name: String,
    /// The IANA name of its zone.
    pub(crate) zone: Option<String>,
    /// Further columns by key.
    pub(crate) variables: BTreeMap<String, String>,
    /// Its numbers in the order of calling.
    pub(crate) phones: Vec<PhoneNumber>,
    /// An earlier row of this same file was about it.
    pub(crate) seen: bool,
}

/// What becomes of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A new contact, as the row has it, under this id.
    Add(Id<ListContact>),
    /// A known contact, as it is to be from now on.
    Change(Known),
    /// A known contact that is as the row says already.
    Same(Id<ListContact>),
    /// Left out.
    Refuse(Reason),
}

/// Judges `rows` in order. `known` are the contacts of the list that share an external id or a
/// first number with any of them; `new_id` makes ids for new contacts.
pub(crate) fn merge(
    known: Vec<Known>,
    rows: &[Candidate],
    mut new_id: impl FnMut() -> Id<ListContact>,
) -> Vec<Verdict> {
    let mut list = List::default();
    for contact in known {
        list.put(contact);
    }
    rows.iter().map(|row| list.judge(row, &mut new_id)).collect()
}

#[derive(Default)]
struct List {
    contacts: Vec<Known>,
    by_external_id: BTreeMap<String, usize>,
    by_phone: BTreeMap<String, usize>,
}

impl List {
    fn put(&mut self, contact: Known) {
        let at = self.contacts.len();
        self.index(&contact, at);
        self.contacts.push(contact);
    }

    fn index(&mut self, contact: &Known, at: usize) {
        if let Some(id) = &contact.external_id {
            self.by_external_id.insert(id.clone(), at);
        }
        if let Some(phone) = contact.phones.first() {
            self.by_phone.insert(phone.as_str().to_owned(), at);
        }
    }

    fn judge(&mut self, row: &Candidate, new_id: &mut impl FnMut() -> Id<ListContact>) -> Verdict {
        let by_phone = self.by_phone.get(row.first_phone()).copied();
        let by_id = row.external_id.as_ref().and_then(|id| self.by_external_id.get(id)).copied();
        let at = match (by_id, by_phone) {
            (Some(at), _) if self.contacts[at].seen => return Verdict::Refuse(Reason::DuplicateId),
            (Some(at), Some(other)) if at != other => return self.phone_clash(other),
            (Some(at), _) => at,
            (None, Some(at)) if self.contacts[at].seen => {
                return Verdict::Refuse(Reason::DuplicatePhone);
            }
            (None, Some(at)) => {
                if row.external_id.is_some() && self.contacts[at].external_id.is_some() {
                    return Verdict::Refuse(Reason::PhoneTaken);
                }
                at
            }
            (None, None) => return Verdict::Add(self.add(row, new_id())),
        };
        self.update(at, row)
    }

    fn phone_clash(&self, other: usize) -> Verdict {
        let seen = self.contacts[other].seen;
        Verdict::Refuse(if seen { Reason::DuplicatePhone } else { Reason::PhoneTaken })
    }

    /// Takes up a new contact: later rows of the file only ask whether it was named and has an id.
    fn add(&mut self, row: &Candidate, id: Id<ListContact>) -> Id<ListContact> {
        let at = self.contacts.len();
        if let Some(id) = &row.external_id {
            self.by_external_id.insert(id.clone(), at);
        }
        self.by_phone.insert(row.first_phone().to_owned(), at);
        self.contacts.push(Known {
            id,
            external_id: row.external_id.clone(),
            name: String::new(),
            zone: None,
            variables: BTreeMap::new(),
            phones: Vec::new(),
            seen: true,
        });
        id
    }

    fn update(&mut self, at: usize, row: &Candidate) -> Verdict {
        let before = self.contacts[at].clone();
        let mut after = before.clone();
        after.seen = true;
        if row.external_id.is_some() {
            after.external_id.clone_from(&row.external_id);
        }
        if let Some(name) = &row.name {
            after.name.clone_from(name);
        }
        if row.zone.is_some() {
            after.zone.clone_from(&row.zone);
        }
        after.variables.extend(row.variables.clone());
        after.phones = row.phones.iter().map(|phone| phone.number.clone()).collect();
        if let Some(phone) = before.phones.first() {
            self.by_phone.remove(phone.as_str());
        }
        self.index(&after, at);
        self.contacts[at] = after.clone();
        if (Known { seen: before.seen, ..after.clone() }) == before {
            Verdict::Same(after.id)
        } else {
            Verdict::Change(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{Region, read};

    fn row(id: &str, phone: &str, name: &str) -> Candidate {
        Candidate {
            line: 1,
            external_id: (!id.is_empty()).then(|| id.to_owned()),
            phones: vec![read(phone, Region::of("UA").unwrap()).unwrap()],
            name: (!name.is_empty()).then(|| name.to_owned()),
            zone: None,
            variables: BTreeMap::new(),
            phone_lost: false,
        }
    }

    fn known(raw: i64, id: &str, phone: &str, name: &str) -> Known {
        let row = row(id, phone, name);
        Known {
            id: Id::from_raw(raw),
            external_id: row.external_id,
            name: row.name.unwrap_or_default(),
            zone: None,
            variables: BTreeMap::new(),
            phones: row.phones.into_iter().map(|phone| phone.number).collect(),
            seen: false,
        }
    }

    fn judge(list: Vec<Known>, rows: &[Candidate]) -> Vec<String> {
        let mut next = 100;
        let new_id = || {
            next += 1;
            Id::from_raw(next)
        };
        merge(list, rows, new_id)
            .into_iter()
            .map(|verdict| match verdict {
                Verdict::Add(id) => format!("add {id}"),
                Verdict::Change(contact) => format!("change {}", contact.id),
                Verdict::Same(id) => format!("same {id}"),
                Verdict::Refuse(reason) => reason.code().to_owned(),
            })
            .collect()
    }

    const A: &str = "0931111111";
    const B: &str = "0932222222";

    #[test]
    fn alo_10_within_a_file_the_first_row_wins_by_id_then_phone() {
        let rows = [row("1", A, "x"), row("1", B, "y"), row("2", A, "z"), row("", A, "w")];
        assert_eq!(
            judge(vec![], &rows),
            ["add 101", "duplicate_id", "duplicate_phone", "duplicate_phone"]
        );
        let rows = [row("", A, "x"), row("", B, "y"), row("", A, "z")];
        assert_eq!(judge(vec![], &rows), ["add 101", "add 102", "duplicate_phone"]);
    }

    #[test]
    fn alo_15_a_known_id_brings_a_changed_phone_or_name() {
        let list = || vec![known(1, "7", A, "Олена")];
        assert_eq!(judge(list(), &[row("7", A, "Олена")]), ["same 1"]);
        assert_eq!(judge(list(), &[row("7", A, "")]), ["same 1"]);
        assert_eq!(judge(list(), &[row("7", B, "")]), ["change 1"]);
        assert_eq!(judge(list(), &[row("7", A, "Ольга")]), ["change 1"]);
        // Its old number is free from then on.
        assert_eq!(judge(list(), &[row("7", B, ""), row("8", A, "")]), ["change 1", "add 101"]);
    }

    #[test]
    fn a_contact_without_an_id_is_known_by_its_phone_and_takes_the_id_up() {
        let list = || vec![known(1, "", A, "Олена")];
        assert_eq!(judge(list(), &[row("", A, "Ольга")]), ["change 1"]);
        assert_eq!(judge(list(), &[row("7", A, "")]), ["change 1"]);
        assert_eq!(
            judge(list(), &[row("7", A, ""), row("7", B, "")]),
            ["change 1", "duplicate_id"]
        );
    }

    #[test]
    fn two_ids_never_share_a_first_number() {
        let list = || vec![known(1, "7", A, "Олена"), known(2, "8", B, "Іван")];
        assert_eq!(judge(list(), &[row("9", A, "")]), ["phone_taken"]);
        assert_eq!(judge(list(), &[row("8", A, "")]), ["phone_taken"]);
        assert_eq!(judge(list(), &[row("", A, "Ольга")]), ["change 1"]);
    }
}
