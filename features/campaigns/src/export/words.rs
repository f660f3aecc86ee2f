//! The words of exported files in five languages.

use base::Locale;

use super::What;

/// Columns of contacts: id, name, number, state, attempts, last result, next attempt, time zone.
const CONTACTS: [[&str; 8]; 5] = [
    ["id", "name", "phone", "state", "attempts", "last result", "next attempt", "time zone"],
    [
        "id",
        "ім'я",
        "телефон",
        "стан",
        "спроби",
        "останній результат",
        "наступна спроба",
        "часовий пояс",
    ],
    [
        "id",
        "имя",
        "телефон",
        "состояние",
        "попытки",
        "последний результат",
        "следующая попытка",
        "часовой пояс",
    ],
    [
        "id",
        "ism",
        "telefon",
        "holat",
        "urinishlar",
        "oxirgi natija",
        "keyingi urinish",
        "vaqt mintaqasi",
    ],
    [
        "mã",
        "họ tên",
        "số điện thoại",
        "trạng thái",
        "số lần gọi",
        "kết quả gần nhất",
        "lần gọi tới",
        "múi giờ",
    ],
];

/// Columns of calls: when, contact, number, attempt, line, result, SIP, Q.850, ring, talk,
/// recording, settings version, Call-ID.
const ATTEMPTS: [[&str; 13]; 5] = [
    [
        "time",
        "contact",
        "phone",
        "attempt",
        "line",
        "result",
        "SIP",
        "Q.850",
        "ring, s",
        "talk, s",
        "recording",
        "settings version",
        "Call-ID",
    ],
    [
        "час",
        "контакт",
        "телефон",
        "спроба",
        "лінія",
        "результат",
        "SIP",
        "Q.850",
        "гудки, с",
        "розмова, с",
        "запис",
        "версія налаштувань",
        "Call-ID",
    ],
    [
        "время",
        "контакт",
        "телефон",
        "попытка",
        "линия",
        "результат",
        "SIP",
        "Q.850",
        "гудки, с",
        "разговор, с",
        "запись",
        "версия настроек",
        "Call-ID",
    ],
    [
        "vaqt",
        "mijoz",
        "telefon",
        "urinish",
        "liniya",
        "natija",
        "SIP",
        "Q.850",
        "jiringlash, s",
        "suhbat, s",
        "yozuv",
        "sozlamalar versiyasi",
        "Call-ID",
    ],
    [
        "thời gian",
        "liên hệ",
        "số điện thoại",
        "lần gọi",
        "đường dây",
        "kết quả",
        "SIP",
        "Q.850",
        "đổ chuông, s",
        "đàm thoại, s",
        "ghi âm",
        "phiên bản cài đặt",
        "Call-ID",
    ],
];

/// Results of calls and states of contacts by their stored words.
const WORDS: &[(&str, [&str; 5])] = &[
    ("success", ["success", "успіх", "успех", "muvaffaqiyatli", "thành công"]),
    (
        "short_talk",
        ["too short", "закоротка розмова", "слишком короткий", "juda qisqa suhbat", "quá ngắn"],
    ),
    ("no_answer", ["no answer", "немає відповіді", "нет ответа", "javob yoʻq", "không nghe máy"]),
    ("busy", ["busy", "зайнято", "занято", "band", "máy bận"]),
    ("rejected", ["rejected", "відхилено", "отклонено", "rad etildi", "từ chối"]),
    ("failed", ["failed", "збій", "сбой", "xatolik", "lỗi"]),
    (
        "invalid_number",
        ["invalid number", "хибний номер", "неверный номер", "notoʻgʻri raqam", "số không tồn tại"],
    ),
    (
        "machine",
        ["answering machine", "автовідповідач", "автоответчик", "avtojavob", "hộp thư thoại"],
    ),
    (
        "abandoned_no_agent",
        [
            "nobody free",
            "не було вільних",
            "не было свободных",
            "boʻsh xodim yoʻq",
            "không có người rảnh",
        ],
    ),
    ("cancelled", ["cancelled", "скасовано", "отменено", "bekor qilindi", "đã hủy"]),
    ("interrupted", ["interrupted", "перервано", "прервано", "uzilib qoldi", "bị gián đoạn"]),
    ("callable", ["to be called", "до дзвінка", "к звонку", "qoʻngʻiroq kutmoqda", "chờ gọi"]),
    ("in_attempt", ["in a call", "у дзвінку", "в звонке", "qoʻngʻiroqda", "đang gọi"]),
    ("in_work", ["with an operator", "в оператора", "у оператора", "operatorda", "với nhân viên"]),
    (
        "not_success",
        ["not successful", "неуспішно", "неуспешно", "muvaffaqiyatsiz", "không thành công"],
    ),
    ("attempted", ["not reached", "недодзвон", "недозвон", "bogʻlanib boʻlmadi", "không gặp"]),
    ("no_number", ["no number", "без номера", "без номера", "raqami yoʻq", "không có số"]),
    (
        "do_not_call",
        ["do not call", "не дзвонити", "не звонить", "qoʻngʻiroq qilinmasin", "không gọi"],
    ),
    ("by_hand", ["excluded", "виключено", "исключено", "chiqarilgan", "đã loại"]),
    (
        "source",
        [
            "no longer in the source",
            "більше немає в джерелі",
            "больше нет в источнике",
            "manbada endi yoʻq",
            "không còn trong nguồn",
        ],
    ),
];

const fn place(language: Locale) -> usize {
    match language {
        Locale::En => 0,
        Locale::Uk => 1,
        Locale::Ru => 2,
        Locale::Uz => 3,
        Locale::Vi => 4,
    }
}

/// The columns that every row has.
pub(crate) fn heads(what: What, language: Locale) -> &'static [&'static str] {
    match what {
        What::Contacts => &CONTACTS[place(language)],
        What::Attempts => &ATTEMPTS[place(language)],
    }
}

/// A stored word for people.
pub(crate) fn of(word: &str, language: Locale) -> String {
    let known = WORDS.iter().find(|(stored, _)| *stored == word);
    known.map_or(word, |(_, words)| words[place(language)]).to_owned()
}

/// Yes, or nothing.
pub(crate) const fn yes(holds: bool, language: Locale) -> &'static str {
    match (holds, language) {
        (false, _) => "",
        (true, Locale::En) => "yes",
        (true, Locale::Uk) => "так",
        (true, Locale::Ru) => "да",
        (true, Locale::Uz) => "ha",
        (true, Locale::Vi) => "có",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_and_every_state_has_words() {
        for outcome in [
            call::Outcome::Success,
            call::Outcome::ShortTalk,
            call::Outcome::NoAnswer,
            call::Outcome::Busy,
            call::Outcome::Rejected,
            call::Outcome::Failed,
            call::Outcome::InvalidNumber,
            call::Outcome::Machine,
            call::Outcome::AbandonedNoAgent,
            call::Outcome::Cancelled,
            call::Outcome::Interrupted,
        ] {
            let word = crate::store::serde_word(&outcome).unwrap();
            assert!(WORDS.iter().any(|(stored, _)| *stored == word), "{word}");
        }
        assert_eq!(of("busy", Locale::Uk), "зайнято");
        assert_eq!(heads(What::Contacts, Locale::Vi)[0], "mã");
    }
}
