//! The whole program over a fresh database, with two accounts in it.

use db::Db;
use host::testing::{Desk, World};
use serde_json::{Value, json};
use server::{
    assemble::{Assembled, assemble},
    boot::{Boot, Given},
};

/// What every person of the tests signs in with.
pub(crate) const PASSWORD: &str = "a long enough password";

/// The program and its two owners.
pub(crate) struct House {
    pub(crate) world: World,
    /// The owner of the first account.
    pub(crate) owner: Desk,
    /// The owner of the second.
    pub(crate) other: Desk,
    pub(crate) router: axum::Router,
}

impl House {
    /// Everything assembled as the program is, at `listen`.
    pub(crate) async fn new(db: Db, listen: &str) -> Self {
        let world = World::new(db);
        let boot = Given { listen: listen.parse().unwrap(), ..Given::default() };
        let boot = Boot::with(boot).unwrap();
        let Assembled { app, people, .. } = assemble(world.handles.clone(), &boot).await.unwrap();
        let door = Desk::new(app.router.clone(), app.table);
        let door = door.at(listen);
        let owner = come_in(&door, &people.setup_path().await.unwrap().unwrap(), "one").await;
        let other = come_in(&door, &people.add_account("Two").await.unwrap(), "two").await;
        Self { world, owner, other, router: app.router }
    }

    /// Somebody of the first account with a role: their id and they.
    pub(crate) async fn join(&self, role: &str) -> (String, Desk) {
        let email = format!("{role}@example.com");
        let body = json!({ "name": role, "email": email, "role": role });
        let invited = self.owner.post("/users", body).await.ok();
        let link = invited["invite_link"].as_str().unwrap();
        let body = json!({
            "token": token_of(link), "name": role, "password": PASSWORD, "language": "en",
        });
        let door = self.owner.outside();
        let joined = door.post("/invites/accept", body).await;
        joined.ok();
        (id(&invited["user"]), door.with_token(&joined.token().unwrap()))
    }
}

/// The `id` of a thing.
pub(crate) fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

pub(crate) fn token_of(link: &str) -> &str {
    link.split_once("#token=").unwrap().1
}

async fn come_in(door: &Desk, link: &str, name: &str) -> Desk {
    let body = json!({
        "token": token_of(link), "language": "en", "time_zone": "Europe/Kyiv", "country": "UA",
        "account_name": name, "name": name, "email": format!("{name}@example.com"),
        "password": PASSWORD,
    });
    let made = door.post("/setup", body).await;
    made.ok();
    door.with_token(&made.token().unwrap())
}
