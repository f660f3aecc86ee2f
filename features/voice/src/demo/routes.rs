//! What the demo carrier's phones do, for pages and programs.

use call::Outcome;
use http_kit::{Caller, Json, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Demo,
    behaviour::{Behaviour, DRAWN, FIXED},
};

/// Which table.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Seed {
    /// The seed of the line; 1 when absent.
    seed: Option<u32>,
}

/// What numbers with one ending do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct DemoPhone {
    /// The last two digits.
    ending: String,
    /// What the phone does.
    behaviour: Behaviour,
    /// What comes of a call that plays 5 s or more, when 5 s make a success.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Whether it was drawn by the line's seed.
    drawn: bool,
}

/// List the demo phones
///
/// What numbers under +999 do when a line of the demo carrier calls them, by their last two digits.
/// Numbers with other endings behave as a usual mix of people does, each always in the same way.
#[utoipa::path(
    get, path = "/demo/phones", operation_id = "list_demo_phones", tag = "lines",
    params(Seed),
    responses((status = 200, body = Vec<DemoPhone>))
)]
pub(crate) async fn list_demo_phones(
    _caller: Caller,
    Query(query): Query<Seed>,
) -> Json<Vec<DemoPhone>> {
    let seed = query.seed.unwrap_or(Demo::default().seed);
    let endings = (0..FIXED.len() as u8).chain(DRAWN);
    let phone = |ending: u8| {
        let behaviour = Behaviour::of_ending(ending, seed)?;
        Some(DemoPhone {
            ending: format!("{ending:02}"),
            behaviour,
            outcome: behaviour.outcome(),
            drawn: DRAWN.contains(&ending),
        })
    };
    Json(endings.filter_map(phone).collect())
}
