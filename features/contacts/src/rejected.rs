//! The files that a person takes away: the rows that were not taken, and the template.

use base::Locale;
use http_kit::Csv;

use crate::{file::Delimiter, reason::Reason};

/// The heads of the two columns that stand before the file's own: the line and the reason.
pub(crate) const fn heads(language: Locale) -> [&'static str; 2] {
    match language {
        Locale::En => ["Line", "Reason"],
        Locale::Uk => ["Рядок", "Причина"],
        Locale::Ru => ["Строка", "Причина"],
        Locale::Uz => ["Qator", "Sabab"],
        Locale::Vi => ["Dòng", "Lý do"],
    }
}

/// The reason of a stored `code`, in words.
pub(crate) fn words(code: &str, language: Locale) -> &str {
    Reason::of(code).map_or(code, |reason| reason.sentence(language))
}

/// The template: the columns that an import knows, and one free column, in `language`.
///
/// It has no rows: an example that somebody forgets to delete would be called.
pub(crate) fn template(language: Locale) -> String {
    let delimiter = match language {
        Locale::En | Locale::Vi => Delimiter::Comma,
        Locale::Uk | Locale::Ru | Locale::Uz => Delimiter::Semicolon,
    };
    let mut table = Csv::new(delimiter.as_str());
    table.row(template_heads(language).1);
    table.take()
}

/// The name of the template's sheet, and its columns.
pub(crate) const fn template_heads(language: Locale) -> (&'static str, [&'static str; 6]) {
    match language {
        Locale::En => ("Contacts", ["id", "phone", "phone 2", "name", "time zone", "note"]),
        Locale::Uk => {
            ("Контакти", ["id", "телефон", "телефон 2", "ім'я", "часовий пояс", "примітка"])
        }
        Locale::Ru => {
            ("Контакты", ["id", "телефон", "телефон 2", "имя", "часовой пояс", "примечание"])
        }
        Locale::Uz => {
            ("Kontaktlar", ["id", "telefon", "telefon 2", "ism", "vaqt mintaqasi", "izoh"])
        }
        Locale::Vi => {
            ("Liên hệ", ["mã", "số điện thoại", "số điện thoại 2", "họ tên", "múi giờ", "ghi chú"])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        file::{Encoding, preview, sniff},
        mapping::Mapping,
    };

    #[test]
    fn alo_10_every_template_is_understood_by_the_import() {
        for language in Locale::ALL {
            let text = template(language);
            let format = sniff(text.as_bytes(), Encoding::Utf8, true);
            assert!(format.has_header, "{language:?}");
            let preview = preview(text.as_bytes(), format, true).unwrap();
            let guess = Mapping::guess(&preview.columns, &preview.sample, None);
            let places = guess.places(&preview.columns).unwrap();
            assert_eq!(places.id, Some(0), "{language:?}");
            assert_eq!(places.phone, [1, 2], "{language:?}");
            assert_eq!((places.name, places.zone), (Some(3), Some(4)), "{language:?}");
            assert_eq!(places.variables.len(), 1, "{language:?}");
        }
    }
}
