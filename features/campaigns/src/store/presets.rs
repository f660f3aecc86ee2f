//! Calendars and attempt rules: what campaigns choose by name.

use base::{
    Id, Timestamp,
    kind::{Account, AttemptRule, Calendar, Campaign},
};
use calendar::{Exception, WeeklyHours, Zone};
use db::{Error, Result, Tx, args, record, sql};
use serde_json::Value;

use super::{as_json, document, word};
use crate::setup::Attempts;

/// More of a sort are not listed, nor made.
pub(crate) const MOST: i64 = 500;

record! {
    struct RawCalendar {
        id: Id<Calendar>,
        name: String,
        notes: String,
        zone: String,
        week: Value,
        exceptions: Value,
        version: i64,
        updated_at: Timestamp,
    }
}

/// A calendar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CalendarRow {
    pub(crate) id: Id<Calendar>,
    pub(crate) name: String,
    pub(crate) notes: String,
    pub(crate) zone: Zone,
    pub(crate) week: WeeklyHours,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) version: i64,
    pub(crate) updated_at: Timestamp,
}

impl CalendarRow {
    fn read(raw: RawCalendar) -> Result<Self> {
        Ok(Self {
            id: raw.id,
            name: raw.name,
            notes: raw.notes,
            zone: word(&raw.zone)?,
            week: document(raw.week)?,
            exceptions: document(raw.exceptions)?,
            version: raw.version,
            updated_at: raw.updated_at,
        })
    }
}

