//! A value on its way into or out of a statement.

use std::error::Error as StdError;

use base::{Id, PhoneNumber, Timestamp};
use bytes::{BufMut, BytesMut};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{Error, Result};

/// A value as both engines know it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A binary fraction.
    Float(f64),
    /// Text without the character NUL, which PostgreSQL cannot hold.
    Text(String),
    /// A JSON document.
    Json(serde_json::Value),
    /// Bytes.
    Blob(Vec<u8>),
}

macro_rules! into_value {
    ($($type:ty => |$x:ident| $value:expr),* $(,)?) => { $(
        impl From<$type> for Value {
            fn from($x: $type) -> Self {
                $value
            }
        }
    )* };
}

into_value! {
    bool => |x| Self::Bool(x),
    i64 => |x| Self::Int(x),
    i32 => |x| Self::Int(x.into()),
    u32 => |x| Self::Int(x.into()),
    u16 => |x| Self::Int(x.into()),
    u8 => |x| Self::Int(x.into()),
    f64 => |x| Self::Float(x),
    String => |x| Self::Text(x),
    &str => |x| Self::Text(x.to_owned()),
    serde_json::Value => |x| Self::Json(x),
    Vec<u8> => |x| Self::Blob(x),
    &[u8] => |x| Self::Blob(x.to_vec()),
    Timestamp => |x| Self::Int(x.micros()),
    PhoneNumber => |x| Self::Text(x.into()),
}

impl<K> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Int(id.raw())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Clone + Into<Self>> From<&T> for Value {
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}

/// A type that a column is read as.
pub trait FromValue: Sized {
    /// The value as this type, or [`Error::Decode`].
    fn from_value(value: Value) -> Result<Self>;
}

fn wrong<T>(value: &Value) -> Error {
    Error::Decode(format!("{value:?} as {}", std::any::type_name::<T>()))
}

macro_rules! from_value {
    ($($type:ty { $($pattern:pat => $read:expr),* $(,)? })*) => { $(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self> {
                let read = match &value {
                    $($pattern => $read,)*
                    _ => None,
                };
                read.ok_or_else(|| wrong::<Self>(&value))
            }
        }
    )* };
}

from_value! {
    i64 { Value::Int(x) => Some(*x) }
    i32 { Value::Int(x) => Self::try_from(*x).ok() }
    u64 { Value::Int(x) => Self::try_from(*x).ok() }
    u32 { Value::Int(x) => Self::try_from(*x).ok() }
    u16 { Value::Int(x) => Self::try_from(*x).ok() }
    u8 { Value::Int(x) => Self::try_from(*x).ok() }
    bool { Value::Bool(x) => Some(*x), Value::Int(x @ (0 | 1)) => Some(*x == 1) }
    f64 { Value::Float(x) => Some(*x), Value::Int(x) => Some(*x as Self) }
    serde_json::Value {
        Value::Json(x) => Some(x.clone()),
        Value::Text(x) => serde_json::from_str(x).ok(),
    }
    Timestamp { Value::Int(x) => Some(Self::from_micros(*x)) }
    PhoneNumber { Value::Text(x) => x.parse().ok() }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self> {
        if let Value::Text(text) = value { Ok(text) } else { Err(wrong::<Self>(&value)) }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self> {
        if let Value::Blob(bytes) = value { Ok(bytes) } else { Err(wrong::<Self>(&value)) }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value) -> Result<Self> {
        let bytes = Vec::<u8>::from_value(value)?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| Error::Decode(format!("{length} bytes where {N} belong")))
    }
}

impl<K> FromValue for Id<K> {
    fn from_value(value: Value) -> Result<Self> {
        i64::from_value(value).map(Self::from_raw)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self> {
        if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self> {
        Ok(value)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Bool(x) => ToSqlOutput::from(*x),
            Self::Int(x) => ToSqlOutput::from(*x),
            Self::Float(x) => ToSqlOutput::from(*x),
            Self::Text(x) => ToSqlOutput::Borrowed(ValueRef::Text(x.as_bytes())),
            Self::Json(x) => ToSqlOutput::from(x.to_string()),
            Self::Blob(x) => ToSqlOutput::Borrowed(ValueRef::Blob(x)),
        })
    }
}

type Encoded = Result<IsNull, Box<dyn StdError + Sync + Send>>;

