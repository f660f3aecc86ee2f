//! Files of contacts and calls: what stands in their cells, and how they are written.

pub(crate) mod file;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};

use base::{Id, Locale, Timestamp, kind::Line};
use calendar::Zone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{attempts, contacts};

/// What an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportedThing)]
pub(crate) enum What {
    /// The contacts of a campaign.
    Contacts,
    /// Its calls.
    Attempts,
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportFormat)]
pub(crate) enum Format {
    /// Text, UTF-8 with a byte order mark, cells apart by commas.
    Csv,
    /// A workbook.
    Xlsx,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// Nothing.
    Empty(()),
    /// A whole number.
    Number(i64),
    /// Calendar and clock of the campaign's zone: `2026-11-20 10:00:12`.
    Moment { at: String },
    /// Anything else.
    Text(String),
}

/// A row: cells that every row has, and the contact's own variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) variables: BTreeMap<String, String>,
}

/// The most variables that get columns of their own.
const MOST_VARIABLES: usize = 200;

/// Adds the names of a row's variables to the columns.
pub(crate) fn learn(columns: &mut BTreeSet<String>, row: &Row) {
    for name in row.variables.keys() {
        if columns.len() < MOST_VARIABLES && !columns.contains(name) {
            columns.insert(name.clone());
        }
    }
}

/// How the cells of one export are worded.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    pub(crate) language: Locale,
    pub(crate) zone: Zone,
    pub(crate) lines: BTreeMap<Id<Line>, String>,
}

impl Wording {
    fn moment(&self, at: Option<Timestamp>) -> Cell {
        let Some(at) = at.filter(|at| *at < Timestamp::MAX) else { return Cell::Empty(()) };
        let wall = self.zone.hour(at);
        let second = at.seconds().rem_euclid(60);
        let (date, hour, minute) = (wall.date, wall.hour, wall.minute);
        Cell::Moment { at: format!("{date} {hour:02}:{minute:02}:{second:02}") }
    }

    fn outcome(&self, outcome: Option<&str>) -> Cell {
        outcome.map_or(Cell::Empty(()), |word| Cell::Text(words::of(word, self.language)))
    }

    /// The row of a contact.
    pub(crate) fn contact(&self, row: contacts::Row) -> Row {
        let waits = row.state == "callable";
        let cells = vec![
            text(row.external_id),
            text(Some(row.name)),
            text(Some(row.phone)),
            Cell::Text(words::of(&row.state, self.language)),
            Cell::Number(row.attempts.into()),
            self.outcome(row.last_outcome.as_deref()),
            self.moment(waits.then_some(row.next_at)),
            text(row.zone),
        ];
        let variables = match row.variables {
            Some(Value::Object(map)) => map.into_iter().map(|(k, v)| (k, plain(v))).collect(),
            _ => BTreeMap::new(),
        };
        Row { cells, variables }
    }

    /// The row of a call.
    pub(crate) fn attempt(&self, row: attempts::Row) -> Row {
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| match from.zip(to) {
            Some((from, to)) => Cell::Number(to.since(from).as_secs() as i64),
            None => Cell::Empty(()),
        };
        let number = |n: Option<i64>| n.map_or(Cell::Empty(()), Cell::Number);
        let rang = row.ringing_at.or(row.invited_at);
        let line = self.lines.get(&row.line).cloned();
        let cells = vec![
            self.moment(Some(row.invited_at.unwrap_or(row.claimed_at))),
            text(row.name),
            Cell::Text(row.phone.to_string()),
            Cell::Number(row.ordinal),
            Cell::Text(line.unwrap_or_else(|| row.line.to_string())),
            self.outcome(row.outcome.as_deref()),
            number(row.sip_code),
            number(row.q850),
            between(rang, row.answered_at.or(row.ended_at)),
            between(row.answered_at, row.ended_at),
            Cell::Text(words::yes(row.recording_key.is_some(), self.language).to_owned()),
            Cell::Number(row.settings_version),
            Cell::Text(row.call_id),
        ];
        Row { cells, variables: BTreeMap::new() }
    }
}

fn text(value: Option<String>) -> Cell {
    value.filter(|text| !text.is_empty()).map_or(Cell::Empty(()), Cell::Text)
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
