//! From contacts of lists to contacts of a campaign, in units.

use std::time::Duration;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, CampaignContact, ContactList},
};
use db::{Result, Tx, args, record, sql};
use dialer::ContactState;

use super::{
    claims::{numbers_of, place},
    counts::Deltas,
    word,
};

/// Contacts of one unit.
pub(crate) const UNIT: i64 = 500;

/// Lists are read again from this much before the last contact seen: a unit of work that began
/// earlier may have been kept later.
const OVERLAP: Duration = Duration::from_mins(2);

/// How far a list has been read within one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) updated_at: i64,
    pub(crate) contact: i64,
}

record! {
    struct Source {
        contact: i64,
        external_id: Option<String>,
        name: String,
        zone: Option<String>,
        updated_at: i64,
        wanted: bool,
    }
}

/// Where to begin with each list of a campaign.
pub(crate) async fn starts(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
) -> Result<Vec<(Id<ContactList>, At)>> {
    let rows: Vec<(Id<ContactList>, i64)> = tx
        .all(
            sql!(
                "SELECT list, read_to FROM campaign_list
                 WHERE account = $1 AND campaign = $2 ORDER BY ordinal"
            ),
            args![account, campaign],
        )
        .await?;
    let overlap = OVERLAP.as_micros() as i64;
    let at = |read_to: i64| At { updated_at: read_to.saturating_sub(overlap), contact: 0 };
    Ok(rows.into_iter().map(|(list, read_to)| (list, at(read_to))).collect())
}

/// Takes up the next contacts of a list. Where to go on; `None` when the list has been read.
pub(crate) async fn unit(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    list: Id<ContactList>,
    at: At,
    ids: &clock::Ids,
) -> Result<Option<At>> {
    let rows: Vec<Source> = tx
        .all(
            sql!(
                "SELECT c.contact, c.external_id, c.name, c.zone, c.updated_at,
                   NOT EXISTS (SELECT 1 FROM campaign_list l
                     WHERE l.campaign = $6 AND l.list = c.list AND l.again IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM campaign_contact o
                       WHERE o.campaign = l.again AND o.list_contact = c.contact
                       AND o.state <> 'by_hand' AND (l.again_all OR o.state <> 'success')))
                   AS wanted
                 FROM v_list_contact c
                 WHERE c.list = $1 AND c.account = $2 AND (c.updated_at, c.contact) > ($3, $4)
                 ORDER BY c.updated_at, c.contact LIMIT $5"
            ),
            args![list, account, at.updated_at, at.contact, UNIT, campaign],
        )
        .await?;
    let now = ids.clock().now();
    let mut deltas = Deltas::default();
    // A list is gone through whole, so that a unit stays small however few of it are wanted.
    for row in rows.iter().filter(|row| row.wanted) {
        take_up(tx, account, campaign, row, ids, now, &mut deltas).await?;
    }
    deltas.write(tx, account).await?;
    let Some(end) = rows.last() else { return Ok(None) };
    tx.exec(
        sql!(
            "UPDATE campaign_list SET read_to = $3
             WHERE campaign = $1 AND list = $2 AND read_to < $3"
        ),
        args![campaign, list, end.updated_at],
    )
    .await?;
    let next = At { updated_at: end.updated_at, contact: end.contact };
    Ok((rows.len() as i64 == UNIT).then_some(next))
}

record! {
    struct Known {
        id: Id<CampaignContact>,
        state: String,
        name: String,
        first_phone: String,
        zone: Option<String>,
    }
}

async fn take_up(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    source: &Source,
    ids: &clock::Ids,
    now: Timestamp,
    deltas: &mut Deltas,
) -> Result<()> {
    let numbers = numbers_of(tx, account, source.contact).await?;
    let known: Option<Known> = tx
        .opt(
            sql!(
                "SELECT id, state, name, first_phone, zone FROM campaign_contact
                 WHERE campaign = $1 AND list_contact = $2"
            ),
            args![campaign, source.contact],
        )
        .await?;
    if let Some(known) = known {
        return refresh(tx, campaign, &known, source, &numbers, now).await;
    }
    let place = place(tx, (account, campaign), &numbers, (0, false), 0, now).await?;
    let state = match &place {
        None => ContactState::NoNumber,
        Some(place) if place.forbidden => ContactState::DoNotCall,
        Some(_) => ContactState::Callable,
    };
    // Without a number the list contact itself keeps the row apart from others.
    let first = numbers
        .first()
        .map_or_else(|| format!("none:{}", source.contact), |phone| phone.as_str().to_owned());
    let (number, phone) =
        place.map_or((0, String::new()), |place| (place.number, place.phone.into()));
    let inserted = tx
        .exec(
            sql!(
                "INSERT INTO campaign_contact (id, account, campaign, list_contact, external_id,
                   name, phone, first_phone, number, numbers, zone, state, state_group, next_at,
                   attempts, ordinal, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $14, $9, $10, $11, $12, $13, 0, 0, $13, $13)
                 ON CONFLICT DO NOTHING"
            ),
            args![
                ids.next::<CampaignContact>(),
                account,
                campaign,
                source.contact,
                &source.external_id,
                &source.name,
                phone,
                first,
                numbers.len() as i64,
                &source.zone,
                state.as_str(),
                state.group().as_str(),
                now,
                number
            ],
        )
        .await?;
    if inserted == 1 {
        deltas.join(campaign, state);
    }
    Ok(())
}

/// A contact that was taken up before follows its list while it waits for its first call.
async fn refresh(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    known: &Known,
    source: &Source,
    numbers: &[PhoneNumber],
    now: Timestamp,
) -> Result<()> {
    let Some(first) = numbers.first() else { return Ok(()) };
    let waits = word::<ContactState>(&known.state)? == ContactState::Callable;
    let same = known.name == source.name
        && known.zone == source.zone
        && known.first_phone == first.as_str();
    if !waits || same {
        return Ok(());
    }
    // Another contact of the campaign may have the number by now: then this one keeps its own.
    let taken: Option<(i64,)> = tx
        .opt(
            sql!(
                "SELECT id FROM campaign_contact
                 WHERE campaign = $1 AND first_phone = $2 AND id <> $3"
            ),
            args![campaign, first, known.id],
        )
        .await?;
    let phone = if taken.is_some() { known.first_phone.clone() } else { first.as_str().to_owned() };
    tx.exec(
        sql!(
            "UPDATE campaign_contact SET name = $2, zone = $3, updated_at = $4,
               phone = CASE WHEN first_phone = $5 THEN phone ELSE $5 END,
               number = CASE WHEN first_phone = $5 THEN number ELSE 0 END,
               dead_numbers = CASE WHEN first_phone = $5 THEN dead_numbers ELSE 0 END,
               first_phone = $5, numbers = $6
             WHERE id = $1"
        ),
        args![known.id, &source.name, &source.zone, now, phone, numbers.len() as i64],
    )
    .await?;
    Ok(())
}
