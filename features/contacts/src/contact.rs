//! A row of a file as a contact.

use std::collections::BTreeMap;

use calendar::Zone;

use crate::{
    file::Row,
    mapping::Places,
    phone::{self, Phone, Region},
    reason::Reason,
};

/// Characters of an external id.
pub(crate) const LONGEST_ID: usize = 128;
/// Characters of a name.
pub(crate) const LONGEST_NAME: usize = 200;
/// Characters of a variable.
pub(crate) const LONGEST_VALUE: usize = 2_000;

/// A contact as a row of a file tells it. What is `None` or absent was empty in the file, and
/// leaves what is stored as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Where the row begins.
    pub(crate) line: u64,
    /// The contact's id in the system that the file came from.
    pub(crate) external_id: Option<String>,
    /// The numbers in the order of calling, distinct, at least one.
    pub(crate) phones: Vec<Phone>,
    /// The name.
    pub(crate) name: Option<String>,
    /// The IANA name of the zone, in the spelling of the zone database.
    pub(crate) zone: Option<String>,
    /// Further columns by key.
    pub(crate) variables: BTreeMap<String, String>,
    /// A further phone of the row could not be read.
    pub(crate) phone_lost: bool,
}

impl Candidate {
    /// The number that is called first and that tells two contacts without ids apart.
    pub(crate) fn first_phone(&self) -> &str {
        self.phones.first().map_or("", |phone| phone.number.as_str())
    }
}

/// Reads `row` by the places of the columns.
pub(crate) fn read(row: &Row, places: &Places, region: Region) -> Result<Candidate, Reason> {
    if let Some(fault) = row.fault {
        return Err(fault);
    }
    if row.cells.iter().skip(places.width).any(|cell| !cell.is_empty()) {
        return Err(Reason::ColumnCount);
    }
    let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
    let text = |column: Option<usize>, longest: usize| -> Result<Option<String>, Reason> {
        let text = column.map_or("", cell);
        if text.chars().count() > longest {
            return Err(Reason::ValueTooLong);
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    };
    let external_id = text(places.id, LONGEST_ID)?;
    let name = text(places.name, LONGEST_NAME)?;
    let zone = match text(places.zone, LONGEST_NAME)? {
        None => None,
        Some(name) => {
            let zone: Zone = name.parse().map_err(|_| Reason::UnknownZone)?;
            Some(zone.name().to_owned())
        }
    };
    let mut variables = BTreeMap::new();
    for (&column, key) in &places.variables {
        if let Some(value) = text(Some(column), LONGEST_VALUE)? {
            variables.insert(key.clone(), value);
        }
    }
    let (phones, phone_lost) = phones(places.phone.iter().map(|column| cell(*column)), region)?;
    Ok(Candidate { line: row.line, external_id, phones, name, zone, variables, phone_lost })
}

/// As [`read`]; a `strict` source must give every contact an id and a name (ALO-12).
pub(crate) fn read_from(
    row: &Row,
    places: &Places,
    region: Region,
    strict: bool,
) -> Result<Candidate, Reason> {
    let contact = read(row, places, region)?;
    if strict && contact.external_id.is_none() {
        return Err(Reason::IdMissing);
    }
    if strict && contact.name.is_none() {
        return Err(Reason::NameMissing);
    }
    Ok(contact)
}

/// The readable numbers of `cells`, and whether one of several could not be read. The error is that
/// of the first cell that holds anything.
fn phones<'a>(
    cells: impl Iterator<Item = &'a str>,
    region: Region,
) -> Result<(Vec<Phone>, bool), Reason> {
    let mut phones: Vec<Phone> = Vec::new();
    let mut fault = None;
    for cell in cells.filter(|cell| !cell.is_empty()) {
        match phone::read_cell(cell, region) {
            Ok(more) => {
                for phone in more {
                    if !phones.iter().any(|known| known.number == phone.number) {
                        phones.push(phone);
                    }
                }
            }
            Err(reason) => fault = fault.or(Some(reason)),
        }
    }
    if phones.is_empty() {
        return Err(fault.unwrap_or(Reason::PhoneMissing));
    }
    Ok((phones, fault.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Row {
        Row { line: 7, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), fault: None }
    }

    fn places() -> Places {
        Places {
            id: Some(0),
            phone: vec![1, 2],
            name: Some(3),
            zone: Some(4),
            variables: BTreeMap::from([(5, "debt".to_owned())]),
            width: 6,
        }
    }

    fn read_cells(cells: &[&str]) -> Result<Candidate, Reason> {
        read(&row(cells), &places(), Region::of("UA").unwrap())
    }

    #[test]
    fn alo_10_several_phone_columns_become_numbers_in_order() {
        let contact =
            read_cells(&["1", "067 123 45 67", "0931234567", "Олена", "europe/kyiv", "5"]).unwrap();
        let numbers: Vec<_> = contact.phones.iter().map(|p| p.number.as_str()).collect();
        assert_eq!(numbers, ["+380671234567", "+380931234567"]);
        assert_eq!(contact.zone.as_deref(), Some("Europe/Kyiv"));
        assert_eq!(contact.variables["debt"], "5");
        assert!(!contact.phone_lost);
    }

    #[test]
    fn one_readable_phone_is_enough_and_the_other_is_told() {
        let contact = read_cells(&["1", "?", "0931234567"]).unwrap();
        assert_eq!(contact.first_phone(), "+380931234567");
        assert!(contact.phone_lost);
        let same = read_cells(&["1", "0931234567", "+380931234567"]).unwrap();
        assert_eq!((same.phones.len(), same.phone_lost), (1, false));
    }

    #[test]
    fn a_bad_row_has_a_typed_reason() {
        let long = "x".repeat(201);
        for (cells, reason) in [
            (vec!["1", "", "", "Олена"], Reason::PhoneMissing),
            (vec!["1"], Reason::PhoneMissing),
            (vec!["1", "12", ""], Reason::PhoneTooShort),
            (vec!["1", "0931234567", "", "x", "Mars/Base"], Reason::UnknownZone),
            (vec!["1", "0931234567", "", long.as_str()], Reason::ValueTooLong),
            (vec!["1", "0931234567", "", "x", "", "", "more"], Reason::ColumnCount),
        ] {
            assert_eq!(read_cells(&cells), Err(reason), "{cells:?}");
        }
        assert!(read_cells(&["1", "0931234567", "", "x", "", "", "", ""]).is_ok());
    }
}
