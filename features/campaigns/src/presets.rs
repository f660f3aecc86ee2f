//! From calendars and attempt rules into the settings of campaigns.

use base::{
    Id, Timestamp,
    kind::{Account, Campaign, User},
};
use clock::Ids;
use db::{Error, Result, Tx};
use host::audit::{self, AuditEntry};
use http_kit::{Fields, Problem};
use serde_json::{Value, json};

use crate::{
    setup::Setup,
    store::{
        campaigns,
        presets::{self, CalendarRow, RuleRow},
    },
};

/// What a campaign's settings are to be copied from.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    calendar: Option<CalendarRow>,
    rule: Option<RuleRow>,
}

impl Chosen {
    /// What the settings, changed by `body`, name; the problem when it is not there.
    pub(crate) async fn read(
        tx: &mut Tx<'_>,
        account: Id<Account>,
        setup: &Setup,
        body: &Value,
    ) -> Result<std::result::Result<Self, Problem>> {
        let mut chosen = Self::default();
        let mut fields = Fields::new();
        let calendar = named(body, "calendar_id", setup.calendar_id);
        if let Some(id) = calendar {
            chosen.calendar = found(presets::one(tx, account, id).await)?;
            fields.check(
                "calendar_id",
                chosen.calendar.is_some(),
                "calendar_not_found",
                "There is no such calendar.",
            );
        }
        let rule = named(body, "attempt_rule_id", setup.attempt_rule_id);
        if let Some(id) = rule {
            chosen.rule = found(presets::one(tx, account, id).await)?;
            fields.check(
                "attempt_rule_id",
                chosen.rule.is_some(),
                "attempt_rule_not_found",
                "There is no such attempt rule.",
            );
        }
        Ok(fields.finish().map(|()| chosen))
    }

    /// Copies it into the settings.
    pub(crate) fn copy(self, setup: &mut Setup) {
        if let Some(calendar) = self.calendar {
            setup.take_calendar(calendar);
        }
        if let Some(rule) = self.rule {
            setup.take_rule(&rule);
        }
    }
}

/// The id that the body names; what is there when it says nothing. An id that cannot be read is
/// refused with the rest of the body.
fn named<K>(body: &Value, field: &str, present: Option<Id<K>>) -> Option<Id<K>> {
    match body.get(field) {
        None => present,
        Some(value) => serde_json::from_value(value.clone()).ok().flatten(),
    }
}

fn found<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who changed a preset, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) account: Id<Account>,
    pub(crate) user: Id<User>,
    pub(crate) now: Timestamp,
}

/// Carries a change over into the campaigns that use it, each under its next version. Those whose
/// settings came out different.
pub(crate) async fn spread(
    tx: &mut Tx<'_>,
    ids: &Ids,
    by: By,
    users: &[presets::User],
    from: &str,
    take: impl Fn(&mut Setup),
) -> Result<Vec<Id<Campaign>>> {
    let mut changed = Vec::new();
    for (campaign, _) in users {
        let mut row = campaigns::get_locked(tx, by.account, *campaign).await?;
        let before = row.setup.clone();
        take(&mut row.setup);
        if row.setup == before {
            continue;
        }
        if !campaigns::edit(tx, &row, by.now).await? {
            return Err(Error::Conflict("the campaign was changed meanwhile".to_owned()));
        }
        let entry = AuditEntry {
            account: by.account,
            user: Some(by.user),
            action: "campaign.edit",
            subject: format!("campaign:{campaign}"),
            detail: json!({ "version": row.version + 1, "from": from }),
        };
        audit::record(tx, ids, entry, by.now).await?;
        changed.push(*campaign);
    }
    Ok(changed)
}
