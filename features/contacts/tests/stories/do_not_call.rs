//! Numbers that must not be called: put on the list, taken off, counted, told.

use std::time::Duration;

use axum::{body::Body, http::Method};
use db::sql;
use serde_json::{Value, json};

use crate::world::{World, each};

async fn counted(world: &World, list: &str) -> i64 {
    world.get(&format!("/lists/{list}")).await.ok()["do_not_call"].as_i64().unwrap()
}

async fn load(world: &World, query: &str, file: &'static str) -> Value {
    let path = format!("/do-not-call/import{query}");
    let csv = [("content-type", "text/csv")];
    world.ours.send(Method::POST, &path, Body::from(file), &csv).await.ok()
}

async fn entries(world: &World, query: &str) -> Vec<Value> {
    let page = world.get(&format!("/do-not-call{query}")).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_number_is_forbidden_and_allowed_once_each_and_lists_count_it() {
    each(|world| async move {
        let list = world.list("People").await;
        world.import(&list, "id,phone,phone 2\n1,0931234567,0671234567\n2,0931111111,\n").await;
        let path = "/do-not-call/%2B380931234567";
        let counted = async || {
            world.get(&format!("/lists/{list}")).await.ok()["do_not_call"].as_i64().unwrap()
        };
        let put = async || {
            let answer = world.ours.put(path, json!({ "reason": "Asked us" })).await;
            assert_eq!(answer.status.as_u16(), 204, "{}", answer.value());
        };
        let facts = async || {
            let all = world.facts().await;
            all.iter().filter(|s| *s == "contacts.do_not_call_changed:+380931234567").count()
        };
        put().await;
        put().await;
        assert_eq!((counted().await, facts().await), (1, 1));
        let people = world.contacts(&list).await;
        assert_eq!(people[0]["numbers"][0]["do_not_call"], true);
        assert_eq!(people[0]["numbers"][1]["do_not_call"], false);
        assert_eq!(people[0]["do_not_call"], false);
        let seen =
            sql!("SELECT COUNT(*) FROM v_do_not_call WHERE account = 1 AND CAST($1 AS BIGINT) > 0");
        assert_eq!(world.count(seen, &list).await, 1);
        for _ in 0..2 {
            assert_eq!(world.ours.delete(path).await.status.as_u16(), 204);
        }
        assert_eq!((counted().await, facts().await), (0, 2));
        assert_eq!(world.count(seen, &list).await, 0);
        put().await;
        assert_eq!((counted().await, facts().await), (1, 3));
        // Another account's list says nothing about ours.
        world.theirs.delete(path).await;
        assert_eq!(counted().await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_import_counts_the_forbidden_numbers_that_it_brings_and_takes_away() {
    each(|world| async move {
        let list = world.list("People").await;
        world.ours.put("/do-not-call/%2B380931234567", json!({})).await;
        world.import(&list, "id,phone\n1,0931234567\n2,0931111111\n").await;
        let counted = async || {
            world.get(&format!("/lists/{list}")).await.ok()["do_not_call"].as_i64().unwrap()
        };
        assert_eq!(counted().await, 1);
        assert_eq!(world.contacts(&list).await[0]["do_not_call"], true);
        world.import(&list, "id,phone\n1,0932222222\n").await;
        assert_eq!(counted().await, 0);
    })
    .await;
}

#[tokio::test]
async fn only_numbers_in_international_form_are_taken() {
    each(|world| async move {
        for phone in ["0931234567", "abc", "%2B38"] {
            let path = format!("/do-not-call/{phone}");
            let refused = world.ours.put(&path, json!({})).await;
            assert_eq!(refused.problem().1, "phone_invalid", "{phone}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_entry_says_for_whom_why_by_whom_and_until_when() {
    each(|world| async move {
        let list = world.list("People").await;
        world.import(&list, "id,phone\n1,0931234567\n2,0931111111\n").await;
        let put = async |body: Value| world.ours.post("/do-not-call", body).await;
        let whole = put(json!({ "phone": "093 123-45-67", "reason": "Asked us" })).await.ok();
        assert_eq!((&whole["phone"], &whole["by"]), (&json!("+380931234567"), &json!("Olena")));
        assert_eq!((&whole["scope"], &whole["source"]), (&json!("account"), &json!("by_hand")));
        let of_list = json!({ "phone": "+380931234567", "scope": "list", "target": list });
        put(of_list).await.ok();
        let of_one = json!({ "phone": "+380931111111", "scope": "campaign", "target": "7" });
        assert_eq!(put(of_one).await.ok()["target_name"], "Spring");
        // The campaign's entry is none of the list; the number with two entries counts once.
        assert_eq!(counted(&world, &list).await, 1);
        let asked = world.get("/do-not-call/check?phone=0931234567").await.ok();
        assert_eq!((&asked["allowed"], &asked["phone"]), (&json!(false), &json!("+380931234567")));
        assert_eq!(asked["entries"].as_array().unwrap().len(), 2);
        let asked = world.get("/do-not-call/check?phone=0931111111").await.ok();
        assert_eq!(asked["allowed"], true);
        assert_eq!(entries(&world, "?scope=campaign").await.len(), 1);
        assert_eq!(entries(&world, "?q=asked%20US").await.len(), 1);
        assert_eq!(entries(&world, "?q=%28093%29%20123").await.len(), 2);
        // Each entry goes by itself.
        let path = format!("/do-not-call/entries/{}", whole["id"].as_str().unwrap());
        assert_eq!(world.theirs.delete(&path).await.problem().1, "do_not_call_not_found");
        assert_eq!(world.ours.delete(&path).await.status.as_u16(), 204);
        assert_eq!(world.ours.delete(&path).await.problem().1, "do_not_call_not_found");
        assert_eq!(counted(&world, &list).await, 1);
        let left = entries(&world, "?scope=list").await.remove(0);
        let path = format!("/do-not-call/entries/{}", left["id"].as_str().unwrap());
        world.ours.delete(&path).await;
        assert_eq!(counted(&world, &list).await, 0);
        // What is not there, is over, or is no number.
        for (body, field) in [
            (json!({ "phone": "+380931234567", "scope": "list", "target": "1" }), "target"),
            (json!({ "phone": "+380931234567", "scope": "campaign" }), "target"),
            (json!({ "phone": "12" }), "phone"),
            (
                json!({ "phone": "+380931234567", "expires_at": "2020-01-01T00:00:00Z" }),
                "expires_at",
            ),
        ] {
            let refused = put(body).await;
            assert_eq!(refused.value()["errors"][0]["field"], field, "{}", refused.value());
        }
    })
    .await;
}

#[tokio::test]
async fn an_entry_ends_by_itself_and_can_be_given_another_end() {
    each(|world| async move {
        let list = world.list("People").await;
        world.import(&list, "id,phone\n1,0931234567\n").await;
        let at = |hours: u64| {
            let at = world.handles().clock.now().plus(Duration::from_hours(hours));
            serde_json::to_value(http_kit::Time(at)).unwrap()
        };
        let put = async |body: Value| world.ours.post("/do-not-call", body).await.ok();
        for scope in [json!({}), json!({ "scope": "list", "target": list })] {
            let mut body = json!({ "phone": "+380931234567", "expires_at": at(1) });
            body.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
            put(body).await;
        }
        assert_eq!(counted(&world, &list).await, 1);
        put(json!({ "phone": "+380931234567", "expires_at": at(5), "reason": "Later" })).await;
        assert_eq!(entries(&world, "").await.len(), 2);
        world.advance(Duration::from_hours(2));
        // The list's entry forbids nothing any more, even before the job has looked.
        assert_eq!(entries(&world, "").await.len(), 1);
        world.work().await;
        assert_eq!(counted(&world, &list).await, 1);
        world.advance(Duration::from_hours(4));
        assert_eq!(world.get("/do-not-call/check?phone=0931234567").await.ok()["allowed"], true);
        world.work().await;
        assert_eq!(counted(&world, &list).await, 0);
        let told = world.facts().await;
        let ended = |subject: &str| told.iter().filter(|s| s.ends_with(subject)).count();
        assert_eq!(ended("do_not_call_changed:+380931234567"), 3, "put, changed, ended");
        assert_eq!(ended(&format!("+380931234567:list:{list}")), 2, "put, ended");
    })
    .await;
}

#[tokio::test]
async fn a_file_of_numbers_comes_in_once_and_goes_out_as_it_came() {
    each(|world| async move {
        let list = world.list("People").await;
        world.import(&list, "id,phone\n1,0931234567\n2,0931111111\n").await;
        let file = "phone,reason,until\n0931234567,=1+1,\n0931111111,,2030-01-01\nnobody,,\n\
                    0931234567,Twice,\n0932222222,,soon\n";
        let told = load(&world, "?reason=Register", file).await;
        let figures = |told: &Value| {
            ["rows", "added", "known", "rejected"].map(|key| told[key].as_i64().unwrap())
        };
        assert_eq!(figures(&told), [5, 2, 1, 2], "{told}");
        assert_eq!(
            (&told["problems"][0]["line"], &told["problems"][1]["line"]),
            (&json!(4), &json!(6))
        );
        assert_eq!(counted(&world, &list).await, 2);
        let again = load(&world, "", file).await;
        assert_eq!(figures(&again), [5, 0, 3, 2]);
        assert_eq!(counted(&world, &list).await, 2);
        let found = entries(&world, "?q=0931111111").await.remove(0);
        assert_eq!(found["reason"], "Register");
        assert_eq!(found["expires_at"], "2030-01-01T23:59:59Z");
        let out = world.get("/do-not-call/export.csv?language=en").await;
        let text = String::from_utf8(out.bytes.to_vec()).unwrap();
        assert!(text.contains("\r\n+380931234567,everybody,'=1+1,Olena,"), "{text}");
        // A file that was taken out is read as it is, by whatever language it speaks.
        for language in ["uk", "uz", "vi"] {
            let path = format!("/do-not-call/export.csv?language={language}");
            let file = world.get(&path).await.bytes;
            let csv = [("content-type", "text/csv")];
            let path = "/do-not-call/import?scope=campaign&target=7";
            let told = world.ours.send(Method::POST, path, Body::from(file), &csv).await.ok();
            assert_eq!(told["rejected"], 0, "{language}: {told}");
        }
        let ends = entries(&world, "?scope=campaign&q=0931111111").await.remove(0);
        assert_eq!(ends["expires_at"], "2030-01-01T23:59:59Z");
    })
    .await;
}
