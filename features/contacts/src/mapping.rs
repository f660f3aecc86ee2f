//! Which column of a file holds what.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    aliases::{self, Meaning},
    phone::{self, Region},
};

/// Which column holds what, by the names in the import's `columns`. A column that is not named here
/// is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// The contact's id in the system that the file came from.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// The phone columns, the one to call first in front; at least one, at most 10.
    pub(crate) phone: Vec<String>,
    /// The contact's name.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The contact's time zone, by IANA name.
    #[serde(default)]
    pub(crate) zone: Option<String>,
    /// The key under which each further column is kept, by the column's name; at most 100.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
}

/// A mapping by the places of the columns, counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The external id.
    pub(crate) id: Option<usize>,
    /// The phones, in the order of calling.
    pub(crate) phone: Vec<usize>,
    /// The name.
    pub(crate) name: Option<usize>,
    /// The zone.
    pub(crate) zone: Option<usize>,
    /// Keys of further columns.
    pub(crate) variables: BTreeMap<usize, String>,
    /// How many columns the file has.
    pub(crate) width: usize,
}

/// What is wrong with a mapping, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No column holds a phone number.
    NoPhone,
    /// More columns of one sort than are kept.
    TooMany {
        /// `phone` or `variables`.
        field: &'static str,
        /// How many are kept.
        most: usize,
    },
    /// A column that the file does not have.
    NoSuchColumn {
        /// Where it is named.
        field: String,
    },
    /// One column is given two meanings.
    UsedTwice {
        /// Where it is named again.
        field: String,
    },
    /// A key is empty, longer than 64 characters, or used twice.
    BadKey {
        /// The column whose key it is.
        field: String,
    },
}

const MOST_PHONES: usize = 10;
const MOST_VARIABLES: usize = 100;
const LONGEST_KEY: usize = 64;

impl Mapping {
    /// The places of the columns in a file with `columns`, or why the mapping cannot be used.
    pub(crate) fn places(&self, columns: &[String]) -> Result<Places, Fault> {
        if self.phone.is_empty() {
            return Err(Fault::NoPhone);
        }
        if self.phone.len() > MOST_PHONES {
            return Err(Fault::TooMany { field: "phone", most: MOST_PHONES });
        }
        if self.variables.len() > MOST_VARIABLES {
            return Err(Fault::TooMany { field: "variables", most: MOST_VARIABLES });
        }
        let mut used = BTreeSet::new();
        let mut place = |name: &str, field: String| {
            let place = columns.iter().position(|column| column == name);
            let Some(place) = place else { return Err(Fault::NoSuchColumn { field }) };
            if used.insert(place) { Ok(place) } else { Err(Fault::UsedTwice { field }) }
        };
        let mut one = |name: Option<&String>, field: &str| {
            name.map(|name| place(name, field.to_owned())).transpose()
        };
        let (id, name) = (one(self.id.as_ref(), "id")?, one(self.name.as_ref(), "name")?);
        let zone = one(self.zone.as_ref(), "zone")?;
        let phone = self
            .phone
            .iter()
            .enumerate()
            .map(|(at, name)| place(name, format!("phone[{at}]")))
            .collect::<Result<_, _>>()?;
        let mut variables = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for (column, key) in &self.variables {
            let field = format!("variables.{column}");
            let fits = !key.trim().is_empty()
                && key.chars().count() <= LONGEST_KEY
                && !key.chars().any(char::is_control);
            if !fits || !keys.insert(key) {
                return Err(Fault::BadKey { field });
            }
            variables.insert(place(column, field)?, key.clone());
        }
        Ok(Places { id, phone, name, zone, variables, width: columns.len() })
    }

