//! A telephone number in the one form that is stored.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number in E.164 form: `+` and 7 to 15 digits, the first not 0 (ITU-T E.164, 6.2).
///
/// Whether such a number exists is not known here; reading national notation is done where a
/// region is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// The text is not in E.164 form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number in the international form +… with 7 to 15 digits")]
pub struct PhoneError;

impl PhoneNumber {
    /// With the leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the leading `+`.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Whether this is a number of the demo carrier: it lies under the unassigned country code 999.
    pub fn is_demo(&self) -> bool {
        self.0.starts_with("+999")
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError)?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if fits { Ok(Self(text.to_owned())) } else { Err(PhoneError) }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stored_form_is_taken() {
        for right in ["+380931234567", "+998901234567", "+1234567", "+123456789012345"] {
            assert_eq!(right.parse::<PhoneNumber>().unwrap().as_str(), right);
        }
        for wrong in
            ["", "+", "380931234567", "+0931234567", "+123456", "+1234567890123456", "+38093 1"]
        {
            assert_eq!(wrong.parse::<PhoneNumber>(), Err(PhoneError), "{wrong:?}");
        }
    }
}
