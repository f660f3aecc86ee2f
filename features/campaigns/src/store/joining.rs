//! Contacts of lists that join a campaign or follow their list within it, a unit of them at once:
//! however many they are, the same few statements are asked.

use std::collections::BTreeMap;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, CampaignContact},
};
use db::{Keyed, Result, Tx, args, record, sql};
use dialer::{ContactState, Place, Roll};
use serde::Serialize;

use super::{claims::forbidden, counts::Deltas, word};

/// A contact of a list.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) contact: i64,
    pub(crate) external_id: Option<String>,
    pub(crate) name: String,
    pub(crate) zone: Option<String>,
    /// Its numbers in the order of calling.
    pub(crate) numbers: Vec<PhoneNumber>,
}

impl Source {
    /// What tells the contact apart. Without a number the list contact itself keeps the row apart
    /// from others.
    fn first(&self) -> String {
        self.numbers
            .first()
            .map_or_else(|| format!("none:{}", self.contact), |phone| phone.as_str().to_owned())
    }
}

/// Takes up those that are new to the campaign, in their order, and has the others follow their
/// list while they wait for their first call.
pub(crate) async fn take_up(
    tx: &mut Tx<'_>,
    whose: (Id<Account>, Id<Campaign>),
    sources: &[Source],
    ids: &clock::Ids,
) -> Result<()> {
    if sources.is_empty() {
        return Ok(());
    }
    let now = ids.clock().now();
    let (known, mut roll) = present(tx, whose.1, sources).await?;
    let (mut joining, mut changes) = (Vec::new(), Changes::default());
    for source in sources {
        match known.get(&source.contact) {
            Some(known) => changes.follow(known, source, &mut roll)?,
            None if roll.join(source.external_id.as_deref(), &source.first()) => {
                joining.push(source);
            }
            None => {}
        }
    }
    // First those who let go of a number that others may join with.
    changes.store(tx, now).await?;
    join(tx, whose, &joining, ids, now).await
}

record! {
    struct Known {
        id: Id<CampaignContact>,
        list_contact: i64,
        state: String,
        name: String,
        first_phone: String,
        numbers: i64,
        zone: Option<String>,
    }
}

/// Those of the contacts that the campaign has, and which of all their external ids and first
/// numbers are in it.
async fn present(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    sources: &[Source],
) -> Result<(BTreeMap<i64, Known>, Roll)> {
    let mut keys = Keyed::default();
    for source in sources {
        let (external_id, phone) = (source.external_id.as_deref(), source.first());
        keys.put(source.contact, &Apart { external_id, phone })?;
    }
    // One look into the index for each key: as joins, the planner of PostgreSQL, which knows nothing
    // of a campaign that grows under it, compares every key with every contact. Nor may it see which
    // campaign is meant: one that its statistics have never met is taken to be empty, and gone
    // through whole for each key.
    let found: Vec<(Option<i64>, Option<String>, Option<String>)> = tx
        .all(
            sql!(
                "SELECT (SELECT o.id FROM campaign_contact o
                         WHERE o.campaign = (SELECT CAST($1 AS BIGINT))
                           AND o.list_contact = CAST(k.key AS BIGINT) LIMIT 1),
                        (SELECT o.external_id FROM campaign_contact o
                         WHERE o.campaign = (SELECT CAST($1 AS BIGINT))
                           AND o.external_id = k.value ->> 'external_id'),
                        (SELECT o.first_phone FROM campaign_contact o
                         WHERE o.campaign = (SELECT CAST($1 AS BIGINT))
                           AND o.first_phone = k.value ->> 'phone')
                 FROM json_each($2) k"
            ),
            args![campaign, keys],
        )
        .await?;
    let (mut known, mut roll) = (Keyed::default(), Roll::default());
    for (id, external_id, first) in found {
        if let Some(id) = id {
            known.key(id)?;
        }
        if let Some(id) = external_id {
            roll.has_id(id);
        }
        if let Some(first) = first {
            roll.has_phone(first);
        }
    }
    if known.is_empty() {
        return Ok((BTreeMap::new(), roll));
    }
    let rows: Vec<Known> = tx
        .all(
            sql!(
                "SELECT id, list_contact, state, name, first_phone, numbers, zone
                 FROM campaign_contact
                 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
            ),
            args![known],
        )
        .await?;
    Ok((rows.into_iter().map(|row| (row.list_contact, row)).collect(), roll))
}

/// What tells a contact apart, as its statement takes it.
#[derive(Serialize)]
struct Apart<'a> {
    external_id: Option<&'a str>,
    phone: String,
}

/// What changes about a contact, as its statement takes it.
#[derive(Serialize)]
struct Change<'a> {
    name: &'a str,
    zone: Option<&'a str>,
    first_phone: String,
    numbers: i64,
}

/// A contact that joins, as its statement takes it.
#[derive(Serialize)]
struct Joining<'a> {
    contact: i64,
    external_id: Option<&'a str>,
    name: &'a str,
    phone: &'a str,
    first_phone: String,
    number: i64,
    numbers: usize,
    zone: Option<&'a str>,
    state: &'static str,
    state_group: &'static str,
}

