//! What campaigns hear from contacts.

use std::sync::Arc;

use base::fact::{DoNotCallChanged, ListChanged};
use bus::Fact;
use host::{Handles, Socket};

use crate::{
    jobs::prepare,
    runner::{Command, Dialers},
    store::{campaigns, contacts},
};

/// Puts the listeners into the socket.
pub(crate) fn plug(dialers: &Arc<Dialers>, socket: &mut Socket) {
    let core = Arc::clone(dialers);
    socket.listen("campaigns.take_up", ListChanged::SUBJECT, move |fact| {
        let core = Arc::clone(&core);
        async move { list_changed(&core, fact).await }
    });
    let core = Arc::clone(dialers);
    socket.listen("campaigns.forbid", DoNotCallChanged::SUBJECT, move |fact| {
        let core = Arc::clone(&core);
        async move { do_not_call_changed(&core, fact).await }
    });
}

/// New contacts of a list join the campaigns that call it.
async fn list_changed(dialers: &Arc<Dialers>, fact: Fact) -> Result<(), String> {
    let ListChanged { list } = fact.read()?;
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, now) = (fact.account, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            for campaign in campaigns::by_list(tx, account, list).await? {
                prepare::enqueue(tx, &ids, account, campaign, now).await?;
            }
            Ok(())
        })
    })
    .await
    .map_err(|error| error.to_string())
}

/// Those who wait for a call on the number are excluded, or wait again.
async fn do_not_call_changed(dialers: &Arc<Dialers>, fact: Fact) -> Result<(), String> {
    let DoNotCallChanged { phone } = fact.read()?;
    let (account, now) = (fact.account, dialers.handles.clock.now());
    let concerned = dialers
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move { contacts::judge_again(tx, account, &phone, now).await })
        })
        .await
        .map_err(|error| error.to_string())?;
    for campaign in concerned {
        dialers.tell(account, Command::Work(campaign)).await;
    }
    Ok(())
}
