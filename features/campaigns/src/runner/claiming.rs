//! The claims of one tick: slots reserved, the gate asked, attempts committed, all in one unit.

use std::sync::Arc;

use base::{
    Id, Timestamp,
    kind::{Account, Attempt},
};
use call::WireIds;
use db::{Db, Error, Result};
use dialer::{Claim, Permit, Refusal};
use parking_lot::Mutex;

use super::pipeline::{PAUSE, is_away};
use crate::{
    phones::Slot,
    store::{
        claims::{self, Claimed, Claimer},
        counts::Deltas,
        lease::{self, Lease},
    },
};

/// A claim with the channel that is kept for it.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) claim: Claim,
    pub(crate) wire: WireIds,
    /// `None` only when the INVITE left first, which is a planted fault.
    pub(crate) slot: Option<Slot>,
}

/// What came of a claim.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Committed.
    Permit(Permit),
    /// Refused by the gate; when the contact may be called, if ever.
    Refused(Refusal, Option<Timestamp>),
    /// Not committed.
    RolledBack,
}

/// What came of the claims of one tick.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) each: Vec<(Wish, Answer)>,
    /// Why they were rolled back, if they were.
    pub(super) error: Option<Error>,
    /// Another process has the account.
    pub(super) fenced: bool,
}

/// Who claims, and with what.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) db: Db,
    pub(super) ids: clock::Ids,
    pub(super) account: Id<Account>,
    pub(super) lease: Lease,
}

type Stash = Arc<Mutex<Vec<(Id<Attempt>, Claimed)>>>;

/// Claims in one unit of work; where that is refused for another reason than a database that is
/// away, one by one, so that a single bad row holds up nobody else.
pub(super) async fn claim(tools: Tools, wishes: Vec<Wish>) -> Answers {
    let mut answers = attempt(&tools, wishes).await;
    let refused = answers.error.as_ref().is_some_and(|error| !is_away(error));
    if refused && answers.each.len() > 1 {
        let mut singly = Answers { each: Vec::new(), error: None, fenced: false };
        for (wish, _) in answers.each {
            let one = attempt(&tools, vec![wish]).await;
            singly.each.extend(one.each);
            singly.error = one.error.or(singly.error);
            singly.fenced |= one.fenced;
        }
        answers = singly;
    }
    answers
}

async fn attempt(tools: &Tools, wishes: Vec<Wish>) -> Answers {
    let stash = Stash::default();
    let asked: Vec<_> =
        wishes.iter().map(|wish| (wish.claim.clone(), wish.wire.call_id.clone())).collect();
    let done = commit(tools, asked, Arc::clone(&stash)).await;
    resolve(tools, wishes, &stash, done).await
}

/// What came of claims whose commit was answered with `done`; `stash` has what the gate said.
async fn resolve(tools: &Tools, wishes: Vec<Wish>, stash: &Stash, done: Result<bool>) -> Answers {
    let answer = |wishes: Vec<Wish>, mut made: Vec<(Id<Attempt>, Claimed)>| {
        wishes
            .into_iter()
            .map(|wish| {
                let found = made.iter().position(|(id, _)| *id == wish.claim.attempt);
                let answer = match found.map(|n| made.swap_remove(n).1) {
                    Some(Claimed::Permit(permit)) => Answer::Permit(permit),
                    Some(Claimed::Refused(refusal, again)) => Answer::Refused(refusal, again),
                    None => Answer::RolledBack,
                };
                (wish, answer)
            })
            .collect()
    };
    match done {
        Ok(true) => {
            let made = std::mem::take(&mut *stash.lock());
            Answers { each: answer(wishes, made), error: None, fenced: false }
        }
        Ok(false) => Answers { each: answer(wishes, Vec::new()), error: None, fenced: true },
        Err(Error::CommitUnknown(why)) => {
            tracing::warn!(why, "the answer to a claim was lost; the rows are read again");
            let made = std::mem::take(&mut *stash.lock());
            let made = kept(tools, &wishes, made).await;
            Answers { each: answer(wishes, made), error: None, fenced: false }
        }
        Err(error) => {
            Answers { each: answer(wishes, Vec::new()), error: Some(error), fenced: false }
        }
    }
}

/// False when the lease is another's.
async fn commit(tools: &Tools, asked: Vec<(Claim, String)>, stash: Stash) -> Result<bool> {
    let Tools { db, ids, account, lease } = tools.clone();
    db.write(move |tx| {
        Box::pin(async move {
            if !lease::stands(tx, account, lease).await? {
                return Ok(false);
            }
            let mut deltas = Deltas::default();
            for (claim, call_id) in &asked {
                let by = Claimer { account, lease, now: ids.clock().now() };
                let claimed = claims::claim(tx, by, claim, call_id, &mut deltas).await?;
                stash.lock().push((claim.attempt, claimed));
            }
            deltas.write(tx, account).await?;
            Ok(true)
        })
    })
    .await
}

