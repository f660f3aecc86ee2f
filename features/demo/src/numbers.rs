//! The numbers of the demo: one for every ending that has a behaviour, and five that are drawn.

use base::PhoneNumber;

/// The last two digits, in the order of the list.
pub(crate) const ENDINGS: [u8; 20] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24];

/// The number with an ending.
pub(crate) fn number(ending: u8) -> Option<PhoneNumber> {
    format!("+999 200 0000 {ending:02}").replace(' ', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_a_number_of_the_demo_carrier() {
        for ending in ENDINGS {
            let number = number(ending).unwrap();
            assert!(number.is_demo(), "{number}");
            assert!(number.as_str().ends_with(&format!("{ending:02}")));
        }
    }
}