    /// The same with the names as they stand in `columns`, whatever their case there; `None` when it
    /// cannot be used for them.
    pub(crate) fn fitted(&self, columns: &[String]) -> Option<Self> {
        let find = |name: &String| {
            let exact = columns.iter().find(|column| *column == name);
            let alike = || {
                let name = name.to_lowercase();
                columns.iter().find(|column| column.to_lowercase() == name)
            };
            exact.or_else(alike).cloned()
        };
        // Nothing where nothing is mapped; an error where the column is not there.
        let one = |name: Option<&String>| name.map(|name| find(name).ok_or(())).transpose().ok();
        let fitted = Self {
            id: one(self.id.as_ref())?,
            phone: self.phone.iter().map(find).collect::<Option<_>>()?,
            name: one(self.name.as_ref())?,
            zone: one(self.zone.as_ref())?,
            variables: self
                .variables
                .iter()
                .map(|(column, key)| Some((find(column)?, key.clone())))
                .collect::<Option<_>>()?,
        };
        fitted.places(columns).is_ok().then_some(fitted)
    }

    /// The mapping that the names of the columns, and failing these the sample, suggest.
    ///
    /// Columns without a known name become variables under their own name.
    pub(crate) fn guess(
        columns: &[String],
        sample: &[Vec<String>],
        region: Option<Region>,
    ) -> Self {
        let mut guess = Self::default();
        let mut rest = Vec::new();
        for (at, title) in columns.iter().enumerate() {
            let free = match aliases::meaning(title) {
                Some(Meaning::Phone) if guess.phone.len() < MOST_PHONES => {
                    guess.phone.push(title.clone());
                    continue;
                }
                Some(Meaning::ExternalId) => &mut guess.id,
                Some(Meaning::Name) => &mut guess.name,
                Some(Meaning::Zone) => &mut guess.zone,
                Some(Meaning::Phone) | None => {
                    rest.push(at);
                    continue;
                }
            };
            if free.is_none() {
                *free = Some(title.clone());
            } else {
                rest.push(at);
            }
        }
        if guess.phone.is_empty()
            && let Some(region) = region
            && let Some(column) = phone_column(&rest, sample, region)
        {
            guess.phone.push(columns[column].clone());
            rest.retain(|other| *other != column);
        }
        let mut keys = BTreeSet::new();
        for column in rest.into_iter().take(MOST_VARIABLES) {
            let wished = key(&columns[column], column);
            let mut free = wished.clone();
            let mut n = 2;
            while !keys.insert(free.clone()) {
                free = format!("{wished}_{n}");
                n += 1;
            }
            guess.variables.insert(columns[column].clone(), free);
        }
        guess
    }
}

/// Names by which a mapping can refer to the columns of a file: the titles, a number for a column
/// without one, and `(2)` behind a title that stands there twice.
pub(crate) fn names(titles: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(titles.len());
    for (at, title) in titles.iter().enumerate() {
        let wished = if title.is_empty() { (at + 1).to_string() } else { title.clone() };
        let mut name = wished.clone();
        let mut n = 2;
        while names.contains(&name) {
            name = format!("{wished} ({n})");
            n += 1;
        }
        names.push(name);
    }
    names
}

/// The column, among `candidates`, in which the most cells are phone numbers, if these are more
/// than half.
fn phone_column(candidates: &[usize], sample: &[Vec<String>], region: Region) -> Option<usize> {
    let readable = |column: usize| {
        sample
            .iter()
            .filter_map(|row| row.get(column))
            .filter(|cell| phone::read_cell(cell, region).is_ok())
            .count()
    };
    // Of equals, the first: max_by_key would take the last.
    let best = candidates.iter().rev().copied().max_by_key(|column| readable(*column))?;
    (readable(best) * 2 > sample.len()).then_some(best)
}