/// Every calendar, by name.
pub(crate) async fn calendars(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<CalendarRow>> {
    let rows: Vec<RawCalendar> = tx
        .all(
            sql!(
                "SELECT id, name, notes, zone, week, exceptions, version, updated_at
                 FROM calendar WHERE account = $1 ORDER BY name_key LIMIT $2"
            ),
            args![account, MOST],
        )
        .await?;
    rows.into_iter().map(CalendarRow::read).collect()
}

/// One calendar; on PostgreSQL its row is locked, so that a campaign does not choose what is just
/// being changed.
pub(crate) async fn calendar(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Calendar>,
) -> Result<CalendarRow> {
    let select = tx.pick(
        sql!(sqlite: "SELECT id, name, notes, zone, week, exceptions, version, updated_at
                      FROM calendar WHERE account = $1 AND id = $2"),
        sql!(pg: "SELECT id, name, notes, zone, week, exceptions, version, updated_at
                  FROM calendar WHERE account = $1 AND id = $2 FOR UPDATE"),
    );
    CalendarRow::read(tx.one(select, args![account, id]).await?)
}

/// Makes a calendar, or writes it under the next version. False when the name is another's.
pub(crate) async fn put_calendar(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    row: &CalendarRow,
) -> Result<bool> {
    let taken: Option<(i64,)> = tx
        .opt(
            sql!("SELECT id FROM calendar WHERE account = $1 AND name_key = $2 AND id <> $3"),
            args![account, row.name.to_lowercase(), row.id],
        )
        .await?;
    if taken.is_some() {
        return Ok(false);
    }
    tx.exec(
        sql!(
            "INSERT INTO calendar (id, account, name, name_key, notes, zone, week, exceptions,
               version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
               notes = excluded.notes, zone = excluded.zone, week = excluded.week,
               exceptions = excluded.exceptions, version = calendar.version + 1,
               updated_at = excluded.updated_at"
        ),
        args![
            row.id,
            account,
            &row.name,
            row.name.to_lowercase(),
            &row.notes,
            row.zone.name(),
            as_json(&row.week)?,
            as_json(&row.exceptions)?,
            row.updated_at
        ],
    )
    .await?;
    Ok(true)
}

/// Deletes a calendar; campaigns that are over, and deleted ones, keep their copies.
pub(crate) async fn delete_calendar(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Calendar>,
) -> Result<()> {
    let gone = tx
        .exec(sql!("DELETE FROM calendar WHERE account = $1 AND id = $2"), args![account, id])
        .await?;
    if gone == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// A campaign that is not over and uses a preset.
pub(crate) type User = (Id<Campaign>, String);

/// The campaigns that go by a calendar and are not over.
pub(crate) async fn users_of_calendar(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Calendar>,
) -> Result<Vec<User>> {
    tx.all(
        sql!(
            "SELECT id, name FROM campaign
             WHERE account = $1 AND calendar = $2 AND deleted_at IS NULL
               AND state IN ('draft', 'running', 'paused') ORDER BY id LIMIT 1000"
        ),
        args![account, id],
    )
    .await
}

record! {
    struct RawRule {
        id: Id<AttemptRule>,
        name: String,
        body: Value,
        version: i64,
        updated_at: Timestamp,
    }
}

/// An attempt rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleRow {
    pub(crate) id: Id<AttemptRule>,
    pub(crate) name: String,
    pub(crate) body: Attempts,
    pub(crate) version: i64,
    pub(crate) updated_at: Timestamp,
}

impl RuleRow {
    fn read(raw: RawRule) -> Result<Self> {
        let RawRule { id, name, body, version, updated_at } = raw;
        Ok(Self { id, name, body: document(body)?, version, updated_at })
    }
}

/// Every attempt rule, by name.
pub(crate) async fn rules(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<RuleRow>> {
    let rows: Vec<RawRule> = tx
        .all(
            sql!(
                "SELECT id, name, body, version, updated_at FROM attempt_rule
                 WHERE account = $1 ORDER BY name_key LIMIT $2"
            ),
            args![account, MOST],
        )
        .await?;
    rows.into_iter().map(RuleRow::read).collect()
}

/// One attempt rule, locked as a calendar is.
pub(crate) async fn rule(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<AttemptRule>,
) -> Result<RuleRow> {
    let select = tx.pick(
        sql!(sqlite: "SELECT id, name, body, version, updated_at FROM attempt_rule
                      WHERE account = $1 AND id = $2"),
        sql!(pg: "SELECT id, name, body, version, updated_at FROM attempt_rule
                  WHERE account = $1 AND id = $2 FOR UPDATE"),
    );
    RuleRow::read(tx.one(select, args![account, id]).await?)
}

/// Makes a rule, or writes it under the next version. False when the name is another's.
pub(crate) async fn put_rule(tx: &mut Tx<'_>, account: Id<Account>, row: &RuleRow) -> Result<bool> {
    let taken: Option<(i64,)> = tx
        .opt(
            sql!("SELECT id FROM attempt_rule WHERE account = $1 AND name_key = $2 AND id <> $3"),
            args![account, row.name.to_lowercase(), row.id],
        )
        .await?;
    if taken.is_some() {
        return Ok(false);
    }
    tx.exec(
        sql!(
            "INSERT INTO attempt_rule (id, account, name, name_key, body, version, created_at,
               updated_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
               body = excluded.body, version = attempt_rule.version + 1,
               updated_at = excluded.updated_at"
        ),
        args![
            row.id,
            account,
            &row.name,
            row.name.to_lowercase(),
            as_json(&row.body)?,
            row.updated_at
        ],
    )
    .await?;
    Ok(true)
}

/// Deletes a rule.
pub(crate) async fn delete_rule(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<AttemptRule>,
) -> Result<()> {
    let gone = tx
        .exec(sql!("DELETE FROM attempt_rule WHERE account = $1 AND id = $2"), args![account, id])
        .await?;
    if gone == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// The campaigns that go by a rule and are not over.
pub(crate) async fn users_of_rule(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<AttemptRule>,
) -> Result<Vec<User>> {
    tx.all(
        sql!(
            "SELECT id, name FROM campaign
             WHERE account = $1 AND attempt_rule = $2 AND deleted_at IS NULL
               AND state IN ('draft', 'running', 'paused') ORDER BY id LIMIT 1000"
        ),
        args![account, id],
    )
    .await
}
