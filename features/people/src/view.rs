//! People as the API shows them.

use access::{PermissionSet, Role};
use base::{Id, Locale, kind};
use http_kit::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::{account::AccountRow, person::PersonRow, session::SessionRow};

/// Colours of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    Light,
    Dark,
    /// As the device is set.
    Auto,
}

impl Theme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Auto => "auto",
        }
    }
}

/// The signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    user: MyUser,
    account: Account,
    /// What the pages may show and do.
    #[schema(value_type = Vec<String>)]
    permissions: PermissionSet,
    /// Whether the server is reached from other machines without encryption: every page says so.
    insecure_http: bool,
}

/// Oneself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyUser {
    #[schema(value_type = String)]
    id: Id<kind::User>,
    name: String,
    email: String,
    /// One of en, uk, ru, uz, vi.
    #[schema(value_type = String)]
    language: Locale,
    /// One of light, dark, auto.
    theme: String,
    /// Absent: the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[schema(value_type = String)]
    role: Role,
    /// Whether they own the account.
    owner: bool,
    /// Whether they own the installation.
    install_owner: bool,
}

/// The account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    #[schema(value_type = String)]
    id: Id<kind::Account>,
    name: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// A name of the IANA database.
    time_zone: String,
    /// The language of people who have not chosen one.
    #[schema(value_type = String)]
    language: Locale,
}

/// Whether somebody can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserState {
    /// The invitation is not accepted yet.
    Invited,
    Active,
    Disabled,
}

/// A person of the account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    #[schema(value_type = String)]
    id: Id<kind::User>,
    name: String,
    email: String,
    #[schema(value_type = String)]
    role: Role,
    owner: bool,
    state: UserState,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When they last used the pages, to within five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Time>,
}

/// A link by which somebody comes in, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invite {
    pub(crate) invite_link: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) expires_at: Time,
}

/// A person who was just invited, and their link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitedUser {
    pub(crate) user: User,
    #[serde(flatten)]
    pub(crate) invite: Invite,
}

/// A signed-in browser of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MySession {
    #[schema(value_type = String)]
    id: Id<kind::Session>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    used_at: Time,
    /// What the browser calls itself.
    agent: String,
    /// The IP address that it signed in from.
    address: String,
    /// Whether it outlives the closing of the browser.
    stay: bool,
    /// Whether it is the one that asks.
    current: bool,
}

/// A role and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleView {
    #[schema(value_type = String)]
    pub(crate) role: Role,
    #[schema(value_type = Vec<String>)]
    pub(crate) permissions: PermissionSet,
}

pub(crate) fn me(person: &PersonRow, account: &AccountRow, insecure_http: bool) -> db::Result<Me> {
    let role = person.role()?;
    Ok(Me {
        user: MyUser {
            id: person.id,
            name: person.name.clone(),
            email: person.email.clone(),
            language: person.language()?,
            theme: person.theme.clone(),
            time_zone: person.time_zone.clone(),
            role,
            owner: person.owner,
            install_owner: person.owner && account.install,
        },
        account: account_view(account)?,
        permissions: role.permissions(),
        insecure_http,
    })
}

pub(crate) fn account_view(account: &AccountRow) -> db::Result<Account> {
    Ok(Account {
        id: account.id,
        name: account.name.clone(),
        country: account.country.clone(),
        time_zone: account.time_zone.clone(),
        language: account.language()?,
    })
}

pub(crate) fn user(person: &PersonRow) -> db::Result<User> {
    let state = if person.disabled_at.is_some() {
        UserState::Disabled
    } else if person.password.is_none() {
        UserState::Invited
    } else {
        UserState::Active
    };
    Ok(User {
        id: person.id,
        name: person.name.clone(),
        email: person.email.clone(),
        role: person.role()?,
        owner: person.owner,
        state,
        created_at: person.created_at.into(),
        last_seen_at: person.seen_at.map(Time),
    })
}

pub(crate) fn session(row: SessionRow, current: Id<kind::Session>) -> MySession {
    MySession {
        id: row.id,
        created_at: row.created_at.into(),
        used_at: row.used_at.into(),
        agent: row.agent,
        address: row.address,
        stay: row.stay,
        current: row.id == current,
    }
}
