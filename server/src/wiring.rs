//! Ties what one feature asks of another: adapters without decisions of their own.

use std::collections::BTreeMap;

use base::{
    Id, Timestamp,
    kind::{Account, Attempt, Audio, Campaign, ContactList, Line},
};
use call::CallPlan;
use campaigns::{
    Campaigns, Held, LineBusy, LineView, Phones, Prompts, PromptsAway, Report, Slot, Unfinished,
};
use contacts::Contacts;
use db::{Result, Tx};
use demo::{NewCampaign, Parts, Person};
use dialer::Permit;
use http_kit::Caller;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use voice::{Abandoned, Calls, Voice};

/// Reports on their way from voice to campaigns, beside those that either side holds.
const REPORTS: usize = 1_024;

type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What campaigns hold on to, told to the features that own it.
pub(crate) struct CampaignUses;

impl contacts::ListUses for CampaignUses {
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
        list: Id<ContactList>,
    ) -> Later<'a, Result<Option<String>>> {
        Box::pin(campaigns::list_in_use(tx, account, list))
    }

    fn campaign_name<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
        campaign: Id<Campaign>,
    ) -> Later<'a, Result<Option<String>>> {
        Box::pin(campaigns::campaign_name(tx, account, campaign))
    }
}

impl voice::LineUses for CampaignUses {
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
        line: Id<Line>,
    ) -> Later<'a, Result<Option<String>>> {
        Box::pin(campaigns::line_in_use(tx, account, line))
    }
}

impl voice::AudioUses for CampaignUses {
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
    ) -> Later<'a, Result<BTreeMap<Id<Audio>, String>>> {
        Box::pin(campaigns::audios_in_use(tx, account))
    }
}

/// Voice, as campaigns call over it.
pub(crate) struct VoicePhones(pub(crate) Calls);

/// A channel of voice, in the hands of campaigns.
#[derive(Debug)]
struct VoiceSlot(voice::Slot);

impl Held for VoiceSlot {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

impl Phones for VoicePhones {
    fn reserve(&self, account: Id<Account>, line: Id<Line>) -> std::result::Result<Slot, LineBusy> {
        let slot = self.0.reserve(account, line).ok_or(LineBusy)?;
        Ok(Slot::new(line, VoiceSlot(slot)))
    }

    fn place(&self, permit: Permit, slot: Slot, plan: CallPlan) {
        if let Ok(slot) = slot.into_held().into_any().downcast::<VoiceSlot>() {
            self.0.place(permit, slot.0, plan);
        } else {
            // Slots come from `reserve` above alone.
            tracing::error!(attempt = %plan.attempt, "a slot of another carrier");
        }
    }

    fn withdraw(&self, attempt: Id<Attempt>) {
        self.0.withdraw(attempt);
    }

    fn recover(&self, left: Vec<Unfinished>) {
        let left = left
            .into_iter()
            .map(|Unfinished { attempt, line, to, wire, dialog, .. }| Abandoned {
                attempt,
                line,
                to,
                wire,
                dialog,
            })
            .collect();
        self.0.recover(left);
    }

    fn probe(&self, account: Id<Account>, line: Id<Line>) -> campaigns::Later<'_, bool> {
        Box::pin(async move {
            self.0.check(account, line).await.is_some_and(|check| check.ok || check.code.is_some())
        })
    }

    fn forget_recordings<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
        attempts: &'a [Id<Attempt>],
        now: Timestamp,
    ) -> Later<'a, Result<()>> {
        Box::pin(voice::forget_recordings(tx, account, attempts, now))
    }

    fn lines(&self, account: Id<Account>) -> Vec<LineView> {
        let lines = self.0.lines(account);
        lines
            .into_iter()
            .map(|line| LineView {
                id: line.id,
                name: line.name,
                channels: line.channels,
                rate: line.rate,
                enabled: line.enabled,
                in_use: line.in_use,
                health: line.health,
                demo: line.demo,
            })
            .collect()
    }

    fn line_changes(&self) -> watch::Receiver<u64> {
        self.0.line_changes()
    }

    fn reports(&self) -> Option<mpsc::Receiver<Report>> {
        let mut from = self.0.reports()?;
        let (to, reports) = mpsc::channel(REPORTS);
        telemetry::spawn("wiring.reports", async move {
            while let Some(voice::Report { account, attempt, progress }) = from.recv().await {
                if to.send(Report { account, attempt, progress }).await.is_err() {
                    return;
                }
            }
        });
        Some(reports)
    }
}

