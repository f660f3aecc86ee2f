//! How the routes of contacts refuse.

http_kit::problems! {
    /// Refusals about contact lists, imports and the do-not-call list.
    pub enum ContactProblem {
        /// The list was deleted or belongs to another account. Reload the page of lists.
        ListNotFound = (404, "list_not_found", "There is no such contact list."),
        /// Another list of the account has this name. Small and capital letters count as the same.
        ListNameTaken = (409, "list_name_taken", "There is a contact list with this name already."),
        /// A campaign that is running or paused calls the people of this list. Stop it first.
        ListInUse { campaign: String } =
            (409, "list_in_use", "The campaign “{campaign}” uses this list."),
        /// The import belongs to a deleted list or to another account.
        ImportNotFound = (404, "import_not_found", "There is no such import."),
        /// The import has been started, cancelled or given up, so it can be neither changed nor
        /// started. Upload the file again.
        ImportNotReady { state: String } =
            (409, "import_not_ready", "The import is {state} and cannot be changed any more."),
        /// The file has no rows, or more than 200 columns.
        ImportNoRows = (422, "import_no_rows", "No rows can be read from this file."),
        /// The file is an ODS, XLS or XLSB workbook. Save it as an Excel workbook (XLSX) or as CSV
        /// in the spreadsheet and upload that.
        ImportSpreadsheet = (
            415,
            "import_spreadsheet",
            "Spreadsheets of this kind are not read. Save it as XLSX or CSV and upload that."
        ),
        /// The file begins like a workbook but is none: another archive, or damaged on its way.
        /// Open it in the spreadsheet, save it anew as XLSX or CSV, and upload that.
        ImportNotAWorkbook = (
            415,
            "import_not_a_workbook",
            "This file cannot be read as a workbook. Save it anew as XLSX or CSV."
        ),
        /// The workbook opens with a password only. Take the password off in the spreadsheet and
        /// upload it again.
        ImportEncrypted = (
            415,
            "import_encrypted",
            "A password protects this workbook. Take it off and upload the file again."
        ),
        /// The sheet has more than 1,048,576 rows, more than 200 MB of text, or unpacks to more
        /// than is read. Divide it, or upload it as CSV.
        ImportWorkbookTooLarge = (
            413,
            "import_workbook_too_large",
            "This workbook is too large when it is unpacked. Divide it, or upload it as CSV."
        ),
        /// No sheet of the workbook has a cell with something in it.
        ImportNoSheet = (422, "import_no_sheet", "This workbook has no sheet with rows."),
        /// The file is in UTF-16 without a byte order mark, or in UTF-32. Save it as “CSV UTF-8” in
        /// the spreadsheet and upload that.
        ImportUtf16 = (
            415,
            "import_utf16",
            "This file is in UTF-16 or UTF-32 and does not say so. Save it as CSV UTF-8."
        ),
        /// The file holds no text at all.
        ImportBinary = (415, "import_binary", "This file is not a text file."),
        /// The import waited for more than a day, or the server was stopped during the upload.
        /// Upload the file again.
        ImportExpired = (410, "import_expired", "The uploaded file is no longer kept."),
        /// The file of a running import was damaged or removed on the server's disk. What was
        /// committed stays; upload the file again for the rest.
        ImportFileLost = (410, "import_file_lost", "The uploaded file cannot be read any more."),
        /// Ten attempts in a row failed for a reason that nobody foresaw; the server's log has it.
        /// What was committed stays: upload the file again for the rest.
        ImportGaveUp = (
            500,
            "import_gave_up",
            "The import failed ten times in a row. What it had taken stays in the list."
        ),
        /// The number was taken off the do-not-call list meanwhile, or the entry belongs to another
        /// account. Reload the page.
        DoNotCallNotFound =
            (404, "do_not_call_not_found", "The do-not-call list has no such entry."),
        /// No column of the file holds phone numbers. Name one “phone”, or put the numbers in the
        /// first column.
        NumbersNoPhone = (422, "numbers_no_phone", "No column of this file holds phone numbers."),
        /// The source was removed, or belongs to another account or a deleted list.
        SourceNotFound = (404, "source_not_found", "There is no such source."),
        /// The rows of an earlier load are still being taken. Load again when they are in.
        SourceBusy = (409, "source_busy", "The last load of this source is still under way."),
        /// The source is switched off. Switch it on, then load it.
        SourceOff = (409, "source_off", "This source is switched off."),
        /// A list has no room for another source. Remove one that is not needed any more.
        SourcesFull { most: i64 } =
            (409, "sources_full", "A list has {most} sources at most."),
        /// The number is not in international form.
        PhoneInvalid = (
            422,
            "phone_invalid",
            "Write the number in international form: + and 7 to 15 digits."
        ),
    }
}
