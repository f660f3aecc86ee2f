//! Contact lists through HTTP: made, renamed, paged, deleted, and never another account's.

use access::Role;
use axum::http::Method;
use db::sql;
use serde_json::{Value, json};

use crate::world::{each, path, upload};

#[tokio::test]
async fn a_list_is_made_renamed_and_its_name_is_unique_whatever_the_case() {
    each(|world| async move {
        let id = world.list("Боржники").await;
        let again = world.ours.post("/lists", json!({ "name": " БОРЖНИКИ " })).await;
        assert_eq!(again.problem(), (409, "list_name_taken".to_owned()));
        let path = format!("/lists/{id}");
        let same = world.ours.patch(&path, json!({ "name": "боржники" })).await.ok();
        assert_eq!(same["name"], "боржники");
        assert_eq!((&same["contacts"], &same["numbers"]), (&json!(0), &json!(0)));
        world.list("Other").await;
        let taken = world.ours.patch(&path, json!({ "name": "OTHER" })).await;
        assert_eq!(taken.problem().1, "list_name_taken");
        let empty = world.ours.post("/lists", json!({ "name": "  " })).await;
        assert_eq!(empty.problem().1, "validation_failed");
        // Another account may use the same name.
        world.theirs.post("/lists", json!({ "name": "Other" })).await.ok();
    })
    .await;
}

#[tokio::test]
async fn lists_are_paged_in_the_order_of_their_names() {
    each(|world| async move {
        for name in ["b", "C", "a", "E", "d"] {
            world.list(name).await;
        }
        let mut names = Vec::new();
        let mut path = "/lists?limit=2".to_owned();
        loop {
            let page = world.get(&path).await.ok();
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|row| row["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/lists?limit=2&cursor={next}");
        }
        assert_eq!(names, ["a", "b", "C", "d", "E"]);
    })
    .await;
}

#[tokio::test]
async fn nothing_of_another_account_is_seen_or_changed() {
    each(|world| async move {
        let list = world.list("Ours").await;
        let import = world.upload(&list, "phone\n0931234567\n").await.ok();
        let import = import["id"].as_str().unwrap();
        let body = json!({ "name": "Theirs" });
        let start = json!({ "mapping": { "phone": ["phone"] }, "region": "UA" });
        for (method, path, body) in [
            (Method::GET, format!("/lists/{list}"), Value::Null),
            (Method::PATCH, format!("/lists/{list}"), body),
            (Method::DELETE, format!("/lists/{list}"), Value::Null),
            (Method::GET, format!("/lists/{list}/contacts"), Value::Null),
            (Method::GET, format!("/lists/{list}/imports"), Value::Null),
            (Method::GET, format!("/imports/{import}"), Value::Null),
            (Method::PATCH, format!("/imports/{import}"), json!({})),
            (Method::POST, format!("/imports/{import}/start"), start),
            (Method::POST, format!("/imports/{import}/cancel"), Value::Null),
            (Method::GET, format!("/imports/{import}/rejected.csv"), Value::Null),
        ] {
            let answer = world.theirs.json(method, &path, body, &[]).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.value());
        }
        let uploaded = upload(&world.theirs, &list, "phone\n1\n").await;
        assert_eq!(uploaded.problem(), (404, "list_not_found".to_owned()));
        assert_eq!(world.theirs.get("/lists").await.ok()["items"], json!([]));
        assert_eq!(world.ours.of(1, Role::Operator).get("/lists").await.problem().0, 403);
        assert_eq!(world.reread(&json!({ "id": import })).await["state"], "ready");
    })
    .await;
}

#[tokio::test]
async fn a_list_in_use_stays_and_another_one_goes_with_all_that_it_has() {
    each(|world| async move {
        let list = world.list("Spring").await;
        let import = world.import(&list, "id,phone\n1,0931234567\n2,0671234567\n3,x\n").await;
        assert_eq!(import["counts"]["added"], 2, "{import}");
        let place = format!("/lists/{list}");
        world.uses.0.lock().insert(list.parse().unwrap());
        let refused = world.ours.delete(&place).await;
        assert_eq!(refused.problem(), (409, "list_in_use".to_owned()));
        assert_eq!(refused.value()["params"]["campaign"], "Spring");
        world.uses.0.lock().clear();
        assert_eq!(world.ours.delete(&place).await.status.as_u16(), 204);
        // Hidden at once, for the name and for other features too.
        assert_eq!(world.get(&place).await.problem().1, "list_not_found");
        assert_eq!(world.get(&path(&import)).await.problem().1, "import_not_found");
        world.list("Spring").await;
        let seen = sql!("SELECT COUNT(*) FROM v_list_contact WHERE list = $1");
        assert_eq!(world.count(seen, &list).await, 0);
        world.work().await;
        for left in [
            sql!("SELECT COUNT(*) FROM contact_list WHERE id = $1"),
            sql!("SELECT COUNT(*) FROM list_contact WHERE list = $1"),
            sql!("SELECT COUNT(*) FROM list_number WHERE list = $1"),
            sql!("SELECT COUNT(*) FROM import WHERE list = $1"),
        ] {
            assert_eq!(world.count(left, &list).await, 0, "{left}");
        }
        assert_eq!(world.ours.delete(&place).await.status.as_u16(), 404);
    })
    .await;
}

#[tokio::test]
async fn people_are_found_by_name_id_and_number() {
    each(|world| async move {
        let list = world.list("Search").await;
        let file = "id;телефон;ім'я\nA-1;0931234567;Олена Ґудзь\nB_2;0671112233;100% Іван\n";
        world.import(&list, file).await;
        for (q, expected) in [
            ("олена", vec!["A-1"]),
            ("ҐУДЗЬ", vec!["A-1"]),
            ("93 123-45", vec!["A-1"]),
            ("+38067", vec!["B_2"]),
            ("b_2", vec!["B_2"]),
            ("100%", vec!["B_2"]),
            ("%", vec!["B_2"]),
            ("_", vec!["B_2"]),
            ("nobody", vec![]),
        ] {
            let q: String =
                q.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            let page = world.get(&format!("/lists/{list}/contacts?q={q}")).await.ok();
            let items = page["items"].as_array().unwrap();
            let ids: Vec<_> =
                items.iter().map(|row| row["external_id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{q}");
        }
    })
    .await;
}
