#![doc = include_str!("../README.md")]

mod password;
mod places;
mod problems;
mod routes;
mod sessions;
mod store;
mod token;
mod view;

use std::{net::IpAddr, sync::Arc, time::Duration};

use access::Permission;
use base::{Id, kind};
use host::{
    Feature, Handles, Socket,
    audit::{self, AuditEntry},
};
use http_kit::{ApiRouter, ProblemInfo, Result, Sessions, Throttle, routes};
use serde_json::json;

use crate::{password::Hasher, store::account::AccountRow, token::Token};

/// How long a set-up link is good.
const SETUP: Duration = Duration::from_hours(24);

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct People(Arc<State>);

pub(crate) struct State {
    pub(crate) handles: Handles,
    pub(crate) hasher: Hasher,
    /// Failed sign-ins by the address they come from, and by the e-mail address they name.
    pub(crate) tries_by_address: Throttle<IpAddr>,
    pub(crate) tries_by_email: Throttle<String>,
    /// Wrong present passwords, by person.
    pub(crate) tries_by_person: Throttle<Id<kind::User>>,
    pub(crate) insecure_http: bool,
}

impl People {
    /// `insecure_http`: whether the server is reached from other machines without encryption,
    /// which every page then says.
    pub fn new(handles: Handles, insecure_http: bool) -> Result<Self> {
        let clock = &handles.clock;
        Ok(Self(Arc::new(State {
            hasher: Hasher::new()?,
            tries_by_address: Throttle::new(clock.clone(), 20, Duration::from_secs(6)),
            tries_by_email: Throttle::new(clock.clone(), 8, Duration::from_mins(1)),
            tries_by_person: Throttle::new(clock.clone(), 8, Duration::from_mins(1)),
            insecure_http,
            handles,
        })))
    }

    /// Where sessions are kept.
    pub fn sessions(&self) -> Arc<dyn Sessions> {
        Arc::clone(&self.0) as Arc<dyn Sessions>
    }

    /// Path and fragment of the link by which the owner comes in, if there is no owner yet. Every
    /// call makes a new token in place of the one before; it is good for 24 hours. In the
    /// fragment, it does not reach logs nor proxies.
    pub async fn setup_path(&self) -> Result<Option<String>> {
        let (token, now) = (Token::new(), self.0.handles.clock.now());
        let hash = token.hash.clone();
        let write = self.0.handles.db.write(move |tx| {
            Box::pin(async move {
                if store::person::any_owner(tx).await? {
                    return Ok(false);
                }
                store::setup::put(tx, store::setup::FIRST, hash, now, now.plus(SETUP)).await?;
                Ok(true)
            })
        });
        Ok(write.await?.then(|| format!("/setup#token={}", token.text)))
    }

    /// Makes another account and returns path and fragment of its owner's set-up link, good for 24
    /// hours.
    pub async fn add_account(&self, name: &str) -> Result<String> {
        let mut fields = http_kit::Fields::new();
        fields.text("name", name, 1..=100);
        fields.finish()?;
        let (token, now, ids) =
            (Token::new(), self.0.handles.clock.now(), self.0.handles.ids.clone());
        let row = AccountRow::new(ids.next(), name.trim().to_owned(), false);
        let hash = token.hash.clone();
        let write = self.0.handles.db.write(move |tx| {
            Box::pin(async move {
                store::account::insert(tx, &row, now).await?;
                store::setup::put(tx, row.id, hash, now, now.plus(SETUP)).await?;
                let entry = AuditEntry {
                    account: row.id,
                    user: None,
                    action: "account.create",
                    subject: format!("account:{}", row.id),
                    detail: json!({ "name": row.name }),
                };
                audit::record(tx, &ids, entry, now).await
            })
        });
        write.await?;
        Ok(format!("/setup#token={}", token.text))
    }
}

impl Feature for People {
    fn name(&self) -> &'static str {
        "people"
    }

    fn chain(&self) -> db::Chain {
        db::Chain {
            feature: "people",
            migrations: &[db::Migration {
                name: "20261120120000_people",
                sql: include_str!("../migrations/20261120120000_people.sql"),
            }],
            views: include_str!("../migrations/views.sql"),
        }
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        vec![problems::PeopleProblem::ALL]
    }

    fn routes(&self) -> ApiRouter {
        use Permission::{AccountManage, AccountView, Me, UserManage, UserView};
        ApiRouter::new()
            .public("nobody can sign in before set-up", routes!(routes::setup_needed::setup_needed))
            .public("the one-time token is the proof", routes!(routes::setup::setup))
            .public("this is where one signs in", routes!(routes::sign_in::sign_in))
            .with(Me, routes!(routes::me_get::get_me))
            .with(Me, routes!(routes::sign_out::sign_out))
            .with(UserView, routes!(routes::user_list::list_users))
            .with(UserManage, routes!(routes::user_add::add_user))
            .with(UserManage, routes!(routes::user_change::change_user))
            .with(UserManage, routes!(routes::user_invite::invite_user))
            .public("the one-time token is the proof", routes!(routes::invite_check::check_invite))
            .public(
                "the one-time token is the proof",
                routes!(routes::invite_accept::accept_invite),
            )
            .with(UserView, routes!(routes::role_list::list_roles))
            .with(Me, routes!(routes::me_change::change_me))
            .with(Me, routes!(routes::password_change::change_password))
            .with(Me, routes!(routes::session_list::list_sessions))
            .with(Me, routes!(routes::session_end::end_session))
            .with(AccountView, routes!(routes::account_get::get_account))
            .with(AccountManage, routes!(routes::account_change::change_account))
            .with_state(Arc::clone(&self.0))
    }

    fn plug(&self, _: &mut Socket) {}
}
