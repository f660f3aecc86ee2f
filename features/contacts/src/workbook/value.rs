//! A cell as text, as a person would have typed it.

use std::borrow::Cow;

use super::{
    strings::Strings,
    styles::{Style, Styles},
};
use crate::contact::LONGEST_VALUE;

/// Bytes of a cell's text that are kept: a character more than is taken, so that a longer one is
/// refused for its length.
const KEPT: usize = (LONGEST_VALUE + 1) * 4;

/// Days from 30 December 1899, from which spreadsheets count, to 1970.
const EPOCH: i64 = 25_569;
/// Days between the two ways of counting.
const SINCE_1904: f64 = 1_462.0;
/// The first day that no spreadsheet shows: 1 January 10000.
const LAST_DAY: f64 = 2_958_466.0;

/// The text of a cell or of a shared text while its tags go by. How Asian characters are read
/// stands beside them and is no part of it.
#[derive(Default)]
pub(super) struct Text {
    kept: String,
    within: bool,
    beside: bool,
}

impl Text {
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        (self.within, self.beside) = (false, false);
    }

    pub(super) fn enter(&mut self, name: &[u8]) {
        match name {
            b"t" | b"v" => self.within = true,
            b"rPh" => self.beside = true,
            _ => {}
        }
    }

    pub(super) fn leave(&mut self, name: &[u8]) {
        match name {
            b"t" | b"v" => self.within = false,
            b"rPh" => self.beside = false,
            _ => {}
        }
    }

    pub(super) fn push(&mut self, more: &str) {
        if self.within && !self.beside && self.kept.len() < KEPT {
            let most = more.floor_char_boundary(KEPT);
            self.kept.push_str(&more[..most]);
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.kept
    }
}

/// How a cell stores what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Shared,
    Bool,
    /// Text, and whatever else is taken as it stands.
    Text,
    /// ISO 8601.
    Moment,
}

impl Kind {
    /// The kind of a `t` attribute.
    pub(super) fn of(t: &[u8]) -> Self {
        match t {
            b"n" => Self::Number,
            b"s" => Self::Shared,
            b"b" => Self::Bool,
            b"d" => Self::Moment,
            _ => Self::Text,
        }
    }
}

/// What a cell holds. An empty text for what leads nowhere.
pub(super) fn read<'a>(
    text: &'a str,
    kind: Kind,
    style: usize,
    strings: &'a Strings,
    styles: &Styles,
) -> Cow<'a, str> {
    match kind {
        Kind::Number => number(text.trim(), styles.get(style), styles.is_1904),
        Kind::Shared => {
            let at = text.trim().parse().ok();
            at.and_then(|at| strings.get(at)).unwrap_or_default().into()
        }
        Kind::Bool => match text.trim() {
            "1" | "true" => "TRUE".into(),
            "0" | "false" => "FALSE".into(),
            other => other.into(),
        },
        Kind::Text => unescape(text),
        Kind::Moment => {
            let text = text.trim();
            text.strip_suffix("T00:00:00").unwrap_or(text).into()
        }
    }
}

fn number(text: &str, style: Style, is_1904: bool) -> Cow<'_, str> {
    let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return text.into();
    };
    let days = if is_1904 { value + SINCE_1904 } else { value };
    let told = match style {
        Style::Number => None,
        Style::Moment => moment(days),
        Style::Span => span(value),
    };
    // 998901234567 and never 9.98901E11: the digits are what was meant. Adding zero takes the sign
    // off a zero.
    told.unwrap_or_else(|| (value + 0.0).to_string()).into()
}

/// `2026-12-31`, `09:30:00`, or both with a `T` between.
fn moment(days: f64) -> Option<String> {
    if !(0.0..LAST_DAY).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round() as i64;
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let time = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    if day == 0 {
        return Some(time);
    }
    let date = date(day);
    Some(if second == 0 { date } else { format!("{date}T{time}") })
}

/// The date of a day as spreadsheets count: 1900 was a leap year to the first of them, so there is
/// a 29 February, and days before it begin a day later.
fn date(day: i64) -> String {
    if day == 60 {
        return "1900-02-29".to_owned();
    }
    let since_1970 = if day < 60 { day + 1 } else { day } - EPOCH;
    // Days to civil dates by eras of 400 years: H. Hinnant, chrono-compatible low-level date
    // algorithms.
    let z = since_1970 + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `36:30:00`.
fn span(days: f64) -> Option<String> {
    if !(0.0..LAST_DAY).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round() as i64;
    Some(format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60))
}

/// Characters that XML cannot hold are written as `_x000D_`.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let code = from.get(2..6).filter(|_| from.as_bytes().get(6) == Some(&b'_'));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        if let Some(c) = code.and_then(char::from_u32) {
            plain.push(c);
            rest = &from[7..];
        } else {
            plain.push_str("_x");
            rest = &from[2..];
        }
    }
    plain.push_str(rest);
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, style: Style) -> String {
        number(text, style, false).into_owned()
    }

    #[test]
    fn alo_10_a_number_keeps_its_digits() {
        for (stored, told_as) in [
            ("998901234567", "998901234567"),
            ("9.98901234567E11", "998901234567"),
            ("380931234567.0", "380931234567"),
            ("0", "0"),
            ("-0", "0"),
            ("1.1000000000000001", "1.1"),
            ("-2.5", "-2.5"),
            ("1E+3", "1000"),
            ("a", "a"),
            ("", ""),
            ("1e999", "1e999"),
        ] {
            assert_eq!(told(stored, Style::Number), told_as, "{stored}");
        }
    }

    #[test]
    fn days_are_dates_as_spreadsheets_count_them() {
        for (days, text) in [
            ("46387", "2026-12-31"),
            ("46387.395833333336", "2026-12-31T09:30:00"),
            ("0.395833333333333", "09:30:00"),
            ("1", "1900-01-01"),
            ("59", "1900-02-28"),
            ("60", "1900-02-29"),
            ("61", "1900-03-01"),
            ("36585", "2000-02-29"),
            ("2958465", "9999-12-31"),
            ("46386.9999999", "2026-12-31"),
            // A phone number in a column of dates is still one.
            ("380931234567", "380931234567"),
            ("-1", "-1"),
        ] {
            assert_eq!(told(days, Style::Moment), text, "{days}");
        }
        assert_eq!(number("44925", Style::Moment, true), "2026-12-31");
        assert_eq!(told("1.5208333333333333", Style::Span), "36:30:00");
    }

    #[test]
    fn characters_written_by_their_codes_are_read() {
        assert_eq!(unescape("a_x000D_b_x0041_"), "a\rbA");
        assert_eq!(unescape("_x_x00_x005F__xZZZZ_її_x"), "_x_x00__xZZZZ_її_x");
    }
}
