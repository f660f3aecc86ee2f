//! Calls by the span within which they began: what charts are drawn from.

use std::time::Duration;

use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use db::{Result, Tx, args, record, sql};

/// Spans of a minute, in seconds.
pub(crate) const MINUTE: i64 = 60;
/// Spans of a quarter of an hour.
pub(crate) const QUARTER: i64 = 900;
/// How long minutes are kept; quarters are kept for good.
const MINUTES_KEPT: Duration = Duration::from_hours(48);
/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// A span in which calls of a campaign that came to one result began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Beat {
    campaign: Id<Campaign>,
    span: i64,
    began_at: i64,
    outcome: String,
}

impl Beat {
    /// The spans that a call belongs to.
    pub(crate) fn of(campaign: Id<Campaign>, began_at: Timestamp, outcome: &str) -> [Self; 2] {
        [MINUTE, QUARTER].map(|span| Self {
            campaign,
            span,
            began_at: floor(began_at, span),
            outcome: outcome.to_owned(),
        })
    }
}

/// The beginning of the span of `seconds` that `at` lies in, in microseconds since 1970.
pub(crate) const fn floor(at: Timestamp, seconds: i64) -> i64 {
    let span = seconds * SECOND;
    at.micros() / span * span
}

/// Calls of one beat.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calls {
    all: i64,
    answered: i64,
}

impl Calls {
    /// One more.
    pub(crate) fn add(&mut self, answered: bool) {
        self.all += 1;
        self.answered += i64::from(answered);
    }
}

/// Adds calls to a beat.
pub(crate) async fn add(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    beat: Beat,
    calls: Calls,
) -> Result<()> {
    let Beat { campaign, span, began_at, outcome } = beat;
    tx.exec(
        sql!(
            "INSERT INTO campaign_pulse (account, campaign, span, began_at, outcome, calls, answered)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (campaign, span, began_at, outcome) DO UPDATE
             SET calls = campaign_pulse.calls + excluded.calls,
               answered = campaign_pulse.answered + excluded.answered"
        ),
        args![account, campaign, span, began_at, outcome, calls.all, calls.answered],
    )
    .await?;
    Ok(())
}

record! {
    /// Calls of one result that began within a step.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Drawn {
        pub(crate) at: Timestamp,
        pub(crate) outcome: String,
        pub(crate) calls: i64,
        pub(crate) answered: i64,
    }
}

/// Which part of a campaign's past is drawn, and how finely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Spans that are read: [`MINUTE`] or [`QUARTER`].
    pub(crate) span: i64,
    /// Steps to which they are added up, in seconds: whole spans.
    pub(crate) step: i64,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Calls of a campaign by step and result, in the order of time.
pub(crate) async fn drawn(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    part: Part,
) -> Result<Vec<Drawn>> {
    tx.all(
        sql!(
            "SELECT began_at / $1 * $1 AS at, outcome, CAST(SUM(calls) AS BIGINT) AS calls,
               CAST(SUM(answered) AS BIGINT) AS answered
             FROM campaign_pulse
             WHERE account = $2 AND campaign = $3 AND span = $4 AND began_at >= $5
               AND began_at < $6
             GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        args![part.step * SECOND, account, campaign, part.span, part.from, part.to],
    )
    .await
}

/// Calls of a campaign by step, whatever came of them: moment, calls, answered.
pub(crate) async fn summed(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
    part: Part,
) -> Result<Vec<(Timestamp, i64, i64)>> {
    tx.all(
        sql!(
            "SELECT began_at / $1 * $1 AS at, CAST(SUM(calls) AS BIGINT),
               CAST(SUM(answered) AS BIGINT)
             FROM campaign_pulse
             WHERE account = $2 AND campaign = $3 AND span = $4 AND began_at >= $5
               AND began_at < $6
             GROUP BY 1 ORDER BY 1"
        ),
        args![part.step * SECOND, account, campaign, part.span, part.from, part.to],
    )
    .await
}

/// Forgets the minutes whose time is over.
pub(crate) async fn forget_minutes(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.exec(
        sql!("DELETE FROM campaign_pulse WHERE span = 60 AND began_at < $1"),
        args![now.minus(MINUTES_KEPT)],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_belongs_to_its_minute_and_its_quarter() {
        let at = Timestamp::from_micros(3_599_999_999);
        let [minute, quarter] = Beat::of(Id::from_raw(1), at, "busy");
        assert_eq!((minute.began_at, quarter.began_at), (3_540_000_000, 2_700_000_000));
    }
}
