//! A file of contacts as bytes: what it is written in, and how it is cut into rows.
//!
//! Nothing here holds more of a file than one piece of it.

mod encoding;
mod preview;
mod rows;
mod sniff;

pub(crate) use encoding::{BOM, Detector, Encoding, Kind, NotText, Transcoder, kind};
pub(crate) use preview::{LOOK, MOST_COLUMNS, Preview, preview};
pub(crate) use rows::{Cut, LONGEST_ROW, Row, cut};
pub(crate) use sniff::{Delimiter, Format, of_table, sniff};
