//! The names that people give to the columns of a contact file, in the product's languages.

/// What a column holds, when its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The id in the system that the file came from.
    ExternalId,
    /// A phone number.
    Phone,
    /// The person's or company's name.
    Name,
    /// A time zone by its IANA name.
    Zone,
}

const EXTERNAL_ID: &[&str] = &[
    "id",
    "external id",
    "customer id",
    "client id",
    "contact id",
    "uid",
    "uuid",
    "guid",
    "code",
    "customer code",
    "ід",
    "ідентифікатор",
    "код",
    "код клієнта",
    "id клієнта",
    "номер клієнта",
    "ид",
    "идентификатор",
    "код клиента",
    "id клиента",
    "номер клиента",
    "identifikator",
    "kod",
    "mijoz id",
    "mijoz kodi",
    "mã",
    "mã khách hàng",
    "mã kh",
    "mã số",
    "ma khach hang",
];

const PHONE: &[&str] = &[
    "phone",
    "phones",
    "phone number",
    "telephone",
    "tel",
    "mobile",
    "mobile phone",
    "mobile number",
    "cell",
    "cell phone",
    "msisdn",
    "number",
    "work phone",
    "home phone",
    "телефон",
    "телефони",
    "номер",
    "номер телефону",
    "мобільний",
    "мобільний телефон",
    "моб телефон",
    "моб",
    "тел",
    "контактний телефон",
    "додатковий телефон",
    "телефоны",
    "номер телефона",
    "мобильный",
    "мобильный телефон",
    "контактный телефон",
    "дополнительный телефон",
    "сотовый",
    "telefon",
    "telefon raqami",
    "telefon raqam",
    "raqam",
    "raqami",
    "mobil",
    "mobil telefon",
    "uyali telefon",
    "qoshimcha telefon",
    "tel raqami",
    "điện thoại",
    "số điện thoại",
    "sđt",
    "sdt",
    "di động",
    "số di động",
    "điện thoại di động",
    "so dien thoai",
    "dien thoai",
];

const NAME: &[&str] = &[
    "name",
    "full name",
    "fullname",
    "customer",
    "customer name",
    "client",
    "client name",
    "contact",
    "contact name",
    "person",
    "ім'я",
    "імя",
    "піб",
    "п і б",
    "прізвище та ім'я",
    "прізвище імя",
    "клієнт",
    "контакт",
    "назва",
    "имя",
    "фио",
    "ф и о",
    "фамилия и имя",
    "фамилия имя",
    "фамилия имя отчество",
    "клиент",
    "имя клиента",
    "наименование",
    "ism",
    "ismi",
    "ism familiya",
    "familiya ism",
    "fio",
    "f i o",
    "f i sh",
    "fish",
    "mijoz",
    "mijoz ismi",
    "toliq ism",
    "tên",
    "họ tên",
    "họ và tên",
    "khách hàng",
    "tên khách hàng",
    "ho ten",
    "ten",
    "ho va ten",
];

const ZONE: &[&str] = &[
    "time zone",
    "timezone",
    "zone",
    "tz",
    "часовий пояс",
    "часовой пояс",
    "vaqt mintaqasi",
    "vaqt zonasi",
    "mintaqa vaqti",
    "múi giờ",
    "mui gio",
];

/// The meaning of a column called `title`, also when a number follows the name (`Phone 2`).
pub(crate) fn meaning(title: &str) -> Option<Meaning> {
    let title = plain(title);
    let title = title.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let listed = |names: &[&str]| names.iter().any(|name| plain(name) == title);
    if listed(PHONE) {
        Some(Meaning::Phone)
    } else if listed(EXTERNAL_ID) {
        Some(Meaning::ExternalId)
    } else if listed(NAME) {
        Some(Meaning::Name)
    } else if listed(ZONE) {
        Some(Meaning::Zone)
    } else {
        None
    }
}

/// In small letters, without apostrophes of any shape, one space for every run of other signs.
fn plain(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | 'ʻ' | '\u{307}')
            && !out.is_empty()
            && !out.ends_with(' ')
        {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alo_10_columns_are_understood_in_every_language() {
        use Meaning::{ExternalId, Name, Phone, Zone};
        for (title, expected) in [
            ("ID", Some(ExternalId)),
            ("Phone_Number", Some(Phone)),
            ("  Phone 2 ", Some(Phone)),
            ("Моб. телефон", Some(Phone)),
            ("Ім’я", Some(Name)),
            ("Ф.И.О.", Some(Name)),
            ("Часовой пояс", Some(Zone)),
            ("Telefon raqami 2", Some(Phone)),
            ("Qo‘shimcha telefon", Some(Phone)),
            ("Số điện thoại", Some(Phone)),
            ("Họ và tên", Some(Name)),
            ("Mã KH", Some(ExternalId)),
            ("Múi giờ", Some(Zone)),
            ("Debt", None),
            ("", None),
            ("123", None),
        ] {
            assert_eq!(meaning(title), expected, "{title:?}");
        }
    }
}
