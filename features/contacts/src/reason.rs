//! Why a row of a file was not taken, in a form that is stored and in words for a person.

use base::Locale;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal {
        $en:literal, $uk:literal, $ru:literal, $uz:literal, $vi:literal $(,)?
    })*) => {
        /// Why a row, or a part of it, was not taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As stored and as shown by the API.
            pub(crate) const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// In words.
            pub(crate) const fn sentence(self, language: Locale) -> &'static str {
                match self { $(Self::$name => match language {
                    Locale::En => $en,
                    Locale::Uk => $uk,
                    Locale::Ru => $ru,
                    Locale::Uz => $uz,
                    Locale::Vi => $vi,
                },)* }
            }
        }
    };
}

reasons! {
    /// No phone column of the row has anything in it.
    PhoneMissing = "phone_missing" {
        "There is no phone number.",
        "Немає номера телефону.",
        "Нет номера телефона.",
        "Telefon raqami yo‘q.",
        "Không có số điện thoại.",
    }
    /// A feed gave no id.
    IdMissing = "id_missing" {
        "There is no id.",
        "Немає ідентифікатора.",
        "Нет идентификатора.",
        "Identifikator yo‘q.",
        "Không có mã định danh.",
    }
    /// A feed gave no name.
    NameMissing = "name_missing" {
        "There is no name.",
        "Немає імені.",
        "Нет имени.",
        "Ism yo‘q.",
        "Không có tên.",
    }
    /// The text is not a number.
    PhoneUnreadable = "phone_unreadable" {
        "The phone number cannot be read.",
        "Номер телефону не вдалося прочитати.",
        "Номер телефона не удалось прочитать.",
        "Telefon raqamini o‘qib bo‘lmadi.",
        "Không đọc được số điện thoại.",
    }
    /// Digits are missing.
    PhoneTooShort = "phone_too_short" {
        "The phone number is too short.",
        "Номер телефону закороткий.",
        "Номер телефона слишком короткий.",
        "Telefon raqami juda qisqa.",
        "Số điện thoại quá ngắn.",
    }
    /// More digits than any number has.
    PhoneTooLong = "phone_too_long" {
        "The phone number is too long.",
        "Номер телефону задовгий.",
        "Номер телефона слишком длинный.",
        "Telefon raqami juda uzun.",
        "Số điện thoại quá dài.",
    }
    /// The country has no such range of numbers.
    PhoneNotInUse = "phone_not_in_use" {
        "No such phone number exists in that country.",
        "Такого номера телефону в цій країні не існує.",
        "Такого номера телефона в этой стране не существует.",
        "Bu mamlakatda bunday telefon raqami mavjud emas.",
        "Quốc gia đó không có số điện thoại như vậy.",
    }
    /// The end of an entry of the do-not-call list is neither a date nor a moment.
    UntilUnreadable = "until_unreadable" {
        "The date in the column “until” cannot be read. Write it as 2026-12-31.",
        "Дату в стовпці «до» не вдалося прочитати. Запишіть її як 2026-12-31.",
        "Дату в столбце «до» не удалось прочитать. Запишите её как 2026-12-31.",
        "“qachongacha” ustunidagi sanani o‘qib bo‘lmadi. Uni 2026-12-31 kabi yozing.",
        "Không đọc được ngày ở cột “đến”. Hãy viết như 2026-12-31.",
    }
    /// A spreadsheet wrote the number as `3.80931E+11` and so lost digits.
    PhoneRounded = "phone_rounded" {
        "The spreadsheet has rounded the phone number. Format the column as text and save again.",
        "Таблиця округлила номер телефону. Задайте стовпцю текстовий формат і збережіть файл знову.",
        "Таблица округлила номер телефона. Задайте столбцу текстовый формат и сохраните файл заново.",
        "Jadval telefon raqamini yaxlitlagan. Ustunga matn formatini bering va faylni qayta saqlang.",
        "Bảng tính đã làm tròn số điện thoại. Hãy định dạng cột là văn bản rồi lưu lại.",
    }
    /// Another phone of an accepted row could not be read.
    ExtraPhone = "extra_phone" {
        "The contact was added, but one of its further phone numbers cannot be read.",
        "Контакт додано, але один із його додаткових номерів не вдалося прочитати.",
        "Контакт добавлен, но один из его дополнительных номеров не удалось прочитать.",
        "Kontakt qo‘shildi, lekin qo‘shimcha raqamlaridan birini o‘qib bo‘lmadi.",
        "Đã thêm liên hệ, nhưng không đọc được một trong các số phụ.",
    }
    /// An earlier row of the file has the same external id.
    DuplicateId = "duplicate_id" {
        "An earlier row of the file has the same id.",
        "У файлі вище вже є рядок із таким самим ID.",
        "В файле выше уже есть строка с таким же ID.",
        "Faylda yuqorida shu ID bilan qator bor.",
        "Một dòng phía trên trong tệp có cùng mã.",
    }
    /// An earlier row of the file has the same first phone number.
    DuplicatePhone = "duplicate_phone" {
        "An earlier row of the file has the same phone number.",
        "У файлі вище вже є рядок із таким самим номером телефону.",
        "В файле выше уже есть строка с таким же номером телефона.",
        "Faylda yuqorida shu telefon raqami bilan qator bor.",
        "Một dòng phía trên trong tệp có cùng số điện thoại.",
    }
    /// Another contact of the list, with another external id, has the same first phone number.
    PhoneTaken = "phone_taken" {
        "Another contact of the list, with another id, has the same phone number.",
        "Такий самий номер має інший контакт списку з іншим ID.",
        "Такой же номер есть у другого контакта списка с другим ID.",
        "Ro‘yxatdagi boshqa ID li kontaktda xuddi shu raqam bor.",
        "Một liên hệ khác trong danh sách, với mã khác, có cùng số điện thoại.",
    }
    /// The time zone is none of the zone database.
    UnknownZone = "unknown_zone" {
        "There is no such time zone. Write it like Europe/Kyiv.",
        "Такого часового поясу немає. Пишіть так: Europe/Kyiv.",
        "Такого часового пояса нет. Пишите так: Europe/Kyiv.",
        "Bunday vaqt mintaqasi yo‘q. Shunday yozing: Asia/Tashkent.",
        "Không có múi giờ như vậy. Hãy viết như Asia/Ho_Chi_Minh.",
    }
    /// A cell is longer than is kept.
    ValueTooLong = "value_too_long" {
        "A value is too long.",
        "Значення задовге.",
        "Значение слишком длинное.",
        "Qiymat juda uzun.",
        "Một giá trị quá dài.",
    }
    /// The row has more filled cells than the file has columns.
    ColumnCount = "column_count" {
        "The row has more values than the file has columns. Is a quotation mark or a delimiter out of place?",
        "У рядку більше значень, ніж у файлі стовпців. Можливо, лапки або розділювач стоять не там.",
        "В строке больше значений, чем в файле столбцов. Возможно, кавычка или разделитель не на месте.",
        "Qatorda fayldagi ustunlardan ko‘p qiymat bor. Qo‘shtirnoq yoki ajratgich noto‘g‘ri joyda emasmi?",
        "Dòng có nhiều giá trị hơn số cột của tệp. Dấu ngoặc kép hoặc dấu phân cách có bị đặt sai không?",
    }
    /// The row does not end within 64 KiB.
    RowTooLong = "row_too_long" {
        "The row does not end. Is a quotation mark left open?",
        "Рядок не закінчується. Можливо, не закрито лапки.",
        "Строка не заканчивается. Возможно, не закрыта кавычка.",
        "Qator tugamayapti. Qo‘shtirnoq yopilmaganmi?",
        "Dòng không kết thúc. Có dấu ngoặc kép chưa đóng không?",
    }
    /// The bytes are not text of the import's encoding.
    BadEncoding = "bad_encoding" {
        "The row is not text in the chosen encoding.",
        "Рядок не є текстом у вибраному кодуванні.",
        "Строка не является текстом в выбранной кодировке.",
        "Qator tanlangan kodlashdagi matn emas.",
        "Dòng không phải là văn bản theo bảng mã đã chọn.",
    }
}

impl Reason {
    /// The reason of a stored code.
    pub(crate) fn of(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_lead_back() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|reason| Reason::of(reason.code()) == Some(*reason)));
    }
}
