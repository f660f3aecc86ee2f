//! Lists made and removed for another feature, without a file.

use std::sync::Arc;

use base::{Id, PhoneNumber, Timestamp, fact::ListChanged, kind};
use clock::Ids;
use db::{Tx, args, outbox, sql};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Path, Result};
use serde_json::{Value, json};

use crate::{
    State,
    routes::lists::delete_list,
    store::{contacts::search_text, lists},
};

/// A contact to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContact {
    /// Its id in the list.
    pub external_id: String,
    /// What it is called.
    pub name: String,
    /// Its number.
    pub phone: PhoneNumber,
}

/// Makes a list of `contacts` in one unit of work, under `name` or the same with a number behind it.
pub(crate) async fn add(
    state: &Arc<State>,
    by: &Caller,
    name: &str,
    contacts: Vec<NewContact>,
) -> Result<Id<kind::ContactList>> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (by.account, by.user, clock.now());
    let list = ids.next::<kind::ContactList>();
    let wished = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let mut name = wished.clone();
            let mut n = 1;
            while lists::is_taken(tx, account, &name, None).await? {
                n += 1;
                name = format!("{wished} {n}");
            }
            lists::insert(tx, account, list, &name, now).await?;
            let import = ids.next::<kind::Import>();
            for contact in &contacts {
                insert(tx, account, (list, import), ids.next(), contact, now).await?;
            }
            let version = count(tx, account, list, contacts.len() as i64, now).await?;
            tell(tx, &ids, account, list, version).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "list.create",
                subject: format!("list:{list}"),
                detail: json!({ "name": name, "contacts": contacts.len() }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await?;
    hub.touch(account, &format!("list:{list}"));
    Ok(list)
}

/// Removes a list; one that is gone is no error.
pub(crate) async fn remove(
    state: &Arc<State>,
    by: &Caller,
    list: Id<kind::ContactList>,
) -> Result<()> {
    let account = by.account;
    let found = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { lists::get(tx, account, list).await }))
        .await;
    match found {
        Ok(_) => {}
        Err(db::Error::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let state = axum::extract::State(Arc::clone(state));
    delete_list(state, by.clone(), Path(list)).await.map(drop)
}

async fn insert(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    (list, import): (Id<kind::ContactList>, Id<kind::Import>),
    id: Id<kind::ListContact>,
    contact: &NewContact,
    now: Timestamp,
) -> db::Result<()> {
    let NewContact { external_id, name, phone } = contact;
    let search = search_text(Some(external_id), name, std::iter::once(phone.digits()));
    tx.exec(
        sql!(
            "INSERT INTO list_contact (id, account, list, external_id, name, first_phone, zone,
                                       variables, source, import, search, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, 'demo', $8, $9, $10, $10)"
        ),
        args![
            id,
            account,
            list,
            external_id,
            name,
            phone,
            Value::Object(serde_json::Map::new()),
            import,
            search,
            now
        ],
    )
    .await?;
    tx.exec(
        sql!(
            "INSERT INTO list_number (account, list, contact, ordinal, phone, kind)
             VALUES ($1, $2, $3, 0, $4, 'mobile')"
        ),
        args![account, list, id, phone],
    )
    .await?;
    Ok(())
}

/// Counts the contacts of a new list; gives its version.
async fn count(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    contacts: i64,
    now: Timestamp,
) -> db::Result<i64> {
    let (version,): (i64,) = tx
        .one(
            sql!(
                "UPDATE contact_list SET contacts = $3, numbers = $3, version = version + 1,
                        updated_at = $4
                 WHERE account = $1 AND id = $2 RETURNING version"
            ),
            args![account, list, contacts, now],
        )
        .await?;
    Ok(version)
}

async fn tell(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    version: i64,
) -> db::Result<()> {
    let subject = format!("{}:{list}", ListChanged::SUBJECT);
    outbox::put(tx, ids, account, &subject, version, &ListChanged { list }).await
}
