//! One unit of an import: up to 500 rows of the file, merged into the list in one transaction
//! together with the cursor.

use std::collections::{BTreeMap, BTreeSet};

use base::{Id, PhoneNumber, Timestamp, fact::ListChanged, kind};
use clock::Ids;
use db::{Error, Keyed, Result, Tx, args, outbox, record, sql};
use serde::Serialize;
use serde_json::Value;

use super::contacts::search_text;
use crate::{
    contact::Candidate,
    merge::{Known, Verdict, merge},
    reason::Reason,
};

/// Rejected rows that an import keeps; more are counted only.
const MOST_KEPT: i64 = 10_000;
/// Characters of a cell that are kept of a rejected row.
const KEPT_CELL: usize = 500;

/// A row of the unit, read.
pub(crate) struct UnitRow {
    /// Where it begins in the file.
    pub(crate) line: u64,
    /// Its cells, for the file of rejected rows.
    pub(crate) cells: Vec<String>,
    /// The contact that it is, or why it is none.
    pub(crate) read: Result<Candidate, Reason>,
}

/// Up to 500 rows and where they lie in the file.
pub(crate) struct Unit {
    pub(crate) account: Id<kind::Account>,
    pub(crate) list: Id<kind::ContactList>,
    pub(crate) import: Id<kind::Import>,
    /// How new contacts came in.
    pub(crate) source: String,
    /// The cursor that this unit goes on from.
    pub(crate) first_byte: i64,
    /// The cursor behind it.
    pub(crate) next_byte: i64,
    pub(crate) next_line: i64,
    /// Whether the file ends here.
    pub(crate) is_last: bool,
    pub(crate) rows: Vec<UnitRow>,
}

/// Where the unit's new contacts come from.
struct Origin {
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    import: Id<kind::Import>,
    source: String,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is part of the list.
    Done,
    /// The import stands elsewhere than where the unit begins: it was cancelled, its list was
    /// deleted, or another worker was quicker. Nothing was changed.
    Stale,
}

record! {
    struct KnownRow {
        id: Id<kind::ListContact>,
        external_id: Option<String>,
        name: String,
        zone: Option<String>,
        variables: Value,
        import: Id<kind::Import>,
    }
}

/// Merges the unit into its list.
pub(crate) async fn apply(
    tx: &mut Tx<'_>,
    ids: &Ids,
    unit: Unit,
    now: Timestamp,
) -> Result<Applied> {
    if !claim(tx, &unit).await? {
        return Ok(Applied::Stale);
    }
    let mut rows = Vec::with_capacity(unit.rows.len());
    let mut candidates = Vec::with_capacity(unit.rows.len());
    for row in unit.rows {
        match row.read {
            Ok(candidate) => {
                rows.push((row.line, row.cells, None));
                candidates.push(candidate);
            }
            Err(reason) => rows.push((row.line, row.cells, Some(reason))),
        }
    }
    let Unit { account, list, import, source, .. } = unit;
    let origin = Origin { account, list, import, source };
    let found = find(tx, &origin, &candidates).await?;
    let verdicts = merge(found.known, &candidates, || ids.next());
    let mut sums = Sums { rows: rows.len() as i64, ..Sums::default() };
    let mut kept = Vec::new();
    let mut judged = candidates.iter().zip(&verdicts);
    for (line, cells, reason) in rows {
        let reason = match reason {
            Some(reason) => {
                sums.rejected += 1;
                Some(reason)
            }
            None => judged.next().and_then(|(row, verdict)| sums.note(row, verdict)),
        };
        kept.extend(reason.map(|reason| (line, reason, cells)));
    }
    let mut changes = Changes::default();
    for (row, verdict) in candidates.iter().zip(verdicts) {
        changes.take(row, verdict, &found.forbidden, &found.forbidden_before)?;
    }
    let effect = changes.store(tx, &origin, now).await?;
    let kept = keep_rows(tx, account, import, kept).await?;
    let version = count_list(tx, account, list, &effect, now).await?;
    let cursor = (unit.next_byte, unit.next_line, unit.is_last);
    advance(tx, account, import, cursor, &sums, kept, now).await?;
    if effect.contacts_touched > 0 {
        let subject = format!("{}:{list}", ListChanged::SUBJECT);
        let fact = ListChanged { list };
        outbox::put(tx, ids, account, &subject, version, &fact).await?;
    }
    Ok(Applied::Done)
}

