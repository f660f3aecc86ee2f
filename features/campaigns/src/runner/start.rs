//! What an account's loop does first: take the lease, read the rows, restore the machine.

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use call::{Dialog, WireIds};
use db::Result;
use dialer::{
    History, LineFact, Restored, Rows, Rules, RunningRow, UnfinishedRow, has_other_number, restore,
};

use super::Dialers;
use crate::{
    phones::{LineView, Unfinished},
    store::{
        self,
        attempts::{self, Open},
        campaigns, document,
        lease::{self, Lease},
        word,
    },
};

/// A machine made from rows, and what goes with it.
pub(super) struct Started {
    pub(super) lease: Lease,
    pub(super) restored: Restored,
    /// By which process each of `restored.finishes` was left open.
    pub(super) boots: Vec<i64>,
    /// Calls that may still be up on the wire.
    pub(super) left: Vec<Unfinished>,
    pub(super) running: Vec<Id<Campaign>>,
}

struct Read {
    lease: Lease,
    campaigns: Vec<campaigns::Row>,
    /// Of those that call in waves.
    last_calls: BTreeMap<Id<Campaign>, Option<Timestamp>>,
    open: Vec<(Open, campaigns::Row)>,
}

/// Takes the account over and restores its machine. A fresh number of the process is made each
/// time, so that what an earlier loop left open is told from what this one opens.
pub(super) async fn start(core: &Dialers, account: Id<Account>) -> Result<Started> {
    let (clock, ids) = (&core.handles.clock, &core.handles.ids);
    let (now, boot) = (clock.now(), ids.next::<super::Attempt>().raw());
    let read = core
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let lease = lease::take(tx, account, boot, now).await?;
                let campaigns = campaigns::running(tx, account).await?;
                let mut open = Vec::new();
                for row in attempts::open(tx, account).await? {
                    let campaign = campaigns::get(tx, account, row.campaign).await?;
                    open.push((row, campaign));
                }
                let mut last_calls = BTreeMap::new();
                for row in campaigns.iter().filter(|row| row.setup.batch.is_some()) {
                    last_calls.insert(row.id, attempts::last_claim(tx, row.id).await?);
                }
                Ok(Read { lease, campaigns, last_calls, open })
            })
        })
        .await?;
    let key = core.handles.secrets.install_key();
    let lines = facts(&core.phones.lines(account));
    assemble(read, lines, key, account, now)
}

fn assemble(
    read: Read,
    lines: Vec<LineFact>,
    key: &[u8; 32],
    account: Id<Account>,
    now: Timestamp,
) -> Result<Started> {
    let last = |row: RunningRow| {
        let last_call = read.last_calls.get(&row.campaign).copied().flatten();
        RunningRow { last_call, ..row }
    };
    let running: Vec<_> = read.campaigns.iter().filter_map(running_row).map(last).collect();
    let (mut unfinished, mut boots, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for (open, campaign) in read.open {
        left.push(Unfinished {
            attempt: open.id,
            account,
            line: open.line,
            to: open.phone.clone(),
            wire: WireIds::of(key, open.id),
            invited: open.invited_at.is_some(),
            dialog: open.dialog.clone().map(document::<Dialog>).transpose()?,
        });
        boots.push(open.boot);
        unfinished.push(unfinished_row(open, &campaign)?);
    }
    let ids = running.iter().map(|row| row.campaign).collect();
    let restored = restore(Rows { running, unfinished, lines }, now);
    Ok(Started { lease: read.lease, restored, boots, left, running: ids })
}

/// A running campaign as the machine is told; `None` while its settings are incomplete, which
/// Start refuses.
pub(super) fn running_row(row: &campaigns::Row) -> Option<RunningRow> {
    Some(RunningRow {
        campaign: row.id,
        rules: Arc::new(row.setup.rules(row.version)?),
        started_at: row.started_at?,
        preparing: row.preparing,
        last_call: None,
    })
}

fn unfinished_row(open: Open, campaign: &campaigns::Row) -> Result<UnfinishedRow> {
    let history = match open.contact {
        None => None,
        Some(_) => Some(History {
            attempts: open.attempts.unwrap_or(0),
            interrupted: open.last_outcome.as_deref() == Some("interrupted"),
            other_number: has_other_number(
                open.number.unwrap_or(0),
                open.numbers.unwrap_or(0),
                open.dead_numbers.unwrap_or(0),
            ),
            zone: open.zone.as_deref().map(word).transpose()?,
        }),
    };
    Ok(UnfinishedRow {
        campaign: open.campaign,
        contact: open.contact,
        rules: Arc::new(rules(campaign)?),
        attempt: dialer::Unfinished {
            attempt: open.id,
            phone: open.phone,
            invited_at: open.invited_at,
            answered_at: open.answered_at,
            history,
        },
    })
}

fn rules(campaign: &campaigns::Row) -> Result<Rules> {
    campaign.setup.rules(campaign.version).ok_or_else(|| {
        store::broken(format!("campaign {} has attempts and no complete settings", campaign.id))
    })
}

/// Lines as the machine is told.
pub(super) fn facts(views: &[LineView]) -> Vec<LineFact> {
    let fact = |view: &LineView| LineFact {
        id: view.id,
        channels: view.channels,
        rate: view.rate,
        enabled: view.enabled,
        health: view.health,
        demo: view.demo,
    };
    views.iter().map(fact).collect()
}

/// The attempts that this loop's process left open although nobody holds them any more, for the
/// reconciler.
pub(super) async fn forgotten(
    core: &Dialers,
    account: Id<Account>,
    boot: i64,
    is_held: impl Fn(Id<super::Attempt>) -> bool,
) -> Result<Vec<dialer::Finish>> {
    let now = core.handles.clock.now();
    let read = core
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let mut open = Vec::new();
                for row in attempts::open(tx, account).await? {
                    if row.boot == boot {
                        let campaign = campaigns::get(tx, account, row.campaign).await?;
                        open.push((row, campaign));
                    }
                }
                Ok(open)
            })
        })
        .await?;
    let mut finishes = Vec::new();
    for (open, campaign) in read {
        if !is_held(open.id) {
            let row = unfinished_row(open, &campaign)?;
            let rows = Rows { running: Vec::new(), unfinished: vec![row], lines: Vec::new() };
            finishes.extend(restore(rows, now).finishes);
        }
    }
    Ok(finishes)
}
