//! What the machine knows about why a running campaign is, or is not, calling.

use base::{Id, Timestamp, kind};

use super::{Dialer, Work, line::Life};
use crate::{Reason, Rules, Shortage, why::line_health};

impl Dialer {
    /// The campaigns that make new calls, with the rules they go by.
    pub fn running(&self) -> impl Iterator<Item = (Id<kind::Campaign>, &Rules)> {
        let running = self.campaigns.iter().filter(|(_, campaign)| campaign.running);
        running.map(|(id, campaign)| (*id, &*campaign.rules))
    }

    /// What keeps the whole account, or campaigns like this one, from calling.
    pub(crate) fn hindered(&self, rules: &Rules) -> Option<Reason> {
        if self.drain.is_some() {
            Some(Reason::ShuttingDown)
        } else if !self.writable {
            Some(Reason::StoreAway)
        } else if self.fenced {
            Some(Reason::Fenced)
        } else {
            self.shortage
                .filter(|_| rules.record)
                .map(|Shortage { free, least }| Reason::DiskLow { free, least })
        }
    }

    /// What keeps a line from carrying any call.
    pub(crate) fn line_reason(&self, id: Id<kind::Line>, now: Timestamp) -> Option<Reason> {
        let Some(line) = self.lines.get(&id) else { return Some(Reason::LineMissing) };
        let since = match line.life {
            Life::Dead { since } => Some(since),
            Life::Alive | Life::OnTrial => None,
        };
        line_health(line.present, line.fact.enabled, line.fact.health, since).or_else(|| {
            (line.paused_until > now && !line.pause_is_busy)
                .then_some(Reason::LinePaused { until: line.paused_until })
        })
    }

    /// How a campaign that may call gets on.
    pub(crate) fn progress(&self, id: Id<kind::Campaign>, now: Timestamp, calls: u64) -> Reason {
        let Some(campaign) = self.campaigns.get(&id).filter(|campaign| campaign.running) else {
            return Reason::Fetching;
        };
        if campaign.queue.is_empty() {
            return match campaign.work {
                Work::Unknown | Work::Asked { .. } if calls > 0 => Reason::Dialling { calls },
                Work::Unknown | Work::Asked { .. } => Reason::Fetching,
                _ if calls > 0 => Reason::LastCalls { calls },
                // What becomes of the last ones is being written.
                _ if campaign.attempts() > 0 => Reason::Fetching,
                _ if campaign.preparing => Reason::Preparing,
                Work::Later(at) if at == Timestamp::MAX => Reason::NobodyCallable,
                Work::Later(until) => Reason::AllWait { until },
                Work::Nothing => Reason::ListFinished,
            };
        }
        if campaign.calls() >= campaign.rules.concurrency as usize {
            return Reason::Concurrency { limit: campaign.rules.concurrency };
        }
        let Some(line) = self.lines.get(&campaign.rules.line) else { return Reason::LineMissing };
        if line.open.len() >= line.room() || line.paused_until > now {
            return Reason::LineFull { channels: line.fact.channels };
        }
        if let Some(until) = campaign.rules.rate.map(|rate| campaign.pace.free_at(rate))
            && until > now
        {
            return Reason::CampaignRate { until };
        }
        if let Some(until) = campaign.wave_at()
            && until > now
        {
            return Reason::BatchGap { until };
        }
        let until = line.pace.free_at(line.fact.rate);
        if until > now && calls == 0 {
            return Reason::LineRate { until };
        }
        Reason::Dialling { calls }
    }
}
