#![doc = include_str!("../README.md")]

mod effects;
mod export;
mod jobs;
mod listeners;
mod phones;
mod plant;
mod presets;
mod problems;
mod readiness;
mod routes;
mod runner;
mod setup;
mod store;
mod topics;
mod uses;
mod view;

use std::sync::Arc;

use access::Permission;
use base::{Id, kind::Campaign};
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, Caller, ProblemInfo, Topic};

pub use phones::{
    Held, Later, LineBusy, LineView, Phones, Prompts, PromptsAway, Report, Slot, Unfinished,
};
pub use problems::CampaignProblem;
pub use uses::{audios_in_use, campaign_name, line_in_use, list_in_use};

use crate::runner::Dialers;

/// Campaigns, plugged in by the server. Cheap to clone.
#[derive(Clone)]
pub struct Campaigns(Arc<Dialers>);

impl Campaigns {
    /// Campaigns that call over `phones` and play `prompts`.
    pub fn new(handles: Handles, phones: Arc<dyn Phones>, prompts: Arc<dyn Prompts>) -> Self {
        Self(Dialers::new(handles, phones, prompts))
    }

    /// Makes a draft with the settings of `body`, as its route does.
    pub async fn add(
        &self,
        by: &Caller,
        body: serde_json::Value,
    ) -> http_kit::Result<Id<Campaign>> {
        routes::add(&self.0, by, body).await
    }

    /// Stops a campaign that is not over, and deletes it. One that is gone is no error.
    pub async fn remove(&self, by: &Caller, id: Id<Campaign>) -> http_kit::Result<()> {
        routes::remove(&self.0, by, id).await
    }
}

impl Feature for Campaigns {
    fn name(&self) -> &'static str {
        "campaigns"
    }

    fn chain(&self) -> db::Chain {
        chain()
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        vec![CampaignProblem::ALL]
    }

    fn routes(&self) -> ApiRouter {
        routes::routes().with_state(Arc::clone(&self.0))
    }

    fn plug(&self, socket: &mut Socket) {
        let dialers = Arc::clone(&self.0);
        socket.topic(Topic::new("campaigns", Permission::CampaignView, move |account, _| {
            let dialers = Arc::clone(&dialers);
            async move { topics::list(&dialers, account).await }
        }));
        let dialers = Arc::clone(&self.0);
        let live =
            Topic::new("campaign:{id}:live", Permission::CampaignView, move |account, params| {
                let dialers = Arc::clone(&dialers);
                async move { topics::live(&dialers, account, params).await }
            });
        socket.topic(live);
        socket.job(jobs::prepare::Prepare(Arc::clone(&self.0)));
        socket.job(jobs::export::Exporter(Arc::clone(&self.0)));
        socket.job(jobs::purge::Purge(Arc::clone(&self.0)));
        let handles = self.0.handles.clone();
        socket.run("campaigns.exports", move |shutdown| {
            let handles = handles.clone();
            async move { jobs::export::expire(&handles, shutdown).await }
        });
        let handles = self.0.handles.clone();
        socket.run("campaigns.purge", move |shutdown| {
            let handles = handles.clone();
            async move { jobs::purge::ensure_all(&handles, shutdown).await }
        });
        listeners::plug(&self.0, socket);
        let dialers = Arc::clone(&self.0);
        socket.run("campaigns.dialers", move |shutdown| Arc::clone(&dialers).run(shutdown));
        let dialers = Arc::clone(&self.0);
        socket.drain("campaigns.drain", move |_| {
            let dialers = Arc::clone(&dialers);
            async move { dialers.drained().await }
        });
    }
}

/// The tables of campaigns and the views that they publish. They read views of contacts, whose
/// chain belongs before this one.
pub const fn chain() -> db::Chain {
    db::Chain {
        feature: "campaigns",
        migrations: &[
            db::Migration {
                name: "20261120130000_campaign",
                sql: include_str!("../migrations/20261120130000_campaign.sql"),
            },
            db::Migration {
                name: "20261121170000_pulse",
                sql: include_str!("../migrations/20261121170000_pulse.sql"),
            },
            db::Migration {
                name: "20261121171500_export",
                sql: include_str!("../migrations/20261121171500_export.sql"),
            },
            db::Migration {
                name: "20261122100000_presets",
                sql: include_str!("../migrations/20261122100000_presets.sql"),
            },
            db::Migration {
                name: "20261123100000_again",
                sql: include_str!("../migrations/20261123100000_again.sql"),
            },
        ],
        views: include_str!("../migrations/views.sql"),
    }
}
