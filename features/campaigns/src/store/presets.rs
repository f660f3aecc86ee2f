//! Calendars and attempt rules: what campaigns choose by name.

use base::{
    Id, Timestamp,
    kind::{Account, AttemptRule, Calendar, Campaign},
};
use calendar::{Exception, WeeklyHours, Zone};
use db::{Error, FromRow, Result, Tx, Value as Stored, args, record, sql};
use serde_json::Value;

use super::{as_json, document, word};
use crate::setup::Attempts;

/// More of a sort are not listed, nor made.
pub(crate) const MOST: i64 = 500;

/// A sort of preset: what its table's texts are, and how its rows are read and written.
pub(crate) trait Preset: Sized + Send + Sync + 'static {
    type Kind;
    type Raw: FromRow + Send;

    /// Those of an account (`$1`) by name, so many at the most (`$2`).
    const ALL: &'static str;
    /// The id of another one than `$3` whose name is `$2` in lower case.
    const TAKEN: &'static str;
    /// Makes one, or writes it under the next version; see [`Preset::stored`].
    const PUT: &'static str;
    const DELETE: &'static str;
    /// The campaigns that go by one and are not over.
    const USERS: &'static str;

    /// One of an account (`$1`) by id (`$2`); on PostgreSQL its row is locked.
    fn one(tx: &Tx<'_>) -> &'static str;
    fn read(raw: Self::Raw) -> Result<Self>;
    fn id(&self) -> Id<Self::Kind>;
    fn name(&self) -> &str;
    /// The values for [`Preset::PUT`].
    fn stored(&self, account: Id<Account>) -> Result<Vec<Stored>>;
}

/// Every one of a sort, by name.
pub(crate) async fn all<P: Preset>(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Vec<P>> {
    let rows: Vec<P::Raw> = tx.all(P::ALL, args![account, MOST]).await?;
    rows.into_iter().map(P::read).collect()
}

/// One preset; on PostgreSQL its row is locked, so that a campaign does not choose what is just
/// being changed.
pub(crate) async fn one<P: Preset>(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<P::Kind>,
) -> Result<P> {
    let select = P::one(tx);
    P::read(tx.one(select, args![account, id]).await?)
}

/// Makes a preset, or writes it under the next version. False when the name is another's.
pub(crate) async fn put<P: Preset>(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    preset: &P,
) -> Result<bool> {
    let name = preset.name().to_lowercase();
    let taken: Option<(i64,)> = tx.opt(P::TAKEN, args![account, name, preset.id()]).await?;
    if taken.is_some() {
        return Ok(false);
    }
    tx.exec(P::PUT, &preset.stored(account)?).await?;
    Ok(true)
}

/// Deletes a preset; campaigns that are over, and deleted ones, keep their copies.
pub(crate) async fn delete<P: Preset>(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<P::Kind>,
) -> Result<()> {
    let gone = tx.exec(P::DELETE, args![account, id]).await?;
    if gone == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// A campaign that is not over and uses a preset.
pub(crate) type User = (Id<Campaign>, String);

/// The campaigns that go by a preset and are not over.
pub(crate) async fn users<P: Preset>(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<P::Kind>,
) -> Result<Vec<User>> {
    tx.all(P::USERS, args![account, id]).await
}

record! {
    pub(crate) struct RawCalendar {
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

impl Preset for CalendarRow {
    type Kind = Calendar;
    type Raw = RawCalendar;

    const ALL: &'static str = sql!(
        "SELECT id, name, notes, zone, week, exceptions, version, updated_at
         FROM calendar WHERE account = $1 ORDER BY name_key LIMIT $2"
    );
    const TAKEN: &'static str =
        sql!("SELECT id FROM calendar WHERE account = $1 AND name_key = $2 AND id <> $3");
    const PUT: &'static str = sql!(
        "INSERT INTO calendar (id, account, name, name_key, notes, zone, week, exceptions,
           version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
           notes = excluded.notes, zone = excluded.zone, week = excluded.week,
           exceptions = excluded.exceptions, version = calendar.version + 1,
           updated_at = excluded.updated_at"
    );
    const DELETE: &'static str = sql!("DELETE FROM calendar WHERE account = $1 AND id = $2");
    const USERS: &'static str = sql!(
        "SELECT id, name FROM campaign
         WHERE account = $1 AND calendar = $2 AND deleted_at IS NULL
           AND state IN ('draft', 'running', 'paused') ORDER BY id LIMIT 1000"
    );

    fn one(tx: &Tx<'_>) -> &'static str {
        tx.pick(
            sql!(sqlite: "SELECT id, name, notes, zone, week, exceptions, version, updated_at
                          FROM calendar WHERE account = $1 AND id = $2"),
            sql!(pg: "SELECT id, name, notes, zone, week, exceptions, version, updated_at
                      FROM calendar WHERE account = $1 AND id = $2 FOR UPDATE"),
        )
    }

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

    fn id(&self) -> Id<Calendar> {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn stored(&self, account: Id<Account>) -> Result<Vec<Stored>> {
        let values = args![
            self.id,
            account,
            &self.name,
            self.name.to_lowercase(),
            &self.notes,
            self.zone.name(),
            as_json(&self.week)?,
            as_json(&self.exceptions)?,
            self.updated_at
        ];
        Ok(values.to_vec())
    }
}

record! {
    pub(crate) struct RawRule {
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

impl Preset for RuleRow {
    type Kind = AttemptRule;
    type Raw = RawRule;

    const ALL: &'static str = sql!(
        "SELECT id, name, body, version, updated_at FROM attempt_rule
         WHERE account = $1 ORDER BY name_key LIMIT $2"
    );
    const TAKEN: &'static str =
        sql!("SELECT id FROM attempt_rule WHERE account = $1 AND name_key = $2 AND id <> $3");
    const PUT: &'static str = sql!(
        "INSERT INTO attempt_rule (id, account, name, name_key, body, version, created_at,
           updated_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
           body = excluded.body, version = attempt_rule.version + 1,
           updated_at = excluded.updated_at"
    );
    const DELETE: &'static str = sql!("DELETE FROM attempt_rule WHERE account = $1 AND id = $2");
    const USERS: &'static str = sql!(
        "SELECT id, name FROM campaign
         WHERE account = $1 AND attempt_rule = $2 AND deleted_at IS NULL
           AND state IN ('draft', 'running', 'paused') ORDER BY id LIMIT 1000"
    );

    fn one(tx: &Tx<'_>) -> &'static str {
        tx.pick(
            sql!(sqlite: "SELECT id, name, body, version, updated_at FROM attempt_rule
                          WHERE account = $1 AND id = $2"),
            sql!(pg: "SELECT id, name, body, version, updated_at FROM attempt_rule
                      WHERE account = $1 AND id = $2 FOR UPDATE"),
        )
    }

    fn read(raw: RawRule) -> Result<Self> {
        let RawRule { id, name, body, version, updated_at } = raw;
        Ok(Self { id, name, body: document(body)?, version, updated_at })
    }

    fn id(&self) -> Id<AttemptRule> {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn stored(&self, account: Id<Account>) -> Result<Vec<Stored>> {
        let values = args![
            self.id,
            account,
            &self.name,
            self.name.to_lowercase(),
            as_json(&self.body)?,
            self.updated_at
        ];
        Ok(values.to_vec())
    }
}
