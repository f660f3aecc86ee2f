//! Which of a contact's numbers is called next.

use std::collections::BTreeSet;

use base::PhoneNumber;

use crate::ContactState;

/// Where a contact is called next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which of its numbers that is, from 0.
    pub number: i64,
    /// The number itself.
    pub phone: PhoneNumber,
    /// Every number that is left is on a do-not-call list; this is the first of them.
    pub forbidden: bool,
}

impl Place {
    /// What a contact that is to be called there is when it joins a campaign.
    pub const fn standing(place: Option<&Self>) -> ContactState {
        match place {
            None => ContactState::NoNumber,
            Some(Self { forbidden: true, .. }) => ContactState::DoNotCall,
            Some(_) => ContactState::Callable,
        }
    }
}

/// Which of a contact's numbers is called next: the one at `from`, or the next after it when
/// another is wanted, then the others in a circle; the first that may be called. Bit n of `dead`
/// says that number n is known to be none; `None` when each is.
pub fn place(
    numbers: &[PhoneNumber],
    forbidden: &BTreeSet<PhoneNumber>,
    (from, another): (i64, bool),
    dead: i64,
) -> Option<Place> {
    let count = numbers.len() as i64;
    let mut first = None;
    for step in 0..count {
        let number = (from + step + i64::from(another)).rem_euclid(count);
        let phone = usize::try_from(number).ok().and_then(|at| numbers.get(at));
        let Some(phone) = phone.filter(|_| !is_dead(number, dead)) else { continue };
        let place = Place { number, phone: phone.clone(), forbidden: forbidden.contains(phone) };
        if !place.forbidden {
            return Some(place);
        }
        first.get_or_insert(place);
    }
    first
}

/// Whether a contact has another number than the one that is called, not known to be none.
pub fn has_other_number(number: i64, numbers: i64, dead: i64) -> bool {
    (0..numbers).any(|other| other != number && !is_dead(other, dead))
}

/// Whether a contact's number is known to be none; those beyond the 63rd never are.
const fn is_dead(number: i64, dead: i64) -> bool {
    0 <= number && number < 63 && dead & (1 << number) != 0
}

/// The same with one more number that is none.
pub const fn with_dead(number: i64, dead: i64) -> i64 {
    if 0 <= number && number < 63 { dead | (1 << number) } else { dead }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phones(all: &[&str]) -> Vec<PhoneNumber> {
        all.iter().map(|phone| phone.parse().unwrap()).collect()
    }

    /// The number and whether it is forbidden.
    fn at(from: i64, another: bool, forbidden: &[&str], dead: i64) -> Option<(i64, bool)> {
        let numbers = phones(&["+380930000001", "+380930000002", "+380930000003"]);
        let forbidden = phones(forbidden).into_iter().collect();
        place(&numbers, &forbidden, (from, another), dead)
            .inspect(|place| assert_eq!(place.phone, numbers[place.number as usize]))
            .map(|place| (place.number, place.forbidden))
    }

    #[test]
    fn the_number_itself_comes_first_and_the_others_follow_in_a_circle() {
        assert_eq!(at(1, false, &[], 0), Some((1, false)));
        assert_eq!(at(1, true, &[], 0), Some((2, false)));
        assert_eq!(at(2, true, &[], 0), Some((0, false)));
        // The contact has lost numbers since.
        assert_eq!(at(7, false, &[], 0), Some((1, false)));
    }

    #[test]
    fn what_may_not_be_called_or_is_none_gives_way() {
        assert_eq!(at(0, false, &["+380930000001"], 0), Some((1, false)));
        assert_eq!(at(0, false, &["+380930000001"], 0b010), Some((2, false)));
        assert_eq!(at(2, true, &[], 0b011), Some((2, false)), "no other is left");
        assert_eq!(at(0, false, &[], 0b111), None);
        assert_eq!(place(&[], &BTreeSet::new(), (0, false), 0), None);
    }

    #[test]
    fn all_forbidden_is_the_first_that_is_left() {
        let all = ["+380930000001", "+380930000002", "+380930000003"];
        assert_eq!(at(0, false, &all, 0), Some((0, true)));
        assert_eq!(at(0, false, &all, 0b001), Some((1, true)));
        assert_eq!(at(0, false, &all[1..], 0b001), Some((1, true)));
    }

    #[test]
    fn a_contact_joins_as_its_numbers_allow() {
        let place =
            |forbidden| Place { number: 0, phone: "+380930000001".parse().unwrap(), forbidden };
        assert_eq!(Place::standing(None), ContactState::NoNumber);
        assert_eq!(Place::standing(Some(&place(true))), ContactState::DoNotCall);
        assert_eq!(Place::standing(Some(&place(false))), ContactState::Callable);
    }

    #[test]
    fn another_number_is_one_that_is_not_known_to_be_none() {
        assert!(has_other_number(0, 2, 0));
        assert!(!has_other_number(0, 1, 0));
        assert!(!has_other_number(0, 2, with_dead(1, 0)));
        assert!(has_other_number(0, 3, with_dead(1, 0)));
        assert_eq!((with_dead(63, 5), with_dead(-1, 5)), (5, 5));
    }
}
