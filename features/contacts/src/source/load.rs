//! Asking a source and having its rows as a file.

use std::time::Duration;

use blob::Writer;
use host::Handles;
use outbound::{Answer, Ask, Outbound};
use serde_json::json;
use url::Url;

use super::{
    Access, FeedSettings, Loaded, MOST_BYTES, MOST_PAGE, MOST_PAGES, MOST_ROWS, Settings,
    SheetSettings,
    fault::SourceFault,
    feed::{self, Page},
    google::{GRANT, KeyFile, Token},
    sheet::{self, Sheet},
    table::{FORMAT, Table},
};
use crate::{
    file::{self, Format, LOOK},
    mapping::{self, Fault, Mapping},
    phone::Region,
};

/// Characters of an answer that a person is shown.
const SHOWN: usize = 64 * 1024;
/// How long Google may take.
const GOOGLE: Duration = Duration::from_mins(1);

/// Where Google's sheets are asked.
#[derive(Debug, Clone)]
pub struct Google {
    /// Where links lead.
    pub docs: String,
    /// The Sheets API.
    pub api: String,
}

impl Default for Google {
    fn default() -> Self {
        Self {
            docs: "https://docs.google.com".to_owned(),
            api: "https://sheets.googleapis.com".to_owned(),
        }
    }
}

/// Who asks, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Loader<'a> {
    pub(crate) handles: &'a Handles,
    pub(crate) google: &'a Google,
    pub(crate) settings: &'a Settings,
    pub(crate) secret: &'a str,
    /// One answer is enough.
    pub(crate) test: bool,
}

/// What is known of the asking, whether it succeeded or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// The first address asked.
    pub(crate) url: String,
    /// The status of the last answer.
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    /// Bytes of all answers, unpacked.
    pub(crate) bytes: u64,
    /// The beginning of the first answer.
    pub(crate) raw: String,
    /// Arrays in the first answer, with the numbers of their elements.
    pub(crate) arrays: Vec<(String, u64)>,
    /// Keys of the first elements, or columns.
    pub(crate) keys: Vec<String>,
    /// Whether more answers follow the first.
    pub(crate) more: bool,
}

/// Where the file goes: to the disk, or nowhere when only its beginning is wanted.
pub(crate) struct Sink {
    pub(crate) writer: Option<Writer>,
    start: Vec<u8>,
    bytes: u64,
}

impl Sink {
    /// Into `writer`.
    pub(crate) fn new(writer: Option<Writer>) -> Self {
        Self { writer, start: Vec::new(), bytes: 0 }
    }

    async fn write(&mut self, piece: Vec<u8>) -> Result<(), Stop> {
        self.bytes += piece.len() as u64;
        let room = LOOK - self.start.len();
        self.start.extend_from_slice(&piece[..piece.len().min(room)]);
        match &mut self.writer {
            Some(writer) => {
                writer.write(piece).await.map_err(|error| Stop::Disk(error.to_string()))
            }
            None => Ok(()),
        }
    }
}

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The source is at fault.
    Source(SourceFault),
    /// This computer is.
    Disk(String),
}

impl From<SourceFault> for Stop {
    fn from(fault: SourceFault) -> Self {
        Self::Source(fault)
    }
}

impl From<outbound::Fault> for Stop {
    fn from(fault: outbound::Fault) -> Self {
        Self::Source(fault.into())
    }
}

