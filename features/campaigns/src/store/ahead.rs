//! Who would be called, read ahead of a start, and how callees have behaved.

use std::time::Duration;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Campaign, ContactList},
};
use db::{Result, Tx, args, record, sql};
use rehearsal::Counted;

use super::document;

/// Contacts of one read.
pub(crate) const UNIT: i64 = 5_000;
/// Calls that say how callees behave: the latest so many of the campaign.
const LATEST: i64 = 2_000;

record! {
    /// A contact of a list, as far as a start cares.
    pub(crate) struct Listed {
        pub(crate) contact: i64,
        pub(crate) external_id: Option<String>,
        pub(crate) zone: Option<String>,
        /// The number that tells the contact apart, and the first that may be called.
        pub(crate) first: Option<PhoneNumber>,
        pub(crate) phone: Option<PhoneNumber>,
        /// Whether the campaign calls it: one that is run again leaves others out.
        pub(crate) wanted: bool,
    }
}

/// The next contacts of a list, in the order of their ids.
pub(crate) async fn listed(
    tx: &mut Tx<'_>,
    (account, campaign): (Id<Account>, Id<Campaign>),
    list: Id<ContactList>,
    above: i64,
    now: Timestamp,
) -> Result<Vec<Listed>> {
    tx.all(
        sql!(
            "SELECT c.contact, c.external_id, c.zone,
               (SELECT n.phone FROM v_list_number n
                WHERE n.account = c.account AND n.contact = c.contact
                ORDER BY n.ordinal LIMIT 1) AS first,
               (SELECT n.phone FROM v_list_number n
                WHERE n.account = c.account AND n.contact = c.contact
                AND NOT EXISTS (SELECT 1 FROM v_do_not_call d
                  WHERE d.account = n.account AND d.phone = n.phone
                  AND (d.expires_at IS NULL OR d.expires_at > $6)
                  AND (d.scope = 'account' OR (d.scope = 'campaign' AND d.target = $5)
                    OR (d.scope = 'list' AND d.target IN
                      (SELECT l.list FROM campaign_list l WHERE l.campaign = $5))))
                ORDER BY n.ordinal LIMIT 1) AS phone,
               NOT EXISTS (SELECT 1 FROM campaign_list a
                 WHERE a.campaign = $5 AND a.list = c.list AND a.again IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM campaign_contact o
                   WHERE o.campaign = a.again AND o.list_contact = c.contact
                   AND o.state <> 'by_hand' AND (a.again_all OR o.state <> 'success'))) AS wanted
             FROM v_list_contact c
             WHERE c.account = $1 AND c.list = $2 AND c.contact > $3
             ORDER BY c.contact LIMIT $4"
        ),
        args![account, list, above, UNIT, campaign, now],
    )
    .await
}

record! {
    /// A contact of a campaign that waits.
    pub(crate) struct Waiting {
        pub(crate) id: i64,
        pub(crate) phone: PhoneNumber,
        pub(crate) zone: Option<String>,
        pub(crate) attempts: u32,
        pub(crate) next_at: Timestamp,
    }
}

/// The next contacts of a campaign that wait, in the order in which they become due.
pub(crate) async fn waiting(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    after: (Timestamp, i64),
) -> Result<Vec<Waiting>> {
    tx.all(
        sql!(
            "SELECT id, phone, zone, attempts, next_at FROM campaign_contact
             WHERE campaign = $1 AND state = 'callable' AND (next_at, id) > ($2, $3)
             ORDER BY next_at, id LIMIT $4"
        ),
        args![campaign, after.0, after.1, UNIT],
    )
    .await
}

record! {
    /// Calls that came to the same, with averages in microseconds.
    struct Behaviour {
        outcome: String,
        calls: i64,
        answered: bool,
        ring: Option<i64>,
        talk: Option<i64>,
    }
}

/// What the latest calls of a campaign came to.
pub(crate) async fn behaviour(tx: &mut Tx<'_>, campaign: Id<Campaign>) -> Result<Vec<Counted>> {
    let rows: Vec<Behaviour> = tx
        .all(
            sql!(
                "SELECT outcome, COUNT(*), answered_at IS NOT NULL,
                   CAST(AVG(answered_at - invited_at) AS BIGINT),
                   CAST(AVG(ended_at - answered_at) AS BIGINT)
                 FROM (SELECT outcome, invited_at, answered_at, ended_at FROM attempt
                       WHERE campaign = $1 AND ended_at IS NOT NULL AND invited_at IS NOT NULL
                       ORDER BY id DESC LIMIT $2) AS latest
                 GROUP BY outcome, answered_at IS NOT NULL"
            ),
            args![campaign, LATEST],
        )
        .await?;
    let span =
        |micros: Option<i64>| Duration::from_micros(micros.unwrap_or_default().unsigned_abs());
    let counted = |row: Behaviour| {
        Ok(Counted {
            outcome: document(row.outcome.into())?,
            calls: row.calls.unsigned_abs(),
            answered: row.answered,
            ring: span(row.ring),
            talk: span(row.talk),
        })
    };
    rows.into_iter().map(counted).collect()
}
