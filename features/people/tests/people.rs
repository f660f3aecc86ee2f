//! People through HTTP, on both engines, with the clock moved by hand.

use std::time::Duration;

use axum::http::Method;
use base::{Id, kind};
use db::{args, record, sql};
use host::testing::{Desk, World};
use people::People;
use serde_json::{Value, json};

const PASSWORD: &str = "a long enough password";

/// A world with people in front of it.
struct House {
    world: World,
    people: People,
    desk: Desk,
}

async fn story<F, R>(tell: F)
where
    F: Fn(House) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&[], |db| {
        let tell = &tell;
        async move {
            let world = World::new(db.clone());
            let people = People::new(world.handles.clone(), false).unwrap();
            let own = host::Feature::chain(&people);
            db.migrate(&[http_kit::chain(), jobs::chain(), host::chain(), own]).await.unwrap();
            let (desk, _) = world.desk_with(&[&people], people.sessions());
            tell(House { world, people, desk }).await;
        }
    })
    .await;
}

fn token_of(link: &str) -> String {
    link.split_once("#token=").unwrap().1.to_owned()
}

fn setup_body(token: &str, email: &str) -> Value {
    json!({
        "token": token, "language": "uk", "time_zone": "Europe/Kyiv", "country": "UA",
        "account_name": "Acme", "name": "Olena", "email": email, "password": PASSWORD,
    })
}

impl House {
    /// The owner of the first account, signed in.
    async fn owner(&self) -> Desk {
        let link = self.people.setup_path().await.unwrap().unwrap();
        let made =
            self.desk.post("/setup", setup_body(&token_of(&link), "olena@example.com")).await;
        made.ok();
        self.desk.with_token(&made.token().unwrap())
    }

    /// The owner of another account, signed in.
    async fn other_owner(&self) -> Desk {
        let link = self.people.add_account("Other").await.unwrap();
        let made =
            self.desk.post("/setup", setup_body(&token_of(&link), "other@example.com")).await;
        self.desk.with_token(&made.token().unwrap())
    }

    /// Somebody whom `by` invited and who came in: their id, and they.
    async fn join(&self, by: &Desk, email: &str, role: &str) -> (String, Desk) {
        let wanted = json!({ "name": email, "email": email, "role": role });
        let invited = by.post("/users", wanted).await.ok();
        let token = token_of(invited["invite_link"].as_str().unwrap());
        let body =
            json!({ "token": token, "name": "Petro", "password": PASSWORD, "language": "en" });
        let joined = self.desk.post("/invites/accept", body).await;
        joined.ok();
        let id = invited["user"]["id"].as_str().unwrap().to_owned();
        (id, self.desk.with_token(&joined.token().unwrap()))
    }

    async fn sign_in(&self, email: &str, password: &str) -> host::testing::Answer {
        let body = json!({ "email": email, "password": password });
        self.desk.post("/session", body).await
    }

    /// Every audit row: account is known, person is known, action.
    async fn audit(&self) -> Vec<AuditRow> {
        let read = self.world.handles.db.read(|tx| {
            Box::pin(async move {
                tx.all(
                    sql!("SELECT account, person, action, detail FROM audit ORDER BY at, id"),
                    args![],
                )
                .await
            })
        });
        read.await.unwrap()
    }

    async fn actions(&self) -> Vec<String> {
        self.audit().await.into_iter().map(|row| row.action).collect()
    }
}

record! {
    #[derive(Debug)]
    struct AuditRow {
        account: i64,
        person: Option<i64>,
        action: String,
        detail: Value,
    }
}