/// What was kept of a unit whose answer was lost: all of it or nothing, which its attempts tell.
/// A unit of refusals alone tells nothing and is taken as not kept: the contacts are read again.
async fn kept(
    tools: &Tools,
    wishes: &[Wish],
    made: Vec<(Id<Attempt>, Claimed)>,
) -> Vec<(Id<Attempt>, Claimed)> {
    let granted = |id: Id<Attempt>| {
        made.iter().any(|(made, claimed)| *made == id && matches!(claimed, Claimed::Permit(_)))
    };
    let Some(witness) = wishes.iter().find(|wish| granted(wish.claim.attempt)) else {
        return Vec::new();
    };
    let claim = witness.claim.clone();
    loop {
        let claim = claim.clone();
        let found = tools
            .db
            .read(move |tx| Box::pin(async move { claims::exists(tx, &claim).await }))
            .await;
        match found {
            Ok(true) => return made,
            Ok(false) => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "the rows of a claim could not be read; again soon");
                tools.ids.clock().sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base::kind::Campaign;
    use calendar::{Period, WeeklyHours, Window, Zone};
    use call::OnAnswer;
    use clock::{Clock, Ids};
    use db::{args, sql};
    use dialer::{Callee, Caps, Delays, History, Policy, Purpose, Rules, may_dial};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

    fn wish(attempt: i64) -> (Wish, Claimed) {
        let rules = Rules {
            version: 1,
            line: Id::from_raw(1),
            on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
            zone: Zone::utc(),
            by_contact_zone: false,
            hours: WeeklyHours::always().into(),
            batch: None,
            every_number: false,
            period: Period::default(),
            max_attempts: 3,
            concurrency: 5,
            rate: None,
            ring: std::time::Duration::from_secs(30),
            min_talk: std::time::Duration::ZERO,
            delays: Delays::default(),
            retry_short_talk: true,
            caps: Caps::default(),
            record: false,
            priority: 0,
            always_active: false,
        };
        let phone: base::PhoneNumber = "+380931234567".parse().unwrap();
        let window = Window::new(Vec::new(), WeeklyHours::always(), Period::default());
        let callee = Callee { contact: None, do_not_call: false, calls: &[], window: &window };
        let policy = Policy { caps: rules.caps, max_attempts: 3, demo_line: false };
        let permit = may_dial(&callee, &phone, Purpose::TestCall, NOW, &policy).unwrap();
        let attempt = Id::from_raw(attempt);
        let claim = Claim {
            attempt,
            campaign: Id::from_raw(1),
            contact: None,
            phone,
            line: rules.line,
            demo: None,
            purpose: Purpose::TestCall,
            rules: Arc::new(rules),
            history: History { attempts: 0, interrupted: false, other_number: false, zone: None },
        };
        let wire = WireIds::of(&[7; 32], attempt);
        (Wish { claim, wire, slot: None }, Claimed::Permit(permit))
    }

    async fn insert(db: &Db, attempt: i64) {
        db.write(move |tx| {
            Box::pin(async move {
                tx.exec(
                    sql!(
                        "INSERT INTO campaign (id, account, name, notes, state, preparing, setup,
                           version, created_at, updated_at)
                         VALUES ($1, 1, 'A', '', 'running', FALSE, '{}', 1, 0, 0)"
                    ),
                    args![Id::<Campaign>::from_raw(1)],
                )
                .await?;
                tx.exec(
                    sql!(
                        "INSERT INTO attempt (id, account, campaign, ordinal, phone, line, boot,
                           call_id, settings_version, claimed_at, spent)
                         VALUES ($1, 1, 1, 1, '+380931234567', 1, 1, 'x', 1, 0, FALSE)"
                    ),
                    args![attempt],
                )
                .await
            })
        })
        .await
        .unwrap();
    }

    /// dialling.md 5: if the answer to a commit is lost, the attempt's id is looked for before any
    /// INVITE.
    #[tokio::test]
    async fn after_a_lost_answer_the_row_says_whether_the_call_may_be_made() {
        let chains = [http_kit::chain(), jobs::chain(), host::chain(), crate::chain()];
        db::testing::each(&chains, |db| async move {
            insert(&db, 41).await;
            let (clock, _hand) = Clock::manual(NOW);
            let lease = Lease { boot: 1, epoch: 1 };
            let tools = Tools { db, ids: Ids::new(0, clock), account: Id::from_raw(1), lease };
            for (attempt, was_kept) in [(41, true), (42, false)] {
                let (wish, claimed) = wish(attempt);
                let stash = Stash::default();
                stash.lock().push((wish.claim.attempt, claimed));
                let lost = Err(Error::CommitUnknown("the server went away".to_owned()));
                let answers = resolve(&tools, vec![wish], &stash, lost).await;
                let permitted = matches!(answers.each[0].1, Answer::Permit(_));
                assert_eq!(permitted, was_kept);
                assert!(answers.error.is_none(), "the database answers again");
            }
        })
        .await;
    }
}
