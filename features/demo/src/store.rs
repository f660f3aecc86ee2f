//! Rows of the demo, and what others publish that first steps are read from.

use base::{
    Id, Timestamp,
    kind::{Account, Audio, Campaign, ContactList, Line},
};
use db::{Result, Tx, args, record, sql};

record! {
    /// What was made for an account.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub(crate) struct Set {
        pub(crate) line: Option<Id<Line>>,
        pub(crate) audio: Option<Id<Audio>>,
        pub(crate) list: Option<Id<ContactList>>,
        pub(crate) campaign: Option<Id<Campaign>>,
        pub(crate) removed_at: Option<Timestamp>,
    }
}

impl Set {
    /// Whether it is there.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.campaign.is_some() && self.removed_at.is_none()
    }
}

/// The account's set; an empty one when there never was any.
pub(crate) async fn get(tx: &mut Tx<'_>, account: Id<Account>) -> Result<Set> {
    let set = tx
        .opt(
            sql!("SELECT line, audio, list, campaign, removed_at FROM demo_set WHERE account = $1"),
            args![account],
        )
        .await?;
    Ok(set.unwrap_or_default())
}

/// Stores the account's set.
pub(crate) async fn put(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    set: &Set,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO demo_set (account, line, audio, list, campaign, loaded_at, removed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (account) DO UPDATE SET line = excluded.line, audio = excluded.audio,
               list = excluded.list, campaign = excluded.campaign,
               removed_at = excluded.removed_at"
        ),
        args![account, set.line, set.audio, set.list, set.campaign, now, set.removed_at],
    )
    .await?;
    Ok(())
}

/// Which parts of a set still exist: people may delete them one by one.
pub(crate) async fn existing(tx: &mut Tx<'_>, account: Id<Account>, set: Set) -> Result<Set> {
    let line: Option<(Id<Line>,)> = tx
        .opt(
            sql!("SELECT line FROM v_line WHERE account = $1 AND line = $2"),
            args![account, set.line],
        )
        .await?;
    let audio: Option<(Id<Audio>,)> = tx
        .opt(
            sql!("SELECT audio FROM v_audio WHERE account = $1 AND audio = $2"),
            args![account, set.audio],
        )
        .await?;
    let list: Option<(Id<ContactList>,)> = tx
        .opt(
            sql!("SELECT list FROM v_contact_list WHERE account = $1 AND list = $2"),
            args![account, set.list],
        )
        .await?;
    let campaign: Option<(Id<Campaign>,)> = tx
        .opt(
            sql!(
                "SELECT campaign FROM v_campaign
                 WHERE account = $1 AND campaign = $2 AND deleted_at IS NULL"
            ),
            args![account, set.campaign],
        )
        .await?;
    Ok(Set {
        line: line.map(|(id,)| id),
        audio: audio.map(|(id,)| id),
        list: list.map(|(id,)| id),
        campaign: campaign.map(|(id,)| id),
        removed_at: set.removed_at,
    })
}

/// What first steps are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a step by itself, in any order")]
pub(crate) struct Seen {
    /// The demo campaign has come to its end, deleted or not.
    pub(crate) demo_ran: bool,
    /// Somebody listened to a recording.
    pub(crate) heard: bool,
    /// There is a line that is not the demo carrier's.
    pub(crate) real_line: bool,
    /// A campaign other than the demo's was started.
    pub(crate) own_campaign: bool,
    /// There is more than one person.
    pub(crate) company: bool,
    /// The steps were put away.
    pub(crate) dismissed: bool,
}

/// Reads the state of the account.
pub(crate) async fn seen(tx: &mut Tx<'_>, account: Id<Account>, set: &Set) -> Result<Seen> {
    let ran: Option<(Id<Campaign>,)> = tx
        .opt(
            sql!(
                "SELECT campaign FROM v_campaign
                 WHERE account = $1 AND campaign = $2 AND state = 'completed'"
            ),
            args![account, set.campaign],
        )
        .await?;
    let heard: Option<(i64,)> = tx
        .opt(
            sql!(
                "SELECT attempt FROM v_recording WHERE account = $1 AND heard_at IS NOT NULL
                 ORDER BY attempt LIMIT 1"
            ),
            args![account],
        )
        .await?;
    let line: Option<(Id<Line>,)> = tx
        .opt(
            sql!(
                "SELECT line FROM v_line WHERE account = $1 AND mode <> 'demo'
                 ORDER BY line LIMIT 1"
            ),
            args![account],
        )
        .await?;
    let own: Option<(Id<Campaign>,)> = tx
        .opt(
            sql!(
                "SELECT campaign FROM v_campaign
                 WHERE account = $1 AND campaign <> $2 AND started_at IS NOT NULL
                   AND deleted_at IS NULL
                 ORDER BY campaign LIMIT 1"
            ),
            args![account, set.campaign.map_or(0, Id::raw)],
        )
        .await?;
    let people: Vec<(i64,)> = tx
        .all(
            sql!("SELECT person FROM v_person WHERE account = $1 ORDER BY person LIMIT 2"),
            args![account],
        )
        .await?;
    let dismissed: Option<(Timestamp,)> = tx
        .opt(sql!("SELECT dismissed_at FROM first_steps WHERE account = $1"), args![account])
        .await?;
    Ok(Seen {
        demo_ran: ran.is_some(),
        heard: heard.is_some(),
        real_line: line.is_some(),
        own_campaign: own.is_some(),
        company: people.len() > 1,
        dismissed: dismissed.is_some(),
    })
}

/// Puts the steps away, or brings them back.
pub(crate) async fn set_dismissed(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    dismissed: bool,
    now: Timestamp,
) -> Result<()> {
    if dismissed {
        tx.exec(
            sql!(
                "INSERT INTO first_steps (account, dismissed_at) VALUES ($1, $2)
                 ON CONFLICT (account) DO NOTHING"
            ),
            args![account, now],
        )
        .await?;
    } else {
        tx.exec(sql!("DELETE FROM first_steps WHERE account = $1"), args![account]).await?;
    }
    Ok(())
}
