//! Lines made and removed for another feature.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use dialer::Speed;
use http_kit::{Caller, Json, Path, Result};

use super::{
    routes::{create::create_line, delete::delete_line},
    view::LineChange,
};
use crate::{State as Voice, demo::Demo};

/// Adds a line of the demo carrier, under a free name: ten channels, five calls a second, 60 times
/// the real speed.
pub(crate) async fn add_demo(
    voice: &Arc<Voice>,
    by: &Caller,
    name: &str,
) -> Result<Id<kind::Line>> {
    let taken: Vec<String> =
        voice.book.of(by.account).into_iter().map(|shown| shown.line.name.clone()).collect();
    let name = (1..=taken.len() + 1)
        .map(|n| if n == 1 { name.to_owned() } else { format!("{name} {n}") })
        .find(|name| !taken.contains(name));
    let demo = Demo { speed: Speed::SixtyTimes, ..Demo::default() };
    let wish = LineChange::of_demo(name, demo);
    let (_, Json(made)) = create_line(State(Arc::clone(voice)), by.clone(), Json(wish)).await?;
    Ok(made.id())
}

/// Removes a line; one that is gone is no error.
pub(crate) async fn remove(voice: &Arc<Voice>, by: &Caller, line: Id<kind::Line>) -> Result<()> {
    if voice.book.shown(by.account, line).is_none() {
        return Ok(());
    }
    delete_line(State(Arc::clone(voice)), by.clone(), Path(line)).await.map(drop)
}
