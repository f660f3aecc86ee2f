//! Reading a phone number as people write it, into the one form that is stored.

use base::PhoneNumber;
use phonenumber::{Mode, Type, country, metadata::DATABASE};

use crate::reason::Reason;

/// The country whose notation is assumed for numbers without an international prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region(country::Id);

impl Region {
    /// The region of a two-letter code of ISO 3166-1, in either case.
    pub(crate) fn of(code: &str) -> Option<Self> {
        code.to_ascii_uppercase().parse().ok().map(Self)
    }
}

/// A readable number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone {
    /// In E.164 form.
    pub(crate) number: PhoneNumber,
    /// What sort of number the numbering plan says it is.
    pub(crate) kind: Kind,
}

/// The sort of a number by its country's numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A mobile.
    Mobile,
    /// A landline.
    Fixed,
    /// The plan does not tell mobiles from landlines (North America).
    FixedOrMobile,
    /// Anything else: freephone, internet telephony, premium and so on.
    Other,
}

impl Kind {
    /// As stored and as shown by the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Fixed => "fixed",
            Self::FixedOrMobile => "fixed_or_mobile",
            Self::Other => "other",
        }
    }
}

/// Longer cells hold something else, or several numbers.
const LONGEST: usize = 40;

/// Every number in one cell, in order.
///
/// A cell that is no number as a whole is cut at `,` `;` `/` `|` and line ends, and then every
/// part must be one.
pub(crate) fn read_cell(text: &str, region: Region) -> Result<Vec<Phone>, Reason> {
    let whole = read(text, region);
    let Err(reason) = whole else { return whole.map(|phone| vec![phone]) };
    let parts: Vec<&str> = text
        .split([',', ';', '/', '|', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() < 2 {
        return Err(reason);
    }
    parts.into_iter().map(|part| read(part, region)).collect::<Result<_, _>>().map_err(|_| reason)
}

/// One number: international with `+` or the region's own prefix, national as written in `region`,
/// or international with its `+` lost.
///
/// A number under +999 (the demo carrier) is taken as it is. Everything else must lie in a range
/// that its country has in use.
pub(crate) fn read(text: &str, region: Region) -> Result<Phone, Reason> {
    // A leading apostrophe is how spreadsheets keep a number a text.
    let text = text.trim().trim_start_matches('\'').trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    if text.is_empty() {
        return Err(Reason::PhoneMissing);
    }
    if is_rounded(text) {
        return Err(Reason::PhoneRounded);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let foreign = text.chars().any(|c| c.is_alphabetic() && !c.is_ascii())
        || text.bytes().filter(u8::is_ascii_alphabetic).count() > 4;
    if foreign || digits.is_empty() || text.chars().count() > LONGEST {
        return Err(Reason::PhoneUnreadable);
    }
    if digits.len() > 18 {
        return Err(Reason::PhoneTooLong);
    }
    if text.starts_with('+') {
        return international(&digits);
    }
    if let Some(rest) = after_international_prefix(&digits, region)
        && let Ok(phone) = international(rest)
    {
        return Ok(phone);
    }
    national(text, region).or_else(|reason| {
        // An export that dropped the `+`: long enough to hold a country code.
        if digits.len() >= 11 { international(&digits).map_err(|_| reason) } else { Err(reason) }
    })
}

/// `3.80931E+11`: the spreadsheet has thrown digits away.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',' || b == b'+')
    };
    number(mantissa) && number(exponent)
}

fn after_international_prefix(digits: &str, region: Region) -> Option<&str> {
    let prefix = DATABASE.by_id(region.0.as_ref())?.international_prefix()?;
    let found = prefix.find(digits)?;
    (found.start() == 0).then(|| &digits[found.end()..])
}

fn international(digits: &str) -> Result<Phone, Reason> {
    let written = format!("+{digits}");
    if digits.starts_with("999") {
        let number = written.parse().map_err(|_| length_reason(digits.len()))?;
        return Ok(Phone { number, kind: Kind::Mobile });
    }
    // Without a region: with one, the library would strip that region's trunk prefix from a number
    // of another country.
    let parsed =
        phonenumber::parse(None, &written).map_err(|error| parse_reason(&error, digits.len()))?;
    checked(&parsed, digits.len())
}

fn national(text: &str, region: Region) -> Result<Phone, Reason> {
    let length = text.bytes().filter(u8::is_ascii_digit).count();
    let parsed =
        phonenumber::parse(Some(region.0), text).map_err(|error| parse_reason(&error, length))?;
    checked(&parsed, length)
}

fn checked(parsed: &phonenumber::PhoneNumber, digits: usize) -> Result<Phone, Reason> {
    let kind = match parsed.number_type(&DATABASE) {
        Type::Mobile => Kind::Mobile,
        Type::FixedLine => Kind::Fixed,
        Type::FixedLineOrMobile => Kind::FixedOrMobile,
        Type::TollFree
        | Type::PremiumRate
        | Type::SharedCost
        | Type::PersonalNumber
        | Type::Voip
        | Type::Pager
        | Type::Uan
        | Type::Emergency
        | Type::Voicemail
        | Type::ShortCode
        | Type::StandardRate
        | Type::Carrier
        | Type::NoInternational
        | Type::Unknown => Kind::Other,
    };
    if !parsed.is_valid() {
        return Err(length_reason(digits));
    }
    let number = parsed.format().mode(Mode::E164).to_string();
    number.parse().map(|number| Phone { number, kind }).map_err(|_| length_reason(digits))
}

const fn length_reason(digits: usize) -> Reason {
    match digits {
        0..9 => Reason::PhoneTooShort,
        16.. => Reason::PhoneTooLong,
        9..16 => Reason::PhoneNotInUse,
    }
}

const fn parse_reason(error: &phonenumber::ParseError, digits: usize) -> Reason {
    use phonenumber::ParseError as E;
    match error {
        E::NoNumber | E::MalformedInteger(_) if digits < 3 => Reason::PhoneUnreadable,
        E::NoNumber | E::MalformedInteger(_) => length_reason(digits),
        E::InvalidCountryCode => Reason::PhoneNotInUse,
        E::TooShortAfterIdd | E::TooShortNsn => Reason::PhoneTooShort,
        E::TooLong => Reason::PhoneTooLong,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn e164(text: &str, region: &str) -> Result<String, Reason> {
        read(text, Region::of(region).unwrap()).map(|phone| phone.number.to_string())
    }

    #[test]
    fn alo_10_numbers_as_people_write_them_become_e164_by_region() {
        for (text, region, expected) in [
            ("093 123 45 67", "UA", "+380931234567"),
            ("(093) 123-45-67", "UA", "+380931234567"),
            ("931234567", "UA", "+380931234567"),
            ("380931234567", "UA", "+380931234567"),
            ("+380 93 123 45 67", "RU", "+380931234567"),
            ("8 (903) 123-45-67", "RU", "+79031234567"),
            ("79031234567", "RU", "+79031234567"),
            ("8 10 380 93 123 45 67", "RU", "+380931234567"),
            ("90 123 45 67", "UZ", "+998901234567"),
            ("998901234567", "UA", "+998901234567"),
            ("00998901234567", "UA", "+998901234567"),
            ("0912 345 678", "VN", "+84912345678"),
            ("0912.345.678", "vn", "+84912345678"),
            ("'+84912345678", "VN", "+84912345678"),
            ("380931234567.0", "UA", "+380931234567"),
            ("+1 812 555 0123", "RU", "+18125550123"),
            ("810 1 812 555 0123", "RU", "+18125550123"),
            ("+999 000 000 01", "UA", "+99900000001"),
        ] {
            assert_eq!(e164(text, region), Ok(expected.to_owned()), "{text:?} in {region}");
        }
    }

    #[test]
    fn alo_10_what_is_no_number_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", Reason::PhoneMissing),
            ("  ", Reason::PhoneMissing),
            ("немає", Reason::PhoneUnreadable),
            ("none", Reason::PhoneUnreadable),
            ("---", Reason::PhoneUnreadable),
            ("123", Reason::PhoneTooShort),
            ("+38093", Reason::PhoneTooShort),
            ("093123456789012345", Reason::PhoneTooLong),
            ("3.80931E+11", Reason::PhoneRounded),
            ("3,80931e+11", Reason::PhoneRounded),
            ("0000000000", Reason::PhoneNotInUse),
            ("+380 00 000 00 00", Reason::PhoneNotInUse),
        ] {
            assert_eq!(e164(text, "UA"), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn a_cell_may_hold_several_numbers_but_all_must_be_readable() {
        let region = Region::of("UA").unwrap();
        let numbers = |text: &str| {
            read_cell(text, region)
                .map(|phones| phones.iter().map(|p| p.number.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            numbers("093 123 45 67; 067 123 45 67"),
            Ok(vec!["+380931234567".to_owned(), "+380671234567".to_owned()])
        );
        assert!(numbers("093 123 45 67; call first").is_err());
        assert_eq!(numbers(";"), Err(Reason::PhoneUnreadable));
    }

    #[test]
    fn the_numbering_plan_tells_the_kind() {
        let kind = |text: &str, region: &str| read(text, Region::of(region).unwrap()).unwrap().kind;
        assert_eq!(kind("0931234567", "UA"), Kind::Mobile);
        assert_eq!(kind("044 123 45 67", "UA"), Kind::Fixed);
        assert_eq!(kind("212 555 0123", "US"), Kind::FixedOrMobile);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,60}", digits in "[+0-9 ()e.;x-]{0,30}") {
            for region in ["UA", "RU", "UZ", "VN", "US", "IT"] {
                let region = Region::of(region).unwrap();
                let _ = read_cell(&text, region);
                if let Ok(phone) = read(&digits, region) {
                    let again = read(phone.number.as_str(), region).map(|p| p.number);
                    prop_assert_eq!(again, Ok(phone.number));
                }
            }
        }
    }
}
