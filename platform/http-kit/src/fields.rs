//! Checking a request body: every fault is collected and named by its JSON path.

use std::{borrow::Cow, ops::RangeInclusive};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{CommonProblem, FieldError, Problem, Result};

/// Collects what is wrong with a body. End with [`Fields::finish`].
///
/// ```
/// use http_kit::Fields;
/// let mut fields = Fields::new();
/// fields.text("name", "", 1..=100);
/// fields.number("ring_s", 5, 15..=120);
/// fields.check("hours.mon[0]", false, "hours_reversed", "The end lies before the start.");
/// let problem = fields.finish().unwrap_err();
/// assert_eq!(problem.code(), "validation_failed");
/// let codes: Vec<_> = problem.fields().iter().map(|e| (e.field.as_str(), &*e.code)).collect();
/// assert_eq!(
///     codes,
///     [("name", "required"), ("ring_s", "out_of_range"), ("hours.mon[0]", "hours_reversed")]
/// );
/// ```
#[derive(Debug, Default)]
#[must_use = "end with `finish`"]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault without values.
    pub fn fault(
        &mut self,
        field: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) {
        self.fault_with(field, code, detail, []);
    }

    /// Adds a fault with the values that its sentence names.
    pub fn fault_with<const N: usize>(
        &mut self,
        field: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        params: [(&str, Value); N],
    ) {
        let params: Map<_, _> =
            params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (field, code, detail) = (field.into(), code.into(), detail.into());
        self.0.push(FieldError { field, code, detail, params });
    }

    /// Adds the fault unless `right`.
    pub fn check(
        &mut self,
        field: impl Into<String>,
        right: bool,
        code: &'static str,
        detail: &'static str,
    ) {
        if !right {
            self.fault(field, code, detail);
        }
    }

    /// A text whose length in characters, blanks at the ends not counted, lies within `length`, and
    /// which holds no control characters but line breaks and tabs.
    /// Codes: `required`, `too_short`, `too_long`, `control_characters`.
    pub fn text(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) {
        let count = text.trim().chars().count();
        let (min, max) = (*length.start(), *length.end());
        if count == 0 && min > 0 {
            self.fault(field, "required", "Fill this in.");
        } else if count < min {
            let detail = format!("At least {min} characters.");
            self.fault_with(field, "too_short", detail, [("min", min.into())]);
        } else if count > max {
            let detail = format!("At most {max} characters.");
            self.fault_with(field, "too_long", detail, [("max", max.into())]);
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.fault(field, "control_characters", "Control characters are not allowed.");
        }
    }

    /// A number within `range`. Code: `out_of_range`.
    pub fn number<N>(&mut self, field: &str, number: N, range: RangeInclusive<N>)
    where
        N: PartialOrd + Serialize + std::fmt::Display + Copy,
    {
        if !range.contains(&number) {
            let (min, max) = (*range.start(), *range.end());
            let detail = format!("From {min} to {max}.");
            let value = |n: N| serde_json::to_value(n).unwrap_or_default();
            let params = [("min", value(min)), ("max", value(max))];
            self.fault_with(field, "out_of_range", detail, params);
        }
    }

    /// An e-mail address as HTML's `input type=email` understands it, at most 254 characters.
    /// Codes: `required`, `invalid_email`.
    pub fn email(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.fault(field, "required", "Fill this in.");
        } else if !is_email(text) {
            self.fault(field, "invalid_email", "This is not an e-mail address.");
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing when all is well, else 422 `validation_failed` with every fault.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::from(CommonProblem::ValidationFailed).errors(self.0))
        }
    }
}

/// Whether `text` has the shape of an address, with a dotted or single-label domain.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254 && local_fits && domain.split('.').all(label_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for right in ["a@b", "olena.k+x@mail.example.com", "o'neil@x-y.uz"] {
            assert!(is_email(right), "{right}");
        }
        let long = format!("{}@x", "a".repeat(65));
        for wrong in ["", "a", "@b", "a@", "a b@c", "a@b..c", "a@-b", "a@b@c d", "ä@b", &long] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_text_is_measured_in_characters_without_blanks_at_the_ends() {
        let faults = |text: &str| {
            let mut fields = Fields::new();
            fields.text("f", text, 2..=3);
            fields.0.into_iter().map(|e| e.code.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(faults("їжа"), [""; 0]);
        assert_eq!(faults("  "), ["required"]);
        assert_eq!(faults(" a "), ["too_short"]);
        assert_eq!(faults("abcd"), ["too_long"]);
        assert_eq!(faults("a\u{7}"), ["control_characters"]);
    }
}
