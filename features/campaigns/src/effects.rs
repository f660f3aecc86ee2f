//! The one place where wishes of the machine become work: one match over [`Effect`].

use base::{Id, kind::Attempt};
use call::{CallPlan, Cause, End, EndedBy, LocalCause, WireIds};
use dialer::{
    Callee, Claim, Effect, Event, NotClaimed, PROBE_EVERY, Policy, Purpose, Stage, may_dial,
};

use crate::{
    phones::Slot,
    plant::Point,
    runner::{
        ActiveCall, TestEnd,
        account::{Ready, Runner},
        claiming::{Answer, Wish},
        pipeline::Work,
    },
};

/// Carries out one wish, or puts it where it is carried out in order.
pub(crate) fn carry_out(runner: &mut Runner, effect: Effect) {
    match effect {
        Effect::Refill { campaign, n } => runner.queue.push_back(Work::Refill { campaign, n }),
        Effect::Claim(claim) => reserve(runner, *claim),
        Effect::Place { attempt } => place(runner, attempt),
        Effect::Withdraw { attempt } => runner.core.phones.withdraw(attempt),
        Effect::Return { campaign, contact, at, because } => {
            runner.touched.insert(campaign);
            runner.queue.push_back(Work::Return { campaign, contact, at, because });
        }
        Effect::Finish(finish) => {
            runner.ready.remove(&finish.attempt);
            runner.shared.active.lock().remove(&finish.attempt);
            let wire = runner.ends.remove(&finish.attempt).map(Box::new);
            let outcome = format!("{:?}", finish.verdict.outcome);
            metrics::counter!("switchbell_attempts_total", "outcome" => outcome).increment(1);
            runner.touched.insert(finish.campaign);
            runner.queue.push_back(Work::Finish { boot: runner.boot(), finish, wire });
        }
        Effect::GiveBack { line, attempts } => {
            tracing::warn!(line.id = %line, "line {line} is dead: nothing is claimed on it");
            let again_at = runner.core.handles.clock.now().plus(PROBE_EVERY);
            runner.queue.push_back(Work::GiveBack { attempts, again_at });
        }
        Effect::Probe { line } => runner.probe(line),
        Effect::Complete { campaign } => runner.queue.push_back(Work::Complete { campaign }),
        Effect::Drained => runner.say_drained(),
    }
}

/// A channel is kept before any row exists.
fn reserve(runner: &mut Runner, claim: Claim) {
    let attempt = claim.attempt;
    let Ok(slot) = runner.core.phones.reserve(runner.account, claim.line) else {
        runner.answer_test(attempt, Err(TestEnd::Now(dialer::TestRefused::LineBusy)));
        runner.feed(Event::NotClaimed { attempt, because: NotClaimed::LineBusy });
        return;
    };
    let wire = WireIds::of(runner.core.handles.secrets.install_key(), attempt);
    if runner.core.plants.invites_first && claim.purpose == Purpose::Campaign {
        invite_first(runner, claim, wire, slot);
    } else {
        runner.claims.push(Wish { claim, wire, slot: Some(slot) });
    }
}

/// Planted: the INVITE leaves, and only when it has left is its attempt committed.
fn invite_first(runner: &mut Runner, claim: Claim, wire: WireIds, slot: Slot) {
    let now = runner.core.handles.clock.now();
    let window = claim.rules.window();
    let callee = Callee { contact: None, do_not_call: false, calls: &[], window: &window };
    let policy = Policy {
        caps: claim.rules.caps,
        max_attempts: claim.rules.max_attempts,
        demo_line: claim.demo.is_some(),
    };
    let unasked = may_dial(&callee, &claim.phone, Purpose::OwnPhone, now, &policy);
    let plan = plan(runner, &claim, wire.clone());
    show(runner, &claim);
    if let Ok(permit) = unasked {
        runner.core.phones.place(permit, slot, plan);
    }
    runner.held.insert(claim.attempt, Wish { claim, wire, slot: None });
}

fn plan(runner: &Runner, claim: &Claim, wire: WireIds) -> CallPlan {
    CallPlan {
        account: runner.account,
        attempt: claim.attempt,
        line: claim.line,
        to: claim.phone.clone(),
        caller_id: None,
        ring_time: claim.demo.unwrap_or_default().hasten(claim.rules.ring),
        on_answer: claim.rules.on_answer,
        record: claim.rules.record,
        wire,
    }
}

fn show(runner: &mut Runner, claim: &Claim) {
    let call = ActiveCall {
        campaign: claim.campaign,
        contact: claim.contact,
        phone: claim.phone.clone(),
        line: claim.line,
        purpose: claim.purpose,
        stage: Stage::Claimed,
        since: runner.core.handles.clock.now(),
        ringing_at: None,
    };
    runner.show(claim.attempt, call);
}

/// Takes in what came of a claim.
pub(crate) fn claimed(runner: &mut Runner, wish: Wish, answer: Answer) {
    let Wish { claim, wire, slot } = wish;
    let attempt = claim.attempt;
    match answer {
        Answer::Permit(permit) => {
            if let Some(slot) = slot {
                show(runner, &claim);
                let plan = plan(runner, &claim, wire);
                runner.ready.insert(attempt, Ready { permit, slot, plan });
            }
            runner.answer_test(attempt, Ok(attempt));
            runner.feed(Event::Claimed { attempt });
        }
        Answer::Refused(refusal, again_at) => {
            tracing::debug!(attempt.id = %attempt, reason = refusal.code(), "the gate refused");
            metrics::counter!("switchbell_refusals_total", "reason" => refusal.code()).increment(1);
            runner.touched.insert(claim.campaign);
            runner.answer_test(attempt, Err(TestEnd::Gate(refusal)));
            let because = NotClaimed::Refused { again_at };
            runner.feed(Event::NotClaimed { attempt, because });
        }
        Answer::RolledBack => {
            runner.answer_test(attempt, Err(TestEnd::Store));
            runner.feed(Event::NotClaimed { attempt, because: NotClaimed::RolledBack });
        }
    }
}

/// Only after the commit does the INVITE leave.
fn place(runner: &mut Runner, attempt: Id<Attempt>) {
    runner.core.plants.kill.reach(Point::AfterClaim);
    if let Some(Ready { permit, slot, plan }) = runner.ready.remove(&attempt) {
        runner.core.phones.place(permit, slot, plan);
    } else if !runner.core.plants.invites_first {
        let end = never_sent(runner);
        runner.ended(attempt, end);
    }
}

/// The end of an attempt of which nothing was sent.
fn never_sent(runner: &Runner) -> End {
    End {
        at: runner.core.handles.clock.now(),
        invited: false,
        answered_at: None,
        by: EndedBy::Us,
        cause: Cause { local: Some(LocalCause::Withdrawn), ..Cause::default() },
        recording: None,
        rtp: None,
    }
}