impl Loader<'_> {
    /// Asks the source and writes its rows to `sink`, telling `trace` on the way.
    pub(crate) async fn load(&self, sink: &mut Sink, trace: &mut Trace) -> Result<Loaded, Stop> {
        match self.settings {
            Settings::Feed(settings) => self.feed(settings, sink, trace).await,
            Settings::Sheet(settings) => self.sheet(settings, sink, trace).await,
        }
    }

    fn outbound(&self) -> &Outbound {
        &self.handles.outbound
    }

    async fn feed(
        &self,
        settings: &FeedSettings,
        sink: &mut Sink,
        trace: &mut Trace,
    ) -> Result<Loaded, Stop> {
        let limit = Duration::from_secs(settings.timeout_s.into());
        let first = feed::first(settings)?;
        trace.url = first.to_string();
        let (mut table, mut url, mut pages) = (Table::default(), first.clone(), 0);
        let mut asked = std::collections::BTreeSet::new();
        loop {
            if pages >= MOST_PAGES || !asked.insert(url.to_string()) {
                return Err(SourceFault::new("paging_loops", json!({ "pages": pages })).into());
            }
            let mut ask = Ask::get(url.clone(), limit, MOST_PAGE);
            // A page that the feed names may lie elsewhere: the secret stays at home.
            if url.origin() == first.origin() {
                ask.headers = feed::headers(&settings.auth, self.secret);
            }
            ask.headers.push(("Accept".to_owned(), "application/json".to_owned()));
            let answer = self.outbound().ask(ask).await?;
            let links = answer.headers("link").into_iter().map(str::to_owned).collect::<Vec<_>>();
            let body = self.body(answer, trace, pages == 0).await?;
            let (page, piece);
            (table, page, piece) = self.read(settings, table, body, trace, pages == 0).await?;
            sink.write(piece).await?;
            pages += 1;
            if table.rows() >= MOST_ROWS {
                return Err(SourceFault::new("too_many_rows", json!({ "most": MOST_ROWS })).into());
            }
            match feed::next(settings, &url, pages as u64, &page, &links) {
                Some(_) if self.test => {
                    trace.more = true;
                    break;
                }
                Some(next) => url = next,
                None => break,
            }
        }
        let (columns, mapping) = table.columns(settings.keys.zone.is_some());
        Ok(Loaded {
            rows: table.rows(),
            format: FORMAT,
            columns,
            mapping,
            data_byte: 0,
            data_line: 0,
            start: std::mem::take(&mut sink.start),
            bytes: sink.bytes,
        })
    }

    /// The whole body of an answer that is one.
    async fn body(&self, answer: Answer, trace: &mut Trace, first: bool) -> Result<Vec<u8>, Stop> {
        let status = answer.status();
        trace.status = Some(status);
        trace.content_type = answer.header("content-type").map(str::to_owned);
        let body = answer.all().await?;
        trace.bytes += body.len() as u64;
        if first {
            trace.raw = shown(&body);
        }
        if !(200..300).contains(&status) {
            return Err(SourceFault::status(status).into());
        }
        if trace.bytes > MOST_BYTES {
            return Err(SourceFault::new("too_large", json!({ "bytes": MOST_BYTES })).into());
        }
        Ok(body)
    }

    /// Reads a body off the threads that serve requests.
    async fn read(
        &self,
        settings: &FeedSettings,
        table: Table,
        body: Vec<u8>,
        trace: &mut Trace,
        first: bool,
    ) -> Result<(Table, Page, Vec<u8>), Stop> {
        let settings = settings.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut table = table;
            let found = feed::read(&body, &settings, |row| table.push(&row));
            let looked = if first && let Ok(root) = super::json::parse(&body) {
                super::json::arrays(root)
            } else {
                Vec::new()
            };
            let piece = table.take();
            (table, found, looked, piece)
        });
        let (table, found, arrays, piece) =
            work.await.map_err(|error| Stop::Disk(error.to_string()))?;
        if first {
            trace.arrays = arrays;
        }
        let page = found?;
        if first {
            trace.keys.clone_from(&page.keys);
        }
        Ok((table, page, piece))
    }

    async fn sheet(
        &self,
        settings: &SheetSettings,
        sink: &mut Sink,
        trace: &mut Trace,
    ) -> Result<Loaded, Stop> {
        let sheet = Sheet::of(&settings.link).ok_or_else(|| SourceFault::bare("sheet_missing"))?;
        let mut table = Table::default();
        match settings.access {
            Access::Link => self.by_link(&sheet, sink, trace).await?,
            Access::ServiceAccount => {
                let body = self.by_account(&sheet, settings, trace).await?;
                sheet::values(&body, &mut table)?;
                sink.write(table.take()).await?;
            }
        }
        let format = Format { has_header: true, ..FORMAT };
        // A byte order mark is no part of the first title.
        let first_byte = if sink.start.starts_with(file::BOM) { file::BOM.len() } else { 0 };
        let format = Format { first_byte, ..format };
        let is_whole = sink.bytes == sink.start.len() as u64;
        let preview = file::preview(&sink.start, format, is_whole)
            .ok_or_else(|| SourceFault::bare("no_rows"))?;
        let columns = mapping::names(&preview.columns);
        trace.keys.clone_from(&columns);
        let mapping = if settings.mapping.phone.is_empty() {
            Mapping::guess(&columns, &preview.sample, Region::of(&settings.region))
        } else {
            settings.mapping.clone()
        };
        usable(&mapping, &columns)?;
        Ok(Loaded {
            rows: 0,
            format: Format { has_header: false, first_byte: 0, ..format },
            columns,
            mapping,
            data_byte: preview.data_byte,
            data_line: preview.data_line,
            start: std::mem::take(&mut sink.start),
            bytes: sink.bytes,
        })
    }

    /// What everybody sees who has the link, as a CSV that is passed on as it comes.
    async fn by_link(&self, sheet: &Sheet, sink: &mut Sink, trace: &mut Trace) -> Result<(), Stop> {
        let Sheet { id, gid } = sheet;
        let tab = gid.as_ref().map(|gid| format!("&gid={gid}")).unwrap_or_default();
        let url = format!("{}/spreadsheets/d/{id}/export?format=csv{tab}", self.google.docs);
        trace.url.clone_from(&url);
        let mut answer = self.outbound().ask(Ask::get(url, GOOGLE, MOST_BYTES)).await?;
        let status = answer.status();
        trace.status = Some(status);
        trace.content_type = answer.header("content-type").map(str::to_owned);
        if matches!(status, 401 | 403)
            || sheet::is_page(answer.header("content-type"), answer.url())
        {
            return Err(SourceFault::bare("sheet_private").into());
        }
        match status {
            200..300 => {}
            400 | 404 | 410 => return Err(SourceFault::bare("sheet_missing").into()),
            429 => return Err(SourceFault::bare("quota").into()),
            _ => return Err(SourceFault::status(status).into()),
        }
        while let Some(piece) = answer.next().await? {
            trace.bytes += piece.len() as u64;
            sink.write(piece.to_vec()).await?;
        }
        trace.raw = shown(&sink.start);
        Ok(())
    }

    /// What the service account may see.
    async fn by_account(
        &self,
        sheet: &Sheet,
        settings: &SheetSettings,
        trace: &mut Trace,
    ) -> Result<Vec<u8>, Stop> {
        let file = KeyFile::of(self.secret)?;
        let token = self.token(&file).await?;
        let tab = match (&settings.tab, &sheet.gid) {
            (tab, _) if !tab.is_empty() => tab.clone(),
            (_, Some(gid)) => self.tab(sheet, gid, &token).await?,
            // Without a tab the API takes a range of the first one.
            (_, None) => String::new(),
        };
        let range = if tab.is_empty() {
            "A:GR".to_owned()
        } else {
            // A name in quotation marks is never taken for a cell.
            format!("'{}'!A:GR", tab.replace('\'', "''"))
        };
        let mut url = Url::parse(&self.google.api).map_err(|_| SourceFault::bare("not_a_url"))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v4", "spreadsheets", &sheet.id, "values", &range]);
        }
        url.set_query(Some("majorDimension=ROWS&valueRenderOption=FORMATTED_VALUE"));
        trace.url = url.to_string();
        let body = self.api(url, &token, trace).await?;
        trace.raw = shown(&body);
        Ok(body)
    }

    async fn token(&self, file: &KeyFile) -> Result<String, Stop> {
        let assertion = file.assertion(self.handles.clock.now())?;
        let form = [("grant_type", GRANT), ("assertion", &assertion)];
        let mut ask = Ask::get(file.token_uri.clone(), GOOGLE, MOST_PAGE);
        ask.form = Some(form.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        let answer = self.outbound().ask(ask).await?;
        let status = answer.status();
        let body = answer.all().await?;
        if matches!(status, 400 | 401 | 403) {
            return Err(SourceFault::bare("key_refused").into());
        }
        if !(200..300).contains(&status) {
            return Err(SourceFault::status(status).into());
        }
        let token: Token =
            serde_json::from_slice(&body).map_err(|_| SourceFault::bare("key_refused"))?;
        Ok(token.access_token)
    }

    /// The name of the tab with a number.
    async fn tab(&self, sheet: &Sheet, gid: &str, token: &str) -> Result<String, Stop> {
        let mut url = Url::parse(&self.google.api).map_err(|_| SourceFault::bare("not_a_url"))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v4", "spreadsheets", &sheet.id]);
        }
        url.set_query(Some("fields=sheets.properties"));
        let body = self.api(url, token, &mut Trace::default()).await?;
        let found: Tabs =
            serde_json::from_slice(&body).map_err(|_| SourceFault::bare("tab_missing"))?;
        let mut tabs = found.sheets.into_iter().map(|tab| tab.properties);
        let tab = tabs.find(|tab| tab.sheet_id.to_string() == gid);
        Ok(tab.map(|tab| tab.title).ok_or_else(|| SourceFault::bare("tab_missing"))?)
    }

    async fn api(&self, url: Url, token: &str, trace: &mut Trace) -> Result<Vec<u8>, Stop> {
        let mut ask = Ask::get(url, GOOGLE, MOST_PAGE * 2);
        ask.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        let answer = self.outbound().ask(ask).await?;
        let status = answer.status();
        trace.status = Some(status);
        trace.content_type = answer.header("content-type").map(str::to_owned);
        let body = answer.all().await?;
        trace.bytes += body.len() as u64;
        match status {
            200..300 => Ok(body),
            // A tab that is not there is a range that cannot be parsed.
            400 => Err(SourceFault::bare("tab_missing").into()),
            401 | 403 => Err(SourceFault::bare("sheet_private").into()),
            404 => Err(SourceFault::bare("sheet_missing").into()),
            429 => Err(SourceFault::bare("quota").into()),
            _ => Err(SourceFault::status(status).into()),
        }
    }
}