/// Takes the import's row, and with it the right to go on from the unit's first byte.
async fn claim(tx: &mut Tx<'_>, unit: &Unit) -> Result<bool> {
    let claimed = tx
        .exec(
            sql!(
                "UPDATE import SET next_byte = $4
                 WHERE account = $1 AND id = $2 AND state = 'running' AND next_byte = $3"
            ),
            args![unit.account, unit.import, unit.first_byte, unit.next_byte],
        )
        .await?;
    if claimed == 0 {
        return Ok(false);
    }
    // The list's row too: two imports into one list then wait for each other.
    let there = tx
        .exec(
            sql!(
                "UPDATE contact_list SET version = version + 1
                 WHERE account = $1 AND id = $2 AND deleted_at IS NULL"
            ),
            args![unit.account, unit.list],
        )
        .await?;
    // The error undoes the claim: the list is being deleted, and the import with it.
    if there == 1 { Ok(true) } else { Err(Error::NotFound) }
}

/// What the database knows of the rows of a unit.
#[derive(Default)]
struct Found {
    /// The contacts of the list that share an external id or a first number with the rows.
    known: Vec<Known>,
    /// The numbers of the rows that this list's contacts may not be called at.
    forbidden: BTreeSet<String>,
    /// How many such numbers the known contacts have.
    forbidden_before: BTreeMap<Id<kind::ListContact>, i64>,
}

async fn find(tx: &mut Tx<'_>, origin: &Origin, rows: &[Candidate]) -> Result<Found> {
    let Origin { account, list, import, .. } = *origin;
    let (mut external_ids, mut phones) = (Keyed::default(), Keyed::default());
    for row in rows {
        if let Some(id) = &row.external_id {
            external_ids.key(id)?;
        }
        for phone in &row.phones {
            phones.key(&phone.number)?;
        }
    }
    let mut found = Found::default();
    // Both queries give a contact that shares both.
    let mut ids = BTreeSet::new();
    // One look into the index for each key: as a join, the planner of PostgreSQL, which knows
    // nothing of a list that grows under it, compares every key with every contact.
    let by_external_id: Vec<(Id<kind::ListContact>,)> = tx
        .all(
            sql!(
                "SELECT id FROM (
                   SELECT (SELECT c.id FROM list_contact c
                           WHERE c.account = $1 AND c.list = $2 AND c.external_id = k.key) AS id
                   FROM json_each($3) k) f
                 WHERE id IS NOT NULL"
            ),
            args![account, list, external_ids],
        )
        .await?;
    ids.extend(by_external_id.into_iter().map(|(id,)| id));
    // A number that is not the first of its row may be the first of a contact. Such a contact is
    // found for nothing.
    let by_phone: Vec<(String, Option<Id<kind::ListContact>>, bool)> = tx
        .all(
            sql!(
                "SELECT phone, id, forbidden FROM (
                   SELECT k.key AS phone,
                     (SELECT c.id FROM list_contact c
                      WHERE c.account = $1 AND c.list = $2 AND c.first_phone = k.key) AS id,
                     EXISTS (SELECT 1 FROM do_not_call_entry d
                      WHERE d.account = $1 AND d.phone = k.key AND d.lifted_at IS NULL
                      AND (d.scope = 'account' OR (d.scope = 'list' AND d.target = $2)))
                     AS forbidden
                   FROM json_each($3) k) f
                 WHERE id IS NOT NULL OR forbidden"
            ),
            args![account, list, phones],
        )
        .await?;
    for (phone, id, forbidden) in by_phone {
        ids.extend(id);
        if forbidden {
            found.forbidden.insert(phone);
        }
    }
    if !ids.is_empty() {
        recall(tx, import, ids, &mut found).await?;
    }
    Ok(found)
}