#[tokio::test]
async fn the_set_up_link_makes_the_owner_once() {
    story(|house| async move {
        assert_eq!(house.desk.get("/setup").await.ok(), json!({ "needed": true }));
        let first = house.people.setup_path().await.unwrap().unwrap();
        assert!(first.starts_with("/setup#token="), "{first}");
        let second = house.people.setup_path().await.unwrap().unwrap();
        let refused = house.desk.post("/setup", setup_body(&token_of(&first), "a@b.c")).await;
        let invalid = (403, "setup_token_invalid".to_owned());
        assert_eq!(refused.problem(), invalid, "each start replaces the token");
        let body = setup_body(&token_of(&second), "Olena@Example.com");
        let made = house.desk.post("/setup", body.clone()).await;
        let me = made.ok();
        assert_eq!(made.status.as_u16(), 201);
        assert_eq!(me["user"]["owner"], true);
        assert_eq!(me["user"]["install_owner"], true);
        assert_eq!(me["user"]["role"], "administrator");
        assert_eq!(me["account"]["time_zone"], "Europe/Kyiv");
        assert_eq!(me["insecure_http"], false);
        assert_eq!(house.desk.post("/setup", body).await.problem(), invalid);
        assert_eq!(house.people.setup_path().await.unwrap(), None);
        assert_eq!(house.desk.get("/setup").await.ok(), json!({ "needed": false }));
        let owner = house.desk.with_token(&made.token().unwrap());
        assert_eq!(owner.get("/session").await.ok(), me);
        assert_eq!(house.actions().await, ["account.setup", "session.create"]);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_use_the_set_up_link_at_once_one_becomes_the_owner() {
    story(|house| async move {
        let token = token_of(&house.people.setup_path().await.unwrap().unwrap());
        let (one, two) = tokio::join!(
            house.desk.post("/setup", setup_body(&token, "one@example.com")),
            house.desk.post("/setup", setup_body(&token, "two@example.com")),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 403]);
    })
    .await;
}

#[tokio::test]
async fn the_set_up_link_is_good_for_24_hours_and_its_token_is_stored_as_a_hash() {
    story(|house| async move {
        let link = house.people.setup_path().await.unwrap().unwrap();
        let stored: (Vec<u8>,) = house
            .world
            .handles
            .db
            .read(|tx| {
                Box::pin(
                    async move { tx.one(sql!("SELECT token FROM setup_token"), args![]).await },
                )
            })
            .await
            .unwrap();
        assert_eq!(stored.0.len(), 32);
        assert_ne!(stored.0, token_of(&link).into_bytes());
        house.world.hand.advance(Duration::from_hours(24));
        let refused = house.desk.post("/setup", setup_body(&token_of(&link), "a@b.c")).await;
        assert_eq!(refused.problem().1, "setup_token_invalid");
    })
    .await;
}

#[tokio::test]
async fn set_up_names_every_field_that_cannot_be_accepted() {
    story(|house| async move {
        let link = house.people.setup_path().await.unwrap().unwrap();
        let body = json!({
            "token": token_of(&link), "language": "uk", "time_zone": "Mars/Base", "country": "xx",
            "account_name": " ", "name": "", "email": "olena", "password": "olena",
        });
        assert_eq!(
            house.desk.post("/setup", body).await.faults(),
            [
                "time_zone: unknown_time_zone",
                "country: unknown_country",
                "account_name: required",
                "name: required",
                "email: invalid_email",
                "password: too_short",
            ]
        );
        let mut body = setup_body(&token_of(&link), "a@b.c");
        body["language"] = json!("xx");
        assert_eq!(house.desk.post("/setup", body).await.faults(), ["language: invalid_value"]);
        let broken = house
            .desk
            .send(Method::POST, "/setup", "{".into(), &[("content-type", "application/json")])
            .await;
        assert_eq!(broken.problem(), (400, "malformed_json".to_owned()));
        let plain = house.desk.send(Method::POST, "/setup", "{}".into(), &[]).await;
        assert_eq!(plain.problem(), (415, "unsupported_media_type".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_address_and_a_wrong_password_are_answered_alike() {
    story(|house| async move {
        house.owner().await;
        let unknown = house.sign_in("nobody@example.com", PASSWORD).await;
        let wrong = house.sign_in("olena@example.com", "not the password").await;
        assert_eq!(unknown.status.as_u16(), 401);
        assert_eq!(unknown.value(), wrong.value());
        assert_eq!(unknown.value()["params"]["tries_left"], 7);
        let right = house.sign_in(" OLENA@example.com ", PASSWORD).await;
        assert_eq!(right.ok()["user"]["email"], "olena@example.com");
        let rows = house.audit().await;
        let refused: Vec<_> = rows.iter().filter(|row| row.action == "session.refuse").collect();
        assert_eq!(refused.len(), 2, "both leave a row");
        assert_eq!((refused[0].account, refused[0].person), (0, None));
        assert!(refused[1].account > 0 && refused[1].person.is_some());
        assert_eq!(refused[1].detail["address"], "10.0.0.1");
        assert!(!format!("{refused:?}").contains("nobody"), "the typed address is not kept");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_failed_eight_times_waits_and_others_do_not() {
    story(|house| async move {
        house.owner().await;
        for n in 0..8 {
            let from = house.desk.from(100 + n);
            let body = json!({ "email": "olena@example.com", "password": "wrong wrong wrong" });
            assert_eq!(from.post("/session", body).await.status.as_u16(), 401);
        }
        let right = house.sign_in("olena@example.com", PASSWORD).await;
        assert_eq!(right.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(right.headers["retry-after"], "60");
        assert_eq!(right.value()["params"]["retry_after_s"], 60);
        assert_eq!(house.sign_in("nobody@example.com", PASSWORD).await.status.as_u16(), 401);
        house.world.hand.advance(Duration::from_mins(1));
        house.sign_in("olena@example.com", PASSWORD).await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_client_who_guesses_addresses_waits_and_others_do_not() {
    story(|house| async move {
        house.owner().await;
        for n in 0..20 {
            let answer = house.sign_in(&format!("n{n}@example.com"), "wrong wrong wrong").await;
            assert_eq!(answer.status.as_u16(), 401);
        }
        assert_eq!(house.sign_in("olena@example.com", PASSWORD).await.status.as_u16(), 429);
        let elsewhere = house.desk.from(2);
        let body = json!({ "email": "olena@example.com", "password": PASSWORD });
        elsewhere.post("/session", body).await.ok();
    })
    .await;
}

#[tokio::test]
async fn what_succeeds_does_not_count_as_a_try() {
    story(|house| async move {
        house.owner().await;
        for _ in 0..30 {
            house.sign_in("olena@example.com", PASSWORD).await.ok();
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_without_use_and_at_its_end() {
    story(|house| async move {
        house.owner().await;
        let short = house.sign_in("olena@example.com", PASSWORD).await;
        let cookie = short.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        let body = json!({ "email": "olena@example.com", "password": PASSWORD, "stay": true });
        let long = house.desk.post("/session", body).await;
        let cookie = long.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Max-Age=7776000"), "{cookie}");
        let short = house.desk.with_token(&short.token().unwrap());
        let long = house.desk.with_token(&long.token().unwrap());
        house.world.hand.advance(Duration::from_hours(11));
        short.get("/session").await.ok();
        house.world.hand.advance(Duration::from_hours(12));
        assert_eq!(short.get("/session").await.problem(), (401, "sign_in_required".to_owned()));
        for _ in 0..3 {
            house.world.hand.advance(Duration::from_hours(29 * 24));
            long.get("/session").await.ok();
        }
        house.world.hand.advance(Duration::from_hours(3 * 24));
        assert_eq!(long.get("/session").await.status.as_u16(), 401, "90 days in all");
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    story(|house| async move {
        let owner = house.owner().await;
        let out = owner.delete("/session").await;
        assert_eq!(out.status.as_u16(), 204);
        assert_eq!(out.token().as_deref(), Some(""));
        assert_eq!(owner.get("/session").await.status.as_u16(), 401);
        assert_eq!(house.actions().await.last().unwrap(), "session.end");
    })
    .await;
}

#[tokio::test]
async fn signing_in_anew_ends_the_session_that_the_browser_brought() {
    story(|house| async move {
        let owner = house.owner().await;
        let body = json!({ "email": "olena@example.com", "password": PASSWORD });
        let again = owner.post("/session", body).await;
        again.ok();
        assert_eq!(owner.get("/session").await.status.as_u16(), 401);
        let now = house.desk.with_token(&again.token().unwrap());
        assert_eq!(now.get("/me/sessions").await.ok().as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once() {
    story(|house| async move {
        let owner = house.owner().await;
        let wanted = json!({ "name": "Petro", "email": "petro@example.com", "role": "supervisor" });
        let invited = owner.post("/users", wanted.clone()).await;
        assert_eq!(invited.status.as_u16(), 201);
        let invited = invited.ok();
        let link = invited["invite_link"].as_str().unwrap();
        assert!(link.starts_with("http://127.0.0.1/invite#token="), "{link}");
        assert_eq!(invited["user"]["state"], "invited");
        assert_eq!(invited["expires_at"], "2026-11-27T08:00:00Z");
        let token = token_of(link);
        assert_eq!(house.sign_in("petro@example.com", "").await.status.as_u16(), 401);
        let about = house.desk.post("/invites/check", json!({ "token": token })).await.ok();
        assert_eq!(
            about,
            json!({
                "name": "Petro", "email": "petro@example.com", "account_name": "Acme",
                "joined": false,
            })
        );
        let body = |password: &str| {
            json!({ "token": token, "name": "Petro P.", "password": password, "language": "vi" })
        };
        let obvious = house.desk.post("/invites/accept", body("petro@example.com")).await;
        assert_eq!(obvious.faults(), ["password: password_is_email"]);
        let joined = house.desk.post("/invites/accept", body(PASSWORD)).await;
        let me = joined.ok();
        assert_eq!(me["user"]["name"], "Petro P.");
        assert_eq!(me["user"]["language"], "vi");
        assert_eq!(me["user"]["owner"], false);
        assert_eq!(me["user"]["install_owner"], false);
        let again = house.desk.post("/invites/accept", body(PASSWORD)).await;
        assert_eq!(again.problem(), (403, "invite_invalid".to_owned()));
        house.sign_in("petro@example.com", PASSWORD).await.ok();
        let taken = owner.post("/users", wanted).await;
        assert_eq!(taken.problem(), (409, "email_taken".to_owned()));
        let actions = house.actions().await;
        assert!(actions.contains(&"user.invite".to_owned()), "{actions:?}");
        assert!(actions.contains(&"user.join".to_owned()), "{actions:?}");
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_good_for_seven_days_and_a_new_one_replaces_it() {
    story(|house| async move {
        let owner = house.owner().await;
        let wanted = json!({ "name": "P", "email": "p@example.com", "role": "operator" });
        let invited = owner.post("/users", wanted).await.ok();
        let id = invited["user"]["id"].as_str().unwrap();
        let first = token_of(invited["invite_link"].as_str().unwrap());
        let second = owner.post(&format!("/users/{id}/invite"), json!({})).await.ok();
        let second = token_of(second["invite_link"].as_str().unwrap());
        let check = async |token: &str| {
            house.desk.post("/invites/check", json!({ "token": token })).await.status.as_u16()
        };
        assert_eq!(check(&first).await, 403);
        assert_eq!(check(&second).await, 200);
        house.world.hand.advance(Duration::from_hours(7 * 24));
        assert_eq!(check(&second).await, 403);
    })
    .await;
}

/// CONE-27: an administrator makes a link by hand; single use, one hour, old sessions ended.
#[tokio::test]
async fn cone_27_a_forgotten_password_is_set_anew_by_a_link() {
    story(|house| async move {
        let owner = house.owner().await;
        let (id, petro) = house.join(&owner, "petro@example.com", "analyst").await;
        let made = owner.post(&format!("/users/{id}/invite"), json!({})).await.ok();
        assert_eq!(made["expires_at"], "2026-11-20T09:00:00Z");
        let token = token_of(made["invite_link"].as_str().unwrap());
        let about = house.desk.post("/invites/check", json!({ "token": token })).await.ok();
        assert_eq!(about["joined"], true);
        let body = json!({
            "token": token, "name": "Petro", "password": "another long one", "language": "en",
        });
        house.desk.post("/invites/accept", body).await.ok();
        assert_eq!(petro.get("/session").await.status.as_u16(), 401);
        assert_eq!(house.sign_in("petro@example.com", PASSWORD).await.status.as_u16(), 401);
        house.sign_in("petro@example.com", "another long one").await.ok();
    })
    .await;
}

#[tokio::test]
async fn disabling_a_person_ends_their_sessions_and_their_way_in() {
    story(|house| async move {
        let owner = house.owner().await;
        let (id, petro) = house.join(&owner, "petro@example.com", "operator").await;
        let path = format!("/users/{id}");
        let disabled = owner.patch(&path, json!({ "disabled": true })).await.ok();
        assert_eq!(disabled["state"], "disabled");
        assert_eq!(petro.get("/session").await.status.as_u16(), 401);
        let refused = house.sign_in("petro@example.com", PASSWORD).await;
        assert_eq!(refused.problem(), (401, "wrong_credentials".to_owned()));
        let link = owner.post(&format!("{path}/invite"), json!({})).await;
        assert_eq!(link.problem(), (409, "user_disabled".to_owned()));
        owner.patch(&path, json!({ "disabled": false })).await.ok();
        house.sign_in("petro@example.com", PASSWORD).await.ok();
        assert_eq!(petro.get("/session").await.status.as_u16(), 401, "ended for good");
    })
    .await;
}

#[tokio::test]
async fn a_new_role_holds_from_the_next_request() {
    story(|house| async move {
        let owner = house.owner().await;
        let (id, petro) = house.join(&owner, "petro@example.com", "operator").await;
        assert_eq!(petro.get("/users").await.problem(), (403, "forbidden".to_owned()));
        owner.patch(&format!("/users/{id}"), json!({ "role": "supervisor" })).await.ok();
        petro.get("/users").await.ok();
        let rows = house.audit().await;
        assert_eq!(rows.last().unwrap().detail, json!({ "role": ["operator", "supervisor"] }));
    })
    .await;
}

#[tokio::test]
async fn the_owner_and_ones_own_access_are_protected() {
    story(|house| async move {
        let owner = house.owner().await;
        let (id, admin) = house.join(&owner, "petro@example.com", "administrator").await;
        let owner_id = owner.get("/session").await.ok()["user"]["id"].as_str().unwrap().to_owned();
        let owner_path = format!("/users/{owner_id}");
        for change in [json!({ "disabled": true }), json!({ "role": "operator" })] {
            let by_other = admin.patch(&owner_path, change.clone()).await;
            assert_eq!(by_other.problem(), (409, "owner_protected".to_owned()));
            let by_self = owner.patch(&owner_path, change.clone()).await;
            assert_eq!(by_self.problem(), (409, "owner_protected".to_owned()));
            let own = admin.patch(&format!("/users/{id}"), change).await;
            assert_eq!(own.problem(), (409, "own_access".to_owned()));
        }
        let link = admin.post(&format!("{owner_path}/invite"), json!({})).await;
        assert_eq!(link.problem(), (409, "owner_protected".to_owned()));
        owner.patch(&owner_path, json!({ "name": "Olena K." })).await.ok();
        // Whoever administered the account may be gone, the owner is not.
        owner.patch(&format!("/users/{id}"), json!({ "disabled": true })).await.ok();
        owner.get("/users").await.ok();
    })
    .await;
}

#[tokio::test]
async fn another_account_is_not_there() {
    story(|house| async move {
        let owner = house.owner().await;
        let (id, petro) = house.join(&owner, "petro@example.com", "operator").await;
        let other = house.other_owner().await;
        let me = other.get("/session").await.ok();
        assert_eq!(me["user"]["install_owner"], false);
        assert_eq!(me["user"]["owner"], true);
        let missing = (404, "user_not_found".to_owned());
        assert_eq!(other.patch(&format!("/users/{id}"), json!({})).await.problem(), missing);
        let link = other.post(&format!("/users/{id}/invite"), json!({})).await;
        assert_eq!(link.problem(), missing);
        assert_eq!(other.get("/users").await.ok().as_array().unwrap().len(), 1);
        let taken = json!({ "name": "P", "email": "PETRO@example.com", "role": "operator" });
        assert_eq!(other.post("/users", taken).await.problem().1, "email_taken");
        let session = petro.get("/me/sessions").await.ok()[0]["id"].as_str().unwrap().to_owned();
        let ended = other.delete(&format!("/me/sessions/{session}")).await;
        assert_eq!(ended.problem(), (404, "session_not_found".to_owned()));
        petro.get("/session").await.ok();
    })
    .await;
}

#[tokio::test]
async fn ones_own_profile_password_and_sessions() {
    story(|house| async move {
        let owner = house.owner().await;
        let change = json!({ "language": "uz", "theme": "dark", "time_zone": "Asia/Tashkent" });
        let me = owner.patch("/me", change).await.ok();
        assert_eq!(me["user"]["language"], "uz");
        assert_eq!(me["user"]["theme"], "dark");
        assert_eq!(me["user"]["time_zone"], "Asia/Tashkent");
        let me = owner.patch("/me", json!({ "time_zone": null, "name": "O" })).await.ok();
        assert_eq!(me["user"].get("time_zone"), None);
        assert_eq!(me["user"]["theme"], "dark", "what is not named stays");
        assert_eq!(owner.patch("/me", json!({ "role": "x" })).await.status.as_u16(), 422);

        let second = house.sign_in("olena@example.com", PASSWORD).await;
        let second = house.desk.with_token(&second.token().unwrap());
        let sessions = owner.get("/me/sessions").await.ok();
        let current: Vec<_> =
            sessions.as_array().unwrap().iter().map(|s| s["current"].clone()).collect();
        assert_eq!(current, [json!(false), json!(true)]);
        let wrong = json!({ "current": "wrong wrong wrong", "new": "another long one" });
        let refused = owner.post("/me/password", wrong).await;
        assert_eq!(refused.problem(), (403, "wrong_password".to_owned()));
        let right = json!({ "current": PASSWORD, "new": "another long one" });
        assert_eq!(owner.post("/me/password", right).await.status.as_u16(), 204);
        owner.get("/session").await.ok();
        assert_eq!(second.get("/session").await.status.as_u16(), 401);
        let third = house.sign_in("olena@example.com", "another long one").await;
        let third = house.desk.with_token(&third.token().unwrap());
        let id = third.get("/me/sessions").await.ok()[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(owner.delete(&format!("/me/sessions/{id}")).await.status.as_u16(), 204);
        assert_eq!(third.get("/session").await.status.as_u16(), 401);
    })
    .await;
}

#[tokio::test]
async fn the_account_is_changed_by_administrators_with_an_audit_row() {
    story(|house| async move {
        let owner = house.owner().await;
        let (_, integrator) = house.join(&owner, "i@example.com", "integrator").await;
        integrator.get("/account").await.ok();
        let change = json!({ "name": "Acme 2", "country": "UZ", "language": "uk" });
        assert_eq!(integrator.patch("/account", change.clone()).await.status.as_u16(), 403);
        let account = owner.patch("/account", change).await.ok();
        assert_eq!(account["name"], "Acme 2");
        assert_eq!(account["time_zone"], "Europe/Kyiv");
        let rows = house.audit().await;
        assert_eq!(
            rows.last().unwrap().detail,
            json!({ "name": ["Acme", "Acme 2"], "country": ["UA", "UZ"] })
        );
        let wrong = owner.patch("/account", json!({ "time_zone": "x", "country": "x" })).await;
        assert_eq!(wrong.faults(), ["country: unknown_country", "time_zone: unknown_time_zone"]);
    })
    .await;
}

#[tokio::test]
async fn the_published_view_shows_accounts() {
    story(|house| async move {
        house.owner().await;
        let read = house.world.handles.db.read(|tx| {
            Box::pin(async move {
                tx.all(
                    sql!("SELECT account, name, time_zone, country, language FROM v_account"),
                    args![],
                )
                .await
            })
        });
        let rows: Vec<(Id<kind::Account>, String, String, String, String)> = read.await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].1.as_str(), rows[0].2.as_str(), rows[0].3.as_str(), rows[0].4.as_str()),
            ("Acme", "Europe/Kyiv", "UA", "uk")
        );
    })
    .await;
}

#[tokio::test]
async fn a_wish_with_a_key_is_fulfilled_once() {
    story(|house| async move {
        let owner = house.owner().await;
        let wanted = json!({ "name": "P", "email": "p@example.com", "role": "operator" });
        let ask = async |body: &Value, key: &str| {
            owner.json(Method::POST, "/users", body.clone(), &[("idempotency-key", key)]).await
        };
        let mut missing = wanted.clone();
        missing["name"] = json!("");
        assert_eq!(ask(&missing, "k").await.status.as_u16(), 422, "a refusal leaves the key free");
        let first = ask(&wanted, "k").await;
        let again = ask(&wanted, "k").await;
        assert_eq!(first.status, again.status);
        assert_eq!(first.bytes, again.bytes);
        assert_eq!(again.headers["idempotent-replay"], "true");
        assert!(!first.headers.contains_key("idempotent-replay"));
        let other = ask(&missing, "k").await;
        assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
        assert_eq!(ask(&wanted, "a b").await.problem().1, "idempotency_key_invalid");
        let stored: (Vec<u8>,) = house
            .world
            .handles
            .db
            .read(|tx| {
                Box::pin(async move { tx.one(sql!("SELECT response FROM reply"), args![]).await })
            })
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&stored.0).into_owned();
        assert!(!text.contains("invite_link"), "the one-time link is sealed at rest");
        house.world.hand.advance(Duration::from_hours(11));
        owner.get("/session").await.ok();
        house.world.hand.advance(Duration::from_hours(11));
        owner.get("/session").await.ok();
        house.world.hand.advance(Duration::from_hours(3));
        assert_eq!(ask(&wanted, "k").await.problem().1, "email_taken", "kept for 24 hours");
    })
    .await;
}

#[tokio::test]
async fn of_two_equal_wishes_at_once_one_is_fulfilled() {
    story(|house| async move {
        let owner = house.owner().await;
        let wanted = json!({ "name": "P", "email": "p@example.com", "role": "operator" });
        let ask = async || {
            owner
                .json(Method::POST, "/users", wanted.clone(), &[("idempotency-key", "k")])
                .await
                .status
                .as_u16()
        };
        let answers = tokio::join!(ask(), ask(), ask());
        for status in [answers.0, answers.1, answers.2] {
            assert!(matches!(status, 201 | 409), "{status}");
        }
        assert_eq!(owner.get("/users").await.ok().as_array().unwrap().len(), 2);
    })
    .await;
}

/// A process died between the wish and its answer: the key is taken over after five minutes.
#[tokio::test]
async fn a_wish_that_was_never_answered_may_be_made_again() {
    story(|house| async move {
        let owner = house.owner().await;
        let wanted = json!({ "name": "P", "email": "p@example.com", "role": "operator" });
        let ask = async || {
            let key = [("idempotency-key", "k")];
            owner.json(Method::POST, "/users", wanted.clone(), &key).await
        };
        ask().await.ok();
        let forget = house.world.handles.db.write(|tx| {
            Box::pin(tx.exec(
                sql!("UPDATE reply SET status = NULL, content_type = NULL, response = NULL"),
                args![],
            ))
        });
        forget.await.unwrap();
        assert_eq!(ask().await.problem().1, "idempotency_in_progress");
        house.world.hand.advance(Duration::from_mins(6));
        assert_eq!(ask().await.problem().1, "email_taken", "it was carried out anew");
    })
    .await;
}