/// What changes about contacts that were taken up before, by their ids.
#[derive(Default)]
struct Changes {
    changed: Keyed,
    /// Those of them that get another first number.
    renumbered: Keyed,
}

impl Changes {
    fn follow(&mut self, known: &Known, source: &Source, roll: &mut Roll) -> Result<()> {
        let waits = word::<ContactState>(&known.state)? == ContactState::Callable;
        if !waits || source.numbers.is_empty() {
            return Ok(());
        }
        let mut first = source.first();
        // Another contact of the campaign may have the number by now: then this one keeps its own.
        let renumbered = first != known.first_phone && roll.change(&known.first_phone, &first);
        if !renumbered {
            first.clone_from(&known.first_phone);
        }
        let numbers = source.numbers.len() as i64;
        if !renumbered
            && known.name == source.name
            && known.zone == source.zone
            && known.numbers == numbers
        {
            return Ok(());
        }
        let (name, zone) = (&source.name, source.zone.as_deref());
        self.changed.put(known.id, &Change { name, zone, first_phone: first, numbers })?;
        if renumbered { self.renumbered.key(known.id) } else { Ok(()) }
    }

    /// Writes them; who was claimed meanwhile stays as it is.
    async fn store(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        if !self.renumbered.is_empty() {
            // One may get the number of another, and unique keys are checked row by row: each lets
            // go of its own first.
            tx.exec(
                sql!(
                    "UPDATE campaign_contact SET first_phone = 'change:' || CAST(id AS TEXT)
                     WHERE state = 'callable'
                       AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
                ),
                args![self.renumbered],
            )
            .await?;
        }
        tx.exec(
            sql!(
                "UPDATE campaign_contact
                 SET name = value ->> 'name', zone = value ->> 'zone', updated_at = $2,
                   phone = CASE WHEN first_phone = value ->> 'first_phone' THEN phone
                     ELSE value ->> 'first_phone' END,
                   number = CASE WHEN first_phone = value ->> 'first_phone' THEN number ELSE 0 END,
                   dead_numbers = CASE WHEN first_phone = value ->> 'first_phone' THEN dead_numbers
                     ELSE 0 END,
                   first_phone = value ->> 'first_phone',
                   numbers = CAST(value ->> 'numbers' AS BIGINT)
                 FROM json_each($1)
                 WHERE campaign_contact.id = CAST(key AS BIGINT) AND state = 'callable'"
            ),
            args![self.changed, now],
        )
        .await
        .map(drop)
    }
}

/// Inserts contacts, each as its numbers allow, and counts those that went in.
async fn join(
    tx: &mut Tx<'_>,
    (account, campaign): (Id<Account>, Id<Campaign>),
    joining: &[&Source],
    ids: &clock::Ids,
    now: Timestamp,
) -> Result<()> {
    if joining.is_empty() {
        return Ok(());
    }
    let phones = joining.iter().flat_map(|source| &source.numbers);
    let forbidden = forbidden(tx, account, campaign, phones, now).await?;
    let mut rows = Keyed::default();
    for source in joining {
        let place = dialer::place(&source.numbers, &forbidden, (0, false), 0);
        let state = Place::standing(place.as_ref());
        let row = Joining {
            contact: source.contact,
            external_id: source.external_id.as_deref(),
            name: &source.name,
            phone: place.as_ref().map_or("", |place| place.phone.as_str()),
            first_phone: source.first(),
            number: place.as_ref().map_or(0, |place| place.number),
            numbers: source.numbers.len(),
            zone: source.zone.as_deref(),
            state: state.as_str(),
            state_group: state.group().as_str(),
        };
        rows.put(ids.next::<CampaignContact>(), &row)?;
    }
    let joined: Vec<(String,)> = tx
        .all(
            sql!(
                "INSERT INTO campaign_contact (id, account, campaign, list_contact, external_id,
                   name, phone, first_phone, number, numbers, zone, state, state_group, next_at,
                   attempts, ordinal, created_at, updated_at)
                 SELECT CAST(key AS BIGINT), $1, $2, CAST(value ->> 'contact' AS BIGINT),
                   value ->> 'external_id', value ->> 'name', value ->> 'phone',
                   value ->> 'first_phone', CAST(value ->> 'number' AS BIGINT),
                   CAST(value ->> 'numbers' AS BIGINT), value ->> 'zone', value ->> 'state',
                   value ->> 'state_group', $3, 0, 0, $3, $3
                 FROM json_each($4) WHERE TRUE ORDER BY CAST(key AS BIGINT)
                 ON CONFLICT DO NOTHING RETURNING state"
            ),
            args![account, campaign, now, rows],
        )
        .await?;
    let mut deltas = Deltas::default();
    for (state,) in joined {
        deltas.join(campaign, word(&state)?);
    }
    deltas.write(tx, account).await
}
