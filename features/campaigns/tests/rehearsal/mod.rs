//! What a rehearsal tells before a start is what the start then does.

use crate::house::{Phone, story};
use serde_json::{Value, json};

fn skipped(rehearsal: &Value, reason: &str) -> i64 {
    let all = rehearsal["skipped"].as_array().unwrap();
    let found = all.iter().find(|one| one["reason"] == reason);
    found.map_or(0, |one| one["contacts"].as_i64().unwrap())
}

fn counter(campaign: &Value, name: &str) -> i64 {
    campaign["counters"][name].as_i64().unwrap()
}

/// ALO-20: reviewed before it is started.
#[tokio::test]
async fn who_is_called_and_who_is_skipped_is_told_before_and_holds_after() {
    story(|house| async move {
        for n in 1..=60 {
            let number = format!("+38093000010{n:02}");
            house.switch.manner(&number, &[Phone::Answers(20)]);
            house.contact(n, &[&number]).await;
        }
        for (n, phone) in [(61, "+3809300001001"), (62, "+380930002001"), (63, "+380930002002")] {
            house.contact(n, &[phone]).await;
        }
        house.contact(64, &[]).await;
        house.contact(65, &["+999000000001"]).await;
        house.forbid("+380930002001", false).await;
        house.forbid("+380930002002", false).await;
        let id = house.draft(json!({"concurrency": 40})).await;
        let path = format!("/campaigns/{id}/rehearsal");

        let told = house.desk.get(&path).await.ok();
        assert_eq!((told["contacts"].as_i64(), told["will_call"].as_i64()), (Some(65), Some(60)));
        assert_eq!(skipped(&told, "do_not_call"), 2);
        assert_eq!(skipped(&told, "no_number"), 1);
        assert_eq!(skipped(&told, "duplicate"), 1);
        assert_eq!(skipped(&told, "demo_number"), 1);
        assert_eq!((told["exact"].as_bool(), told["left"].as_i64()), (Some(true), Some(0)));
        assert_eq!(told["earlier_calls"], 0, "nothing is known of these callees: {told}");
        let moment = |which: &str| told["finish"][which].as_str().unwrap().to_owned();
        assert!(moment("low") <= moment("likely") && moment("likely") <= moment("high"), "{told}");
        let likely = told["calls"]["likely"].as_i64().unwrap();
        assert!((60..=120).contains(&likely), "{told}");
        let by_hour = told["hours"].as_array().unwrap().iter();
        assert_eq!(by_hour.map(|h| h["calls"]["likely"].as_i64().unwrap()).sum::<i64>(), likely);
        assert!(house.switch.numbers_called().is_empty(), "a rehearsal calls nobody");
        assert_eq!(house.campaign(&id).await["state"], "draft");

        house.start(&id).await;
        let done = house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(counter(&done, "success"), 60);
        // Two on the list, one without a number, one under +999; a duplicate is not taken up.
        assert_eq!(counter(&done, "flagged"), 4);
        assert_eq!(counter(&done, "total"), 64);

        let after = house.desk.get(&path).await.ok();
        assert_eq!(after["will_call"], 0);
        assert_eq!(skipped(&after, "done"), 60);
        assert_eq!(after["earlier_calls"], 60, "it goes by what was seen: {after}");
        assert_eq!(after["calls"]["high"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_draft_without_a_line_has_nothing_to_rehearse() {
    story(|house| async move {
        let id = house.draft(json!({"line_id": null})).await;
        let (status, code) = house.desk.get(&format!("/campaigns/{id}/rehearsal")).await.problem();
        assert_eq!((status, code.as_str()), (422, "campaign_not_ready"));
    })
    .await;
}