/// The audio library, as campaigns ask it.
pub(crate) struct VoicePrompts(pub(crate) Voice);

impl Prompts for VoicePrompts {
    fn duration(
        &self,
        account: Id<Account>,
        audio: Id<Audio>,
    ) -> campaigns::Later<'_, std::result::Result<Option<std::time::Duration>, PromptsAway>> {
        Box::pin(async move {
            let found = self.0.audio_duration(account, audio).await;
            found.map_err(|error| PromptsAway(error.to_string()))
        })
    }
}

/// Those who own the parts of a demo.
pub(crate) struct DemoParts {
    pub(crate) voice: Voice,
    pub(crate) contacts: Contacts,
    pub(crate) campaigns: Campaigns,
}

impl Parts for DemoParts {
    fn add_line<'a>(
        &'a self,
        by: &'a Caller,
        name: &'a str,
    ) -> Later<'a, http_kit::Result<Id<Line>>> {
        Box::pin(self.voice.add_demo_line(by, name))
    }

    fn remove_line<'a>(&'a self, by: &'a Caller, id: Id<Line>) -> Later<'a, http_kit::Result<()>> {
        Box::pin(self.voice.remove_line(by, id))
    }

    fn add_audio<'a>(
        &'a self,
        by: &'a Caller,
        name: &'a str,
    ) -> Later<'a, http_kit::Result<Id<Audio>>> {
        Box::pin(self.voice.add_announcement(by, name))
    }

    fn remove_audio<'a>(
        &'a self,
        by: &'a Caller,
        id: Id<Audio>,
    ) -> Later<'a, http_kit::Result<()>> {
        Box::pin(self.voice.remove_audio(by, id))
    }

    fn add_list<'a>(
        &'a self,
        by: &'a Caller,
        name: &'a str,
        people: Vec<Person>,
    ) -> Later<'a, http_kit::Result<Id<ContactList>>> {
        let people = people.into_iter().map(|Person { external_id, name, phone }| {
            contacts::NewContact { external_id, name, phone }
        });
        Box::pin(self.contacts.add_list(by, name, people.collect()))
    }

    fn remove_list<'a>(
        &'a self,
        by: &'a Caller,
        id: Id<ContactList>,
    ) -> Later<'a, http_kit::Result<()>> {
        Box::pin(self.contacts.remove_list(by, id))
    }

    fn add_campaign<'a>(
        &'a self,
        by: &'a Caller,
        campaign: NewCampaign,
    ) -> Later<'a, http_kit::Result<Id<Campaign>>> {
        let NewCampaign { name, line, audio, list } = campaign;
        let day = json!([["00:00", "24:00"]]);
        let minutes = 600;
        let body = json!({
            "name": name, "line_id": line, "lists": [list],
            "on_answer": {"kind": "audio", "audio_id": audio},
            "hours": {
                "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day,
            },
            "use_contact_zone": false, "max_attempts": 2, "concurrency": 5, "ring_s": 30,
            "min_talk_s": 5, "record": true,
            "delays_s": {
                "busy": minutes, "no_answer": minutes, "failed": minutes, "short_talk": minutes,
                "machine": minutes,
            },
        });
        Box::pin(self.campaigns.add(by, body))
    }

    fn remove_campaign<'a>(
        &'a self,
        by: &'a Caller,
        id: Id<Campaign>,
    ) -> Later<'a, http_kit::Result<()>> {
        Box::pin(self.campaigns.remove(by, id))
    }
}
