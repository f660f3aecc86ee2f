#![doc = include_str!("../README.md")]

mod database;
mod error;
mod keyed;
mod migrate;
mod options;
pub mod origin;
pub mod outbox;
mod page;
mod postgres;
mod row;
mod sql_log;
mod sqlite;
mod stats;
pub mod testing;
mod tls;
mod tx;
mod unit;
mod value;

pub use database::Db;
pub use error::{Error, Result};
pub use keyed::Keyed;
pub use migrate::{Chain, Migration};
pub use options::Options;
pub use page::{KeyRange, Page};
pub use row::{FromRow, Row};
pub use stats::Stats;
pub use tx::{Engine, Tx};
pub use value::{FromValue, Value};

/// Marks an SQL text and gives it back: `sql!("…")` for both engines, `sql!(sqlite: "…")` and
/// `sql!(pg: "…")` for one.
#[macro_export]
macro_rules! sql {
    ($text:literal) => {
        $text
    };
    (sqlite: $text:literal) => {
        $text
    };
    (pg: $text:literal) => {
        $text
    };
}

/// The values for `$1`, `$2` … of a statement: `args![id, name, now]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*]
    };
}

/// A struct that is read from a row by position: the columns of the `SELECT` stand in the order of
/// the fields.
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty),* $(,)?
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type),* }

        impl $crate::FromRow for $name {
            fn from_row(row: &mut $crate::Row) -> $crate::Result<Self> {
                Ok(Self { $($field: row.next()?),* })
            }
        }
    };
}
