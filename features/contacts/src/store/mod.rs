//! SQL as functions on `&mut Tx`, one file for each noun.
//!
//! Sets of rows travel as one JSON object, `{key: row}`, which `json_each` unfolds on both engines:
//! a unit of 500 rows is a dozen statements.

pub(crate) mod contacts;
pub(crate) mod do_not_call;
pub(crate) mod imports;
pub(crate) mod lists;
pub(crate) mod presets;
pub(crate) mod sources;
pub(crate) mod unit;
