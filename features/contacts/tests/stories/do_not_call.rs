//! Numbers that must not be called: put on the list, taken off, counted, told.

use db::sql;
use serde_json::json;

use crate::world::each;

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