/// Reads the contacts with these ids.
async fn recall(
    tx: &mut Tx<'_>,
    import: Id<kind::Import>,
    ids: BTreeSet<Id<kind::ListContact>>,
    found: &mut Found,
) -> Result<()> {
    let mut keys = Keyed::default();
    for id in ids {
        keys.key(id)?;
    }
    let rows: Vec<KnownRow> = tx
        .all(
            sql!(
                "SELECT id, external_id, name, zone, variables, import FROM list_contact
                 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
            ),
            args![&keys],
        )
        .await?;
    let numbers: Vec<(Id<kind::ListContact>, PhoneNumber, bool)> = tx
        .all(
            sql!(
                "SELECT n.contact, n.phone,
                   EXISTS (SELECT 1 FROM do_not_call_entry d
                     WHERE d.account = n.account AND d.phone = n.phone AND d.lifted_at IS NULL
                     AND (d.scope = 'account' OR (d.scope = 'list' AND d.target = n.list)))
                 FROM list_number n
                 WHERE n.contact IN (SELECT CAST(key AS BIGINT) FROM json_each($1))
                 ORDER BY n.contact, n.ordinal"
            ),
            args![keys],
        )
        .await?;
    let mut phones = BTreeMap::<_, Vec<_>>::new();
    for (contact, phone, forbidden) in numbers {
        phones.entry(contact).or_default().push(phone);
        if forbidden {
            *found.forbidden_before.entry(contact).or_default() += 1;
        }
    }
    for row in rows {
        found.known.push(Known {
            phones: phones.remove(&row.id).unwrap_or_default(),
            variables: serde_json::from_value(row.variables)
                .map_err(|error| Error::Decode(error.to_string()))?,
            id: row.id,
            external_id: row.external_id,
            name: row.name,
            zone: row.zone,
            seen: row.import == import,
        });
    }
    Ok(())
}

/// What the unit adds to the import's figures.
#[derive(Default)]
struct Sums {
    rows: i64,
    added: i64,
    updated: i64,
    unchanged: i64,
    duplicates: i64,
    rejected: i64,
    warnings: i64,
}

impl Sums {
    /// Counts a row, and tells the reason under which it is kept.
    fn note(&mut self, row: &Candidate, verdict: &Verdict) -> Option<Reason> {
        match verdict {
            Verdict::Add(_) => self.added += 1,
            Verdict::Change(_) => self.updated += 1,
            Verdict::Same(_) => self.unchanged += 1,
            Verdict::Refuse(reason) => {
                if matches!(reason, Reason::DuplicateId | Reason::DuplicatePhone) {
                    self.duplicates += 1;
                } else {
                    self.rejected += 1;
                }
                return Some(*reason);
            }
        }
        if row.phone_lost {
            self.warnings += 1;
            return Some(Reason::ExtraPhone);
        }
        None
    }
}

/// Rows to be written, by the contact's id.
#[derive(Default)]
struct Changes {
    added: Keyed,
    changed: Keyed,
    same: Keyed,
    numbers: Keyed,
    /// By how many the list's numbers that may not be called become more.
    do_not_call: i64,
}

/// A contact as its statements take it.
#[derive(Serialize)]
struct ContactValue<'a> {
    external_id: Option<&'a str>,
    name: &'a str,
    first_phone: &'a str,
    zone: Option<&'a str>,
    variables: &'a BTreeMap<String, String>,
    search: String,
}

/// A number of a contact as its statement takes it.
#[derive(Serialize)]
struct NumberValue<'a> {
    contact: Id<kind::ListContact>,
    ordinal: usize,
    phone: &'a str,
    kind: &'static str,
}

/// What the unit did to the list's counters.
struct Effect {
    contacts_touched: i64,
    contacts: i64,
    numbers: i64,
    do_not_call: i64,
}

