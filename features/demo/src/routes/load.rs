//! Makes the demo set.

use std::sync::Arc;

use base::{Id, kind::Account};
use http_kit::{Caller, Fields, Json, Result};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{FirstSteps, show};
use crate::{
    NewCampaign, Person, State,
    numbers::{ENDINGS, number},
    store::{self, Set},
};

/// What the parts are called, in the language of whoever asks. English where it is absent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DemoNames {
    /// The line.
    line: Option<String>,
    /// The recording.
    audio: Option<String>,
    /// The contact list.
    list: Option<String>,
    /// The campaign.
    campaign: Option<String>,
    /// The contacts, up to 20; the others are numbered.
    people: Vec<String>,
}

impl DemoNames {
    fn check(&self) -> Result<()> {
        let mut fields = Fields::new();
        for (field, name) in [
            ("line", &self.line),
            ("audio", &self.audio),
            ("list", &self.list),
            ("campaign", &self.campaign),
        ] {
            if let Some(name) = name {
                fields.text(field, name, 1..=60);
            }
        }
        fields.number("people", self.people.len() as u32, 0..=ENDINGS.len() as u32);
        for (at, name) in self.people.iter().enumerate() {
            fields.text(&format!("people.{at}"), name, 1..=100);
        }
        fields.finish()
    }

    fn people(&self) -> Vec<Person> {
        let person = |(at, ending): (usize, u8)| {
            let name = self.people.get(at).map(|name| name.trim().to_owned());
            Some(Person {
                external_id: format!("demo-{ending:02}"),
                name: name.unwrap_or_else(|| format!("Demo {}", at + 1)),
                phone: number(ending)?,
            })
        };
        ENDINGS.into_iter().enumerate().filter_map(person).collect()
    }
}

/// Load the demo data
///
/// A line of the demo carrier, a recording, a list of 20 contacts and a campaign over them. What is
/// there already stays as it is.
#[utoipa::path(
    post, path = "/demo", operation_id = "load_demo", tag = "demo",
    request_body = DemoNames,
    responses((status = 200, body = FirstSteps))
)]
pub(crate) async fn load_demo(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    caller: Caller,
    Json(names): Json<DemoNames>,
) -> Result<Json<FirstSteps>> {
    names.check()?;
    let _turn = state.turn.lock().await;
    make(&state, &caller, &names).await?;
    show(&state, caller.account).await.map(Json)
}

/// Makes what is missing, and notes each part as soon as it is there.
async fn make(state: &State, by: &Caller, names: &DemoNames) -> Result<()> {
    let (account, parts) = (by.account, &state.parts);
    let mut set = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let mut set = store::get(tx, account).await?;
                if set.removed_at.take().is_some() {
                    set.campaign = None;
                }
                store::existing(tx, account, set).await
            })
        })
        .await?;
    let name = |given: Option<&str>, usual: &str| given.map_or(usual, str::trim).to_owned();
    let line = match set.line {
        Some(line) => line,
        None => parts.add_line(by, &name(names.line.as_deref(), "Demo line")).await?,
    };
    set.line = Some(line);
    keep(state, account, &set).await?;
    let audio = match set.audio {
        Some(audio) => audio,
        None => parts.add_audio(by, &name(names.audio.as_deref(), "Demo announcement")).await?,
    };
    set.audio = Some(audio);
    keep(state, account, &set).await?;
    let list = match set.list {
        Some(list) => list,
        None => {
            parts
                .add_list(by, &name(names.list.as_deref(), "Demo contacts"), names.people())
                .await?
        }
    };
    set.list = Some(list);
    keep(state, account, &set).await?;
    if set.campaign.is_none() {
        let name = name(names.campaign.as_deref(), "Demo campaign");
        let campaign = NewCampaign { name, line, audio, list };
        set.campaign = Some(parts.add_campaign(by, campaign).await?);
        keep(state, account, &set).await?;
    }
    Ok(())
}

/// Stores the set as far as it is made.
pub(super) async fn keep(state: &State, account: Id<Account>, set: &Set) -> Result<()> {
    let (set, now) = (set.clone(), state.handles.clock.now());
    state
        .handles
        .db
        .write(move |tx| Box::pin(async move { store::put(tx, account, &set, now).await }))
        .await?;
    Ok(())
}
