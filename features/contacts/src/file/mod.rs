//! A file of contacts as bytes: what it is written in, and how it is cut into rows.
//!
//! Nothing here holds more of a file than one piece of it.

mod encoding;
mod preview;
mod rows;
mod sniff;

pub(crate) use encoding::{BOM, Detector, Encoding, NotText, refuse_binary};
pub(crate) use preview::{Preview, preview};
pub(crate) use rows::{Cut, LONGEST_ROW, Row, cut};
pub(crate) use sniff::{Delimiter, Format, sniff};