/// Encoded for the type that the server asks for, which it takes from the statement.
impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Encoded {
        match (self, wanted) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Bool(x), &Type::BOOL) => return x.to_sql(wanted, out),
            (Self::Int(x), &Type::INT8) => return x.to_sql(wanted, out),
            (Self::Int(x), &Type::INT4) => return i32::try_from(*x)?.to_sql(wanted, out),
            (Self::Int(x), &Type::INT2) => return i16::try_from(*x)?.to_sql(wanted, out),
            (Self::Int(x), &Type::FLOAT8) => return (*x as f64).to_sql(wanted, out),
            (Self::Int(x), &Type::NUMERIC) => numeric::encode(*x, out),
            (Self::Float(x), &Type::FLOAT8) => return x.to_sql(wanted, out),
            (Self::Text(x), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::UNKNOWN) => {
                return x.to_sql(wanted, out);
            }
            (Self::Text(x), &Type::JSON | &Type::JSONB) => {
                version_of_jsonb(wanted, out);
                out.put_slice(x.as_bytes());
            }
            (Self::Json(x), &Type::JSON | &Type::JSONB) => {
                version_of_jsonb(wanted, out);
                serde_json::to_writer(out.writer(), x)?;
            }
            (Self::Json(x), &Type::TEXT) => serde_json::to_writer(out.writer(), x)?,
            (Self::Blob(x), &Type::BYTEA) => return x.to_sql(wanted, out),
            _ => return Err(format!("{self:?} where the statement wants {wanted}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn version_of_jsonb(wanted: &Type, out: &mut BytesMut) {
    if *wanted == Type::JSONB {
        out.put_u8(1);
    }
}

/// A value as SQLite gives it.
pub(crate) fn from_sqlite(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(x) => Value::Int(x),
        ValueRef::Real(x) => Value::Float(x),
        ValueRef::Text(x) => Value::Text(
            std::str::from_utf8(x).map_err(|e| Error::Decode(e.to_string()))?.to_owned(),
        ),
        ValueRef::Blob(x) => Value::Blob(x.to_vec()),
    })
}

/// A value as PostgreSQL gives it.
impl<'a> tokio_postgres::types::FromSql<'a> for Value {
    fn from_sql(given: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *given {
            Type::BOOL => Self::Bool(bool::from_sql(given, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(given, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(given, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(given, raw)?.into()),
            Type::FLOAT8 => Self::Float(f64::from_sql(given, raw)?),
            Type::FLOAT4 => Self::Float(f32::from_sql(given, raw)?.into()),
            Type::NUMERIC => numeric::decode(raw)?,
            Type::JSONB => {
                let (version, text) = raw.split_first().ok_or("an empty jsonb")?;
                if *version != 1 {
                    return Err("a jsonb of an unknown version".into());
                }
                Self::Text(std::str::from_utf8(text)?.to_owned())
            }
            Type::BYTEA => Self::Blob(raw.to_vec()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => return Err(format!("columns of type {given} are not read").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// PostgreSQL's `numeric`, which `sum` and `avg` of whole numbers give.
///
/// On the wire: counts of digits, weight of the first, sign, scale (16 bits each), then digits to
/// the base 10,000.
mod numeric {
    use super::{BufMut, BytesMut, StdError, Value};

    const NEGATIVE: u16 = 0x4000;

    pub(super) fn encode(number: i64, out: &mut BytesMut) {
        let mut digits = Vec::with_capacity(5);
        let mut rest = number.unsigned_abs();
        while rest > 0 {
            digits.push((rest % 10_000) as u16);
            rest /= 10_000;
        }
        out.put_u16(digits.len() as u16);
        out.put_i16((digits.len() as i16 - 1).max(0));
        out.put_u16(if number < 0 { NEGATIVE } else { 0 });
        out.put_u16(0);
        for digit in digits.into_iter().rev() {
            out.put_u16(digit);
        }
    }

    pub(super) fn decode(raw: &[u8]) -> Result<Value, Box<dyn StdError + Sync + Send>> {
        let words: Vec<u16> =
            raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let [count, weight, sign, scale, digits @ ..] = words.as_slice() else {
            return Err("a numeric cut short".into());
        };
        if digits.len() != usize::from(*count) || ![0, NEGATIVE].contains(sign) {
            return Err("a numeric that is no number".into());
        }
        let weight = i32::from(*weight as i16);
        let minus = *sign == NEGATIVE;
        if *scale == 0 {
            let whole = digits.iter().zip((0..=weight).rev()).try_fold(0_i128, |sum, (d, at)| {
                let one = 10_000_i128.checked_pow(at as u32)?.checked_mul((*d).into())?;
                sum.checked_add(one)
            });
            let signed = whole.map(|sum| if minus { -sum } else { sum });
            let fits = signed.and_then(|sum| i64::try_from(sum).ok());
            return fits.map(Value::Int).ok_or_else(|| "a numeric beyond 64 bits".into());
        }
        let sum: f64 = digits
            .iter()
            .zip((i32::MIN..=weight).rev())
            .map(|(d, at)| f64::from(*d) * 10_000_f64.powi(at))
            .sum();
        Ok(Value::Float(if minus { -sum } else { sum }))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn whole_numbers_come_back() {
            for number in [0, 1, -1, 9_999, 10_000, -10_001, 1_234_567_890_123, i64::MAX, i64::MIN]
            {
                let mut wire = BytesMut::new();
                encode(number, &mut wire);
                assert_eq!(decode(&wire).unwrap(), Value::Int(number));
            }
        }

        #[test]
        fn what_is_no_number_is_refused() {
            assert!(decode(&[0; 7]).is_err());
            assert!(decode(&[0, 0, 0, 0, 0xC0, 0, 0, 0]).is_err());
        }
    }
}
