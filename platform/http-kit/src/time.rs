//! A moment in JSON.

use std::borrow::Cow;

use base::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

/// A moment as the API writes it: RFC 3339 in UTC, `2026-11-20T08:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment = jiff::Timestamp::from_microsecond(self.0.micros())
            .map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&moment)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        Ok(Self(Timestamp::from_micros(moment.as_microsecond())))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_and_reads_back() {
        let time = Time(Timestamp::from_seconds(1_795_161_600));
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, r#""2026-11-20T08:00:00Z""#);
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
        let kyiv: Time = serde_json::from_str(r#""2026-11-20T10:00:00+02:00""#).unwrap();
        assert_eq!(kyiv, time);
    }
}