/// A key made from a column's title: small letters, digits and `_`, as `first_name`.
fn key(title: &str, column: usize) -> String {
    let mut key = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            key.push(c);
        } else if !matches!(c, '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '\u{307}')
            && !key.is_empty()
            && !key.ends_with('_')
        {
            key.push('_');
        }
    }
    let key: String = key.trim_end_matches('_').chars().take(LONGEST_KEY - 4).collect();
    // A column without a title goes by its number.
    if key.is_empty() || key == (column + 1).to_string() {
        format!("column_{}", column + 1)
    } else {
        key
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn alo_10_columns_are_mapped_by_their_names() {
        let columns = texts(&["Код", "Телефон", "Телефон 2", "ПІБ", "Часовий пояс", "Сума боргу"]);
        let places = Mapping::guess(&columns, &[], None).places(&columns).unwrap();
        assert_eq!((places.id, places.name, places.zone), (Some(0), Some(3), Some(4)));
        assert_eq!(places.phone, [1, 2]);
        assert_eq!(places.variables, BTreeMap::from([(5, "сума_боргу".to_owned())]));
    }

    #[test]
    fn without_names_the_numbers_betray_the_phone_column() {
        let columns = names(&texts(&["", "", ""]));
        let sample = vec![texts(&["1", "Олена", "093 123 45 67"]), texts(&["2", "Іван", "-"])];
        let guess = Mapping::guess(&columns, &sample[..1], Region::of("UA"));
        assert_eq!(guess.phone, ["3"]);
        let keys: Vec<_> = guess.variables.values().map(String::as_str).collect();
        assert_eq!(keys, ["column_1", "column_2"]);
        assert!(Mapping::guess(&columns, &sample, Region::of("UA")).phone.is_empty());
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let names = names(&texts(&["phone", "", "phone", "2", "phone (2)"]));
        assert_eq!(names, ["phone", "2", "phone (2)", "2 (2)", "phone (2) (2)"]);
    }

    #[test]
    fn a_mapping_fits_columns_that_differ_in_order_and_case() {
        let variables = BTreeMap::from([("Debt".to_owned(), "debt".to_owned())]);
        let mapping = Mapping { name: Some("Name".to_owned()), variables, ..Mapping::default() };
        let mapping = Mapping { phone: texts(&["Phone"]), ..mapping };
        let fitted = mapping.fitted(&texts(&["DEBT", "name", "phone", "Phone"])).unwrap();
        assert_eq!((fitted.phone, fitted.name.as_deref()), (texts(&["Phone"]), Some("name")));
        assert_eq!(fitted.variables["DEBT"], "debt");
        assert_eq!(mapping.fitted(&texts(&["Phone", "Name"])), None);
    }

    #[test]
    fn a_mapping_that_cannot_work_says_where() {
        let columns = texts(&["a", "b", "c"]);
        let fault = |mapping: Mapping| mapping.places(&columns).unwrap_err();
        let phone = |phone: &[&str]| Mapping { phone: texts(phone), ..Mapping::default() };
        assert_eq!(fault(phone(&[])), Fault::NoPhone);
        assert_eq!(fault(phone(&["x"])), Fault::NoSuchColumn { field: "phone[0]".to_owned() });
        assert_eq!(fault(phone(&["a", "a"])), Fault::UsedTwice { field: "phone[1]".to_owned() });
        assert_eq!(fault(phone(&["a"; 11])), Fault::TooMany { field: "phone", most: 10 });
        let variables = BTreeMap::from(["b", "c"].map(|name| (name.to_owned(), "k".to_owned())));
        let twice = Mapping { variables, ..phone(&["a"]) };
        assert_eq!(fault(twice), Fault::BadKey { field: "variables.c".to_owned() });
    }

    proptest! {
        #[test]
        fn every_guess_with_a_phone_can_be_used(
            titles in prop::collection::vec("(phone|id|name|tz|\\PC{0,70})", 1..30),
        ) {
            let columns = names(&titles);
            let guess = Mapping::guess(&columns, &[], None);
            let places = guess.places(&columns);
            prop_assert!(places.is_ok() || places == Err(Fault::NoPhone), "{places:?}");
        }
    }
}