impl Changes {
    fn take(
        &mut self,
        row: &Candidate,
        verdict: Verdict,
        forbidden: &BTreeSet<String>,
        before: &BTreeMap<Id<kind::ListContact>, i64>,
    ) -> Result<()> {
        let id = match verdict {
            Verdict::Add(id) => {
                let (external_id, zone) = (row.external_id.as_deref(), row.zone.as_deref());
                let name = row.name.as_deref().unwrap_or_default();
                let contact = ContactValue::new(row, external_id, name, zone, &row.variables);
                self.added.put(id, &contact)?;
                id
            }
            Verdict::Change(Known { id, external_id, name, zone, variables, .. }) => {
                let (external_id, zone) = (external_id.as_deref(), zone.as_deref());
                let contact = ContactValue::new(row, external_id, &name, zone, &variables);
                self.changed.put(id, &contact)?;
                self.do_not_call -= before.get(&id).copied().unwrap_or_default();
                id
            }
            Verdict::Same(id) => return self.same.key(id),
            Verdict::Refuse(_) => return Ok(()),
        };
        for (ordinal, phone) in row.phones.iter().enumerate() {
            let (kind, phone) = (phone.kind.as_str(), phone.number.as_str());
            self.do_not_call += i64::from(forbidden.contains(phone));
            self.numbers.put(ordinal, &NumberValue { contact: id, ordinal, phone, kind })?;
        }
        Ok(())
    }

    async fn store(self, tx: &mut Tx<'_>, origin: &Origin, now: Timestamp) -> Result<Effect> {
        let Origin { account, list, import, .. } = *origin;
        let contacts = self.added.len() as i64;
        let contacts_touched = contacts + self.changed.len() as i64;
        let (numbers, do_not_call) = (self.numbers.len() as i64, self.do_not_call);
        let numbers_before = change(tx, import, self.changed, now).await?;
        add(tx, origin, self.added, now).await?;
        if !self.same.is_empty() {
            tx.exec(
                sql!(
                    "UPDATE list_contact SET import = $1
                     WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))"
                ),
                args![import, self.same],
            )
            .await?;
        }
        tx.exec(
            sql!(
                "INSERT INTO list_number (account, list, contact, ordinal, phone, kind)
                 SELECT $1, $2, CAST(value ->> 'contact' AS BIGINT),
                        CAST(value ->> 'ordinal' AS BIGINT), value ->> 'phone', value ->> 'kind'
                 FROM json_each($3)"
            ),
            args![account, list, self.numbers],
        )
        .await?;
        Ok(Effect { contacts_touched, contacts, numbers: numbers - numbers_before, do_not_call })
    }
}

impl<'a> ContactValue<'a> {
    fn new(
        row: &'a Candidate,
        external_id: Option<&'a str>,
        name: &'a str,
        zone: Option<&'a str>,
        variables: &'a BTreeMap<String, String>,
    ) -> Self {
        let phones = row.phones.iter().map(|phone| phone.number.digits());
        Self {
            external_id,
            name,
            first_phone: row.first_phone(),
            zone,
            variables,
            search: search_text(external_id, name, phones),
        }
    }
}

/// Brings known contacts up to date, takes their numbers away, and tells how many these were.
async fn change(
    tx: &mut Tx<'_>,
    import: Id<kind::Import>,
    contacts: Keyed,
    now: Timestamp,
) -> Result<i64> {
    if contacts.is_empty() {
        return Ok(0);
    }
    let removed = tx
        .exec(
            sql!(
                "DELETE FROM list_number
                 WHERE contact IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
            ),
            args![&contacts],
        )
        .await?;
    // Two contacts may exchange ids or numbers, and unique keys are checked row by row: each lets
    // go of its own first.
    tx.exec(
        sql!(
            "UPDATE list_contact SET external_id = NULL, first_phone = CAST(id AS TEXT)
             WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
        ),
        args![&contacts],
    )
    .await?;
    tx.exec(
        sql!(
            "UPDATE list_contact
             SET external_id = value ->> 'external_id', name = value ->> 'name',
                 first_phone = value ->> 'first_phone', zone = value ->> 'zone',
                 variables = value -> 'variables', search = value ->> 'search',
                 import = $2, updated_at = $3
             FROM json_each($1) WHERE list_contact.id = CAST(key AS BIGINT)"
        ),
        args![contacts, import, now],
    )
    .await?;
    Ok(removed as i64)
}

