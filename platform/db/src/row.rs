//! A row, read by position.

use crate::{Error, FromValue, Result, Value};

/// The columns of one row, taken from the left.
#[derive(Debug)]
pub struct Row {
    columns: std::vec::IntoIter<Value>,
}

impl Row {
    pub(crate) fn new(columns: Vec<Value>) -> Self {
        Self { columns: columns.into_iter() }
    }

    /// The next column.
    #[expect(clippy::should_implement_trait, reason = "the type of each column differs")]
    pub fn next<T: FromValue>(&mut self) -> Result<T> {
        let Some(value) = self.columns.next() else {
            return Err(Error::Decode("the row has too few columns".to_owned()));
        };
        T::from_value(value)
    }

    pub(crate) fn read<T: FromRow>(mut self) -> Result<T> {
        let read = T::from_row(&mut self)?;
        if self.columns.len() > 0 {
            let left = self.columns.len();
            return Err(Error::Decode(format!("{left} columns of the row were not read")));
        }
        Ok(read)
    }
}

/// A type that a whole row is read as. Made by [`crate::record!`]; tuples of up to 12 have it too.
pub trait FromRow: Sized {
    /// Takes as many columns as it needs.
    fn from_row(row: &mut Row) -> Result<Self>;
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => { $(
        impl<$($name: FromValue),+> FromRow for ($($name,)+) {
            fn from_row(row: &mut Row) -> Result<Self> {
                Ok(($(row.next::<$name>()?,)+))
            }
        }
    )+ };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}