#[derive(serde::Deserialize)]
struct Tabs {
    #[serde(default)]
    sheets: Vec<Tab>,
}

#[derive(serde::Deserialize)]
struct Tab {
    properties: Properties,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    sheet_id: i64,
    title: String,
}

/// Says which column is missing, when one is.
fn usable(mapping: &Mapping, columns: &[String]) -> Result<(), SourceFault> {
    match mapping.places(columns) {
        Ok(_) => Ok(()),
        Err(Fault::NoPhone) => {
            Err(SourceFault::new("no_phone_column", json!({ "found": columns.join(", ") })))
        }
        Err(
            Fault::NoSuchColumn { field } | Fault::UsedTwice { field } | Fault::BadKey { field },
        ) => {
            let named = named(mapping, &field);
            Err(SourceFault::new(
                "column_missing",
                json!({ "column": named, "found": columns.join(", ") }),
            ))
        }
        Err(Fault::TooMany { field, .. }) => {
            Err(SourceFault::new("column_missing", json!({ "column": field, "found": "" })))
        }
    }
}

/// The column that a field of the mapping names.
fn named(mapping: &Mapping, field: &str) -> String {
    let one = match field {
        "id" => mapping.id.clone(),
        "name" => mapping.name.clone(),
        "zone" => mapping.zone.clone(),
        _ => None,
    };
    let in_phone = || {
        let at: usize = field.strip_prefix("phone[")?.strip_suffix(']')?.parse().ok()?;
        mapping.phone.get(at).cloned()
    };
    let in_variables = || field.strip_prefix("variables.").map(str::to_owned);
    one.or_else(in_phone).or_else(in_variables).unwrap_or_else(|| field.to_owned())
}

fn shown(body: &[u8]) -> String {
    // A character that is cut in two is no error of the source.
    let mut text = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned();
    text.retain(|c| c != '\0');
    text
}