async fn add(tx: &mut Tx<'_>, origin: &Origin, contacts: Keyed, now: Timestamp) -> Result<()> {
    let Origin { account, list, import, ref source } = *origin;
    tx.exec(
        sql!(
            "INSERT INTO list_contact (id, account, list, external_id, name, first_phone, zone,
                                       variables, source, import, search, created_at, updated_at)
             SELECT CAST(key AS BIGINT), $1, $2, value ->> 'external_id', value ->> 'name',
                    value ->> 'first_phone', value ->> 'zone', value -> 'variables', $6, $3,
                    value ->> 'search', $4, $4
             FROM json_each($5)"
        ),
        args![account, list, import, now, contacts, source.as_str()],
    )
    .await
    .map(drop)
}

/// A row that is kept, as its statement takes it.
#[derive(Serialize)]
struct KeptRow {
    reason: &'static str,
    cells: Vec<String>,
}

/// Keeps rows with their reasons, as long as there is room, and tells how many.
async fn keep_rows(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    import: Id<kind::Import>,
    rows: Vec<(u64, Reason, Vec<String>)>,
) -> Result<i64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let (kept,): (i64,) = tx
        .one(sql!("SELECT kept FROM import WHERE account = $1 AND id = $2"), args![account, import])
        .await?;
    let mut values = Keyed::default();
    // Rows come in the order of the file.
    for (line, reason, mut cells) in rows.into_iter().take((MOST_KEPT - kept).max(0) as usize) {
        for cell in &mut cells {
            if let Some((end, _)) = cell.char_indices().nth(KEPT_CELL) {
                cell.truncate(end);
            }
        }
        values.put(line, &KeptRow { reason: reason.code(), cells })?;
    }
    let count = values.len() as i64;
    tx.exec(
        sql!(
            "INSERT INTO import_row (account, import, line, reason, cells)
             SELECT $1, $2, CAST(key AS BIGINT), value ->> 'reason', value -> 'cells'
             FROM json_each($3)"
        ),
        args![account, import, values],
    )
    .await?;
    Ok(count)
}

/// Brings the list's counters up to date and tells its version.
async fn count_list(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    effect: &Effect,
    now: Timestamp,
) -> Result<i64> {
    let (version,): (i64,) = tx
        .one(
            sql!(
                "UPDATE contact_list
                 SET contacts = contacts + $3, numbers = numbers + $4,
                     do_not_call = do_not_call + $5, updated_at = $6
                 WHERE account = $1 AND id = $2
                 RETURNING version"
            ),
            args![account, list, effect.contacts, effect.numbers, effect.do_not_call, now],
        )
        .await?;
    Ok(version)
}

/// Moves the cursor, adds to the figures, and ends the import with its last unit.
async fn advance(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    import: Id<kind::Import>,
    (next_byte, next_line, is_last): (i64, i64, bool),
    sums: &Sums,
    kept: i64,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE import
             SET next_byte = $3, next_line = $4, row_count = row_count + $5, added = added + $6,
                 updated = updated + $7, unchanged = unchanged + $8,
                 duplicates = duplicates + $9, rejected = rejected + $10,
                 warnings = warnings + $11, kept = kept + $12,
                 state = CASE WHEN $13 THEN 'done' ELSE state END,
                 finished_at = CASE WHEN $13 THEN $14 ELSE finished_at END
             WHERE account = $1 AND id = $2"
        ),
        args![
            account,
            import,
            next_byte,
            next_line,
            sums.rows,
            sums.added,
            sums.updated,
            sums.unchanged,
            sums.duplicates,
            sums.rejected,
            sums.warnings,
            kept,
            is_last,
            now
        ],
    )
    .await
    .map(drop)
}
