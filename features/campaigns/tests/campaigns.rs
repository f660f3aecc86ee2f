//! Campaigns through HTTP, on both engines, with the clock moved by hand.

mod house;
mod rehearsal;
mod taking_up;
mod zones;

use access::Role;
use axum::http::Method;
use base::Id;
use call::Cause;
use db::{args, sql};
use dialer::LineHealth;
use house::{Phone, move_in, story};
use serde_json::{Value, json};

const ANSWERS: &str = "+380930000001";
const BUSY: &str = "+380930000002";
const LATE: &str = "+380930000003";
const REJECTS: &str = "+380930000004";
const WRONG: &str = "+380930000005";
const FORBIDDEN: &str = "+380930000006";
const SPARE: &str = "+380930000007";

fn counter(campaign: &Value, name: &str) -> i64 {
    campaign["counters"][name].as_i64().unwrap()
}

fn outcomes(attempts: &[Value]) -> Vec<String> {
    let mut all: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            let outcome = attempt["outcome"].as_str().unwrap_or("open");
            format!("{} {outcome}", attempt["phone"].as_str().unwrap())
        })
        .collect();
    all.sort();
    all
}

/// ALO-02, ALO-03, ALO-16 and NOVA-70, whole.
#[tokio::test]
async fn a_campaign_calls_everybody_and_completes_by_itself() {
    story(|house| async move {
        let switch = &house.switch;
        switch.manner(ANSWERS, &[Phone::Answers(12)]);
        switch.manner(BUSY, &[Phone::Says(486)]);
        switch.manner(LATE, &[Phone::RingsOut, Phone::Answers(5)]);
        switch.manner(REJECTS, &[Phone::Says(603)]);
        switch.manner(WRONG, &[Phone::Says(404)]);
        for (n, phone) in [ANSWERS, BUSY, LATE, REJECTS, WRONG, FORBIDDEN].into_iter().enumerate() {
            house.contact(n as i64 + 1, &[phone]).await;
        }
        house.contact(7, &[]).await;
        house.forbid(FORBIDDEN, false).await;
        let id = house.draft(json!({"delays_s": {"no_answer": 90}})).await;
        assert_eq!(house.campaign(&id).await["badge"], "draft");
        assert!(switch.numbers_called().is_empty(), "saving never starts calls");
        house.start(&id).await;

        let first = house
            .until(&id, |c| {
                counter(c, "planning") == 2
                    && counter(c, "closed") == 2
                    && c["why"]["code"] == "all_wait"
            })
            .await;
        assert_eq!(counter(&first, "total"), 7);
        assert_eq!(counter(&first, "flagged"), 3, "wrong number, forbidden, no number");
        assert_eq!(
            (&first["badge"], &first["why"]["code"]),
            (&json!("running"), &json!("all_wait"))
        );
        house.counters_are_right(&id).await;

        house.advance(91);
        house.until(&id, |c| counter(c, "success") == 2).await;
        assert_eq!(house.campaign(&id).await["state"], "running", "busy waits ten minutes");
        house.advance(600);
        let last = house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(counter(&last, "attempted"), 1);
        assert_eq!((counter(&last, "success"), counter(&last, "not_success")), (2, 1));
        assert_eq!(
            outcomes(&house.attempts(&id).await),
            [
                "+380930000001 success",
                "+380930000002 busy",
                "+380930000002 busy",
                "+380930000003 no_answer",
                "+380930000003 success",
                "+380930000004 rejected",
                "+380930000005 invalid_number",
            ]
        );
        house.counters_are_right(&id).await;
        assert_eq!(house.audit().await, ["campaign.create", "campaign.start", "campaign.complete"]);

        let page =
            house.desk.get(&format!("/campaigns/{id}/contacts?state=closed&limit=2")).await.ok();
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        let rest = format!(
            "/campaigns/{id}/contacts?state=closed&limit=2&cursor={}",
            page["next"].as_str().unwrap()
        );
        assert_eq!(house.desk.get(&rest).await.ok()["items"].as_array().unwrap().len(), 1);
        let path = format!("/campaigns/{id}/contacts?state=closed&q=contact%203");
        let found = house.desk.get(&path).await.ok();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        let contact = &found["items"][0];
        assert_eq!((&contact["attempts"], &contact["variables"]["debt"]), (&json!(2), &json!(3)));
        let path = format!("/campaigns/{id}/contacts/{}", contact["id"].as_str().unwrap());
        let detail = house.desk.get(&path).await.ok();
        assert_eq!(detail["attempts_made"][0]["outcome"], "success");
        assert_eq!(detail["attempts_made"][0]["talk_s"], 5);
    })
    .await;
}

/// ALO-16, ALO-20.
#[tokio::test]
async fn a_start_is_refused_with_every_reason() {
    story(|house| async move {
        let made = house.desk.post("/campaigns", json!({"name": "Empty"})).await;
        let id = made.ok()["id"].as_str().unwrap().to_owned();
        let path = format!("/campaigns/{id}");
        let check = house.desk.get(&format!("{path}/check")).await.ok();
        assert_eq!(check["ready"], false);
        let refused = house.desk.post(&format!("{path}/start"), json!({})).await;
        assert_eq!(refused.problem(), (422, "campaign_not_ready".to_owned()));
        assert_eq!(
            refused.faults(),
            ["line_id: required", "on_answer: required", "lists: required"]
        );
        let over = json!({
            "period": {"from": "2026-11-01", "to": "2026-11-19"}, "line_id": "99",
            "on_answer": {"kind": "audio", "audio_id": "99"}, "lists": ["10"],
        });
        house.desk.patch(&path, over).await.ok();
        let refused = house.desk.post(&format!("{path}/start"), json!({})).await;
        assert_eq!(
            refused.faults(),
            [
                "line_id: line_gone",
                "on_answer.audio_id: audio_gone",
                "period.to: period_over",
                "lists: no_contacts"
            ]
        );
        // ALO-09: changing the kind of action clears its value; no value, no start.
        house.desk.patch(&path, json!({"on_answer": {"kind": "audio"}})).await.ok();
        assert_eq!(house.campaign(&id).await["on_answer"]["audio_id"], Value::Null);
        assert_eq!(house.desk.get("/campaigns/on-answer-actions").await.ok(), json!(["audio"]));
        let wrong = house.desk.patch(&path, json!({"on_answer": {"kind": "fax"}})).await;
        assert_eq!(wrong.problem().0, 422);
    })
    .await;
}

/// ALO-02.
#[tokio::test]
async fn nothing_is_called_outside_the_hours_and_the_page_says_until_when() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        // It is Friday, 08:00 UTC, and the account's zone is UTC.
        let id = house.draft(json!({"hours": {"fri": [["09:00", "18:00"]]}})).await;
        house.start(&id).await;
        let shut = house
            .until(&id, |c| c["badge"] == "waiting_for_window" && c["preparing"] == false)
            .await;
        assert_eq!(
            shut["why"],
            json!({
                "code": "window_shut", "params": {}, "until": "2026-11-20T09:00:00Z"
            })
        );
        assert!(house.switch.numbers_called().is_empty());
        house.advance(3_600);
        house.until(&id, |c| counter(c, "planning") == 1).await;
        assert_eq!(house.switch.numbers_called(), [BUSY]);
        // Friday 17:59:55: busy again after ten minutes would be 18:10, so it waits for next week.
        let contacts = house.desk.get(&format!("/campaigns/{id}/contacts")).await.ok();
        assert_eq!(contacts["items"][0]["next_at"], "2026-11-20T09:10:00Z");
    })
    .await;
}

#[tokio::test]
async fn pausing_lets_calls_go_on_and_stopping_withdraws_what_rings() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Rings]);
        house.switch.manner(LATE, &[Phone::Rings]);
        house.contact(1, &[ANSWERS]).await;
        house.contact(2, &[LATE]).await;
        let id = house.draft(json!({"concurrency": 1})).await;
        let path = format!("/campaigns/{id}");
        house.start(&id).await;
        house.until_up(&id, 1).await;
        house.until(&id, |c| counter(c, "callable") == 1).await;
        house.desk.post(&format!("{path}/pause"), json!({})).await.ok();
        let draining = house.until(&id, |c| c["badge"] == "draining").await;
        assert_eq!(draining["why"]["params"]["calls"], 1);
        let up = *house.switch.board.lock().unwrap().up.keys().next().unwrap();
        house.switch.answer(up);
        house.switch.end(up, house.now(), Cause::default());
        house.until(&id, |c| c["badge"] == "paused" && counter(c, "success") == 1).await;
        assert_eq!(house.switch.numbers_called().len(), 1, "nothing new while paused");

        house.desk.post(&format!("{path}/resume"), json!({})).await.ok();
        house.until_up(&id, 1).await;
        house.desk.post(&format!("{path}/stop"), json!({})).await.ok();
        let stopped = house.until(&id, |c| c["badge"] == "stopped").await;
        assert_eq!(stopped["active_calls"], 0);
        let attempts = house.attempts(&id).await;
        assert_eq!(attempts[0]["outcome"], "cancelled");
        let contacts = house.desk.get(&format!("{path}/contacts?state=callable")).await.ok();
        assert_eq!(contacts["items"][0]["attempts"], 0, "what we withdrew does not count");
        let again = house.desk.post(&format!("{path}/start"), json!({})).await;
        assert_eq!(again.problem(), (409, "campaign_wrong_state".to_owned()));
        house.counters_are_right(&id).await;
        assert_eq!(house.desk.delete(&path).await.status.as_u16(), 204);
        assert!(house.desk.get("/campaigns").await.ok()["items"].as_array().unwrap().is_empty());
        house.desk.post(&format!("{path}/restore"), json!({})).await.ok();
        assert_eq!(house.desk.get("/campaigns").await.ok()["items"][0]["id"], id.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_change_while_running_is_followed_by_later_attempts_and_refused_when_it_is_stale() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        let id = house.draft(json!({"delays_s": {"busy": 60}, "max_attempts": 3})).await;
        let path = format!("/campaigns/{id}");
        house.start(&id).await;
        let running = house.until(&id, |c| counter(c, "planning") == 1).await;
        let version = running["version"].as_i64().unwrap();
        let change = json!({"version": version, "max_attempts": 2, "ring_s": 45});
        let changed = house.desk.patch(&path, change.clone()).await.ok();
        assert_eq!(changed["version"], version + 1);
        let stale = house.desk.patch(&path, change).await;
        assert_eq!(stale.problem(), (409, "campaign_changed".to_owned()));
        assert_eq!(stale.value()["params"]["version"], version + 1);
        let headers = [("if-match", "\"1\"")];
        let body = json!({"name": "Other"});
        let stale = house.desk.json(http_method("PATCH"), &path, body, &headers).await;
        assert_eq!(stale.problem().0, 409);
        let line = house.desk.patch(&path, json!({"line_id": "77"})).await;
        assert_eq!(line.problem(), (409, "campaign_line_locked".to_owned()));
        let wrong = json!({"ring_s": 5, "hours": {"mon": [["18:00", "09:00"]]}, "max_attempts": 0});
        assert_eq!(
            house.desk.patch(&path, wrong).await.faults(),
            ["hours: hours_backwards", "max_attempts: out_of_range", "ring_s: out_of_range"]
        );
        house.advance(61);
        house.until(&id, |c| c["state"] == "completed").await;
        let versions: Vec<_> = house
            .attempts(&id)
            .await
            .iter()
            .map(|attempt| attempt["settings_version"].as_i64().unwrap())
            .collect();
        assert_eq!(versions, [version + 1, version]);
    })
    .await;
}

fn http_method(name: &str) -> axum::http::Method {
    name.parse().unwrap()
}

#[tokio::test]
async fn a_test_call_needs_no_start_but_obeys_the_do_not_call_list_and_the_caps() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Answers(3)]);
        house.forbid(FORBIDDEN, false).await;
        let id = house
            .draft(json!({"caps": {"per_day": 2}, "hours": {"sun": [["09:00", "10:00"]]}}))
            .await;
        let path = format!("/campaigns/{id}/test-call");
        let call = |phone: &str| house.desk.post(&path, json!({"phone": phone}));
        let refused = call(FORBIDDEN).await;
        assert_eq!(refused.problem(), (409, "number_do_not_call".to_owned()));
        assert_eq!(call("+99900000001").await.problem().1, "number_demo");
        assert_eq!(call("tomorrow").await.problem().1, "phone_unreadable");
        // As people of the account's country write it.
        let made = call("(093) 000-00-01").await;
        assert_eq!(made.status.as_u16(), 202);
        let attempt = made.ok()["attempt"].clone();
        let attempts = house.until_ended(&id).await;
        assert_eq!(attempts[0]["outcome"], "success");
        assert_eq!((&attempts[0]["id"], &attempts[0]["test"]), (&attempt, &json!(true)));
        call(ANSWERS).await.ok();
        house.until_ended(&id).await;
        assert_eq!(call(ANSWERS).await.problem(), (409, "number_cap_reached".to_owned()));
        let campaign = house.campaign(&id).await;
        assert_eq!((&campaign["state"], counter(&campaign, "total")), (&json!("draft"), 0));
        assert_eq!(house.audit().await[1..], ["campaign.test_call", "campaign.test_call"]);
    })
    .await;
}

#[tokio::test]
async fn a_number_is_forbidden_to_a_campaign_or_to_a_list_and_until_its_end() {
    story(|house| async move {
        for (contact, phone) in [(1, ANSWERS), (2, BUSY), (3, SPARE), (4, WRONG)] {
            house.switch.manner(phone, &[Phone::Answers(3)]);
            house.contact(contact, &[phone]).await;
        }
        let other = house.draft(json!({})).await;
        let id = house.draft(json!({"always_active": true})).await;
        let soon = house.world.handles.clock.now().plus(std::time::Duration::from_hours(1));
        house.forbid_to(ANSWERS, ("campaign", id.parse().unwrap()), None).await;
        house.forbid_to(BUSY, ("list", house::LIST), Some(soon)).await;
        house.forbid_to(SPARE, ("campaign", other.parse().unwrap()), None).await;
        house.forbid_to(WRONG, ("list", house::LIST + 1), None).await;
        let told = house.desk.get(&format!("/campaigns/{id}/rehearsal")).await.ok();
        let skipped = told["skipped"].as_array().unwrap();
        let forbidden = skipped.iter().find(|entry| entry["reason"] == "do_not_call").unwrap();
        assert_eq!(forbidden["contacts"], 2, "{told}");
        house.start(&id).await;
        house.until(&id, |c| counter(c, "closed") == 2 && counter(c, "excluded") == 2).await;
        let mut called = house.switch.numbers_called();
        called.sort_unstable();
        let mut allowed = [SPARE, WRONG];
        allowed.sort_unstable();
        assert_eq!(called, allowed);
        // The entry's time is over: as soon as somebody says so, the contact waits again.
        house.advance(3_600);
        house.tell_of(BUSY, 1).await;
        house.until(&id, |c| counter(c, "closed") == 3 && counter(c, "excluded") == 1).await;
        house.counters_are_right(&id).await;
    })
    .await;
}

#[tokio::test]
async fn a_calendar_and_a_rule_are_copied_carried_over_and_obeyed_at_once() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Answers(3)]);
        house.contact(1, &[ANSWERS]).await;
        let never = json!({ "sun": [["03:00", "03:01"]] });
        let body =
            |name: &str, hours: &Value| json!({"name": name, "time_zone": "UTC", "hours": hours});
        let calendar = house.desk.post("/calendars", body("Office", &never)).await.ok();
        let path = format!("/calendars/{}", calendar["id"].as_str().unwrap());
        assert_eq!(calendar["open"], false);
        let taken = house.desk.post("/calendars", body("OFFICE", &never)).await;
        assert_eq!(taken.problem(), (409, "preset_name_taken".to_owned()));
        let mut rule = json!({
            "max_attempts": 5, "ring_s": 20, "min_talk_s": 2, "retry_short_talk": false,
            "delays_s": {
                "busy": 60, "no_answer": 60, "failed": 60, "short_talk": 60, "machine": 60
            },
            "caps": {"per_day": 2, "per_week": 3}, "batch": {"calls": 4, "gap_s": 30},
            "every_number": true,
        });
        let made = json!({"name": "Gentle", "rule": rule});
        let made = house.desk.post("/attempt-rules", made).await.ok();
        let id = house
            .draft(json!({"calendar_id": calendar["id"], "attempt_rule_id": made["id"]}))
            .await;
        let read = house.campaign(&id).await;
        assert_eq!(read["hours"]["sun"], never["sun"]);
        assert_eq!((&read["time_zone"], &read["hours"]["mon"]), (&json!("UTC"), &json!([])));
        assert_eq!((&read["max_attempts"], &read["batch"]["calls"]), (&json!(5), &json!(4)));
        house.start(&id).await;
        house.until(&id, |c| c["why"]["code"] == "window_shut").await;
        // Deleting what is in use is refused; changing it is obeyed when the answer is there.
        let used = house.desk.delete(&path).await;
        assert_eq!(used.problem(), (409, "preset_in_use".to_owned()));
        let day = json!([["00:00", "24:00"]]);
        let always = json!({
            "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day
        });
        let changed = house.desk.put(&path, body("Office", &always)).await.ok();
        assert_eq!((&changed["open"], &changed["used_by"][0]["id"]), (&json!(true), &json!(id)));
        let after = house.until(&id, |c| counter(c, "success") == 1).await;
        assert_eq!(after["version"].as_i64().unwrap(), read["version"].as_i64().unwrap() + 1);
        let mut stale = body("Office", &always);
        stale["version"] = json!(1);
        let stale = house.desk.put(&path, stale).await;
        assert_eq!(stale.problem(), (409, "preset_changed".to_owned()));
        rule["max_attempts"] = json!(0);
        let path = format!("/attempt-rules/{}", made["id"].as_str().unwrap());
        let wrong = house.desk.put(&path, json!({"name": "Gentle", "rule": rule})).await;
        assert_eq!(wrong.value()["errors"][0]["field"], "max_attempts");
        // What nothing goes by any more can be deleted, once.
        house.until(&id, |c| c["state"] == "completed").await;
        let calendar = format!("/calendars/{}", calendar["id"].as_str().unwrap());
        for (preset, code) in [(calendar, "calendar_not_found"), (path, "attempt_rule_not_found")] {
            assert_eq!(house.desk.delete(&preset).await.status.as_u16(), 204, "{preset}");
            assert_eq!(house.desk.delete(&preset).await.problem(), (404, code.to_owned()));
        }
        let gone = house.desk.post("/campaigns", json!({"name": "X", "calendar_id": "1"})).await;
        assert_eq!(gone.value()["errors"][0]["code"], "calendar_not_found");
    })
    .await;
}

#[tokio::test]
async fn a_rule_is_shown_ahead_as_it_would_be_obeyed() {
    story(|house| async move {
        let rule = json!({
            "max_attempts": 4, "ring_s": 30, "min_talk_s": 0, "retry_short_talk": true,
            "delays_s": {
                "busy": 600, "no_answer": 7200, "failed": 600, "short_talk": 600, "machine": 600
            },
            "caps": {"per_day": 2, "per_week": 7}, "every_number": false,
        });
        let day = json!([["09:00", "18:00"]]);
        let hours = json!({ "mon": day, "tue": day });
        let ask = json!({
            "rule": rule, "time_zone": "Europe/Kyiv", "hours": hours, "numbers": 1,
            "start": "2026-11-23T05:00:00Z", "outcomes": ["busy", "no_answer"],
            "exceptions": [{"date": "2026-11-24", "hours": [["12:00", "13:00"]]}],
        });
        let told = house.desk.post("/attempt-rules/preview", ask).await.ok();
        let at: Vec<_> = told["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["at"].as_str().unwrap())
            .collect();
        // Monday at nine, ten minutes after busy; then the cap of a day, which ends on Tuesday
        // before that day's only hour; then nothing is open until the Monday after.
        assert_eq!(
            at,
            [
                "2026-11-23T07:00:00Z",
                "2026-11-23T07:10:00Z",
                "2026-11-24T10:00:00Z",
                "2026-11-30T07:00:00Z"
            ]
        );
        assert_eq!(
            (&told["ends"], &told["attempts"][2]["moved"]),
            (&json!("attempted"), &json!("day_cap"))
        );
    })
    .await;
}

#[tokio::test]
async fn each_attempt_goes_to_the_next_number_and_none_twice_to_one_that_is_none() {
    story(|house| async move {
        house.switch.manner(BUSY, &[Phone::Says(486)]);
        house.switch.manner(WRONG, &[Phone::Says(404)]);
        house.switch.manner(SPARE, &[Phone::Says(486)]);
        house.contact(1, &[BUSY, WRONG, SPARE]).await;
        let delays = json!({
            "busy": 1, "no_answer": 1, "failed": 1, "short_talk": 1, "machine": 1
        });
        let caps = json!({"per_day": 9, "per_week": 9});
        let id = house
            .draft(json!({
                "every_number": true, "max_attempts": 5, "delays_s": delays, "caps": caps
            }))
            .await;
        house.start(&id).await;
        for calls in 1..=5_usize {
            house.until(&id, |_| house.switch.numbers_called().len() >= calls).await;
            house.until_ended(&id).await;
            house.advance(2);
        }
        house.until(&id, |c| counter(c, "attempted") == 1).await;
        assert_eq!(house.switch.numbers_called(), [BUSY, WRONG, SPARE, BUSY, SPARE]);
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_forbidden_gives_way_to_the_next_one() {
    story(|house| async move {
        house.switch.manner(BUSY, &[Phone::Says(486)]);
        house.switch.manner(SPARE, &[Phone::Answers(3)]);
        house.contact(1, &[BUSY, SPARE]).await;
        let id = house.draft(json!({"max_attempts": 3})).await;
        house.start(&id).await;
        house.until(&id, |c| counter(c, "planning") == 1).await;
        house.forbid(BUSY, true).await;
        house.until_on(&id, SPARE).await;
        house.advance(24 * 3_600);
        house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(house.switch.numbers_called(), [BUSY, SPARE]);
        house.counters_are_right(&id).await;
    })
    .await;
}

#[tokio::test]
async fn contacts_join_from_the_list_and_leave_by_the_do_not_call_list() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        let id = house.draft(json!({"always_active": true, "max_attempts": 3})).await;
        house.start(&id).await;
        house.until(&id, |c| counter(c, "planning") == 1).await;
        house.advance(5);
        house.switch.manner(WRONG, &[Phone::Says(404)]);
        house.switch.manner(SPARE, &[Phone::RingsOut]);
        // Another contact with a number that the campaign has, and one with two numbers.
        house.contact(2, &[BUSY]).await;
        house.contact(3, &[WRONG, SPARE]).await;
        house.list_changed().await;
        let joined = house
            .until(&id, |c| house.switch.numbers_called().len() == 3 && counter(c, "planning") == 2)
            .await;
        assert_eq!(joined["state"], "running");
        let called = house.switch.numbers_called();
        assert_eq!(called, [BUSY, WRONG, SPARE], "a wrong number is followed by the next one");
        house.forbid(SPARE, true).await;
        house.until(&id, |c| counter(c, "excluded") == 1).await;
        let found = house.desk.get(&format!("/campaigns/{id}/contacts?state=callable")).await.ok();
        let contact = found["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/campaigns/{id}/contacts/{contact}/exclude");
        assert_eq!(house.desk.post(&path, json!({})).await.ok()["detail"], "by_hand");
        let again = house.desk.post(&path, json!({})).await;
        assert_eq!(again.problem(), (409, "campaign_contact_finished".to_owned()));
        let idle = house.until(&id, |c| c["why"]["code"] == "list_finished").await;
        assert_eq!((&idle["state"], counter(&idle, "excluded")), (&json!("running"), 2));
        house.counters_are_right(&id).await;
    })
    .await;
}

/// The restart of dialling.md 5: a process that takes over ends what a dead one left open.
#[tokio::test]
async fn a_new_process_ends_what_the_old_one_left_open_and_the_old_one_claims_nothing_more() {
    story(|old| async move {
        old.switch.manner(ANSWERS, &[Phone::Rings]);
        old.switch.manner(LATE, &[Phone::Rings]);
        old.contact(1, &[ANSWERS]).await;
        old.contact(2, &[LATE]).await;
        let id = old.draft(json!({"always_active": true, "delays_s": {"failed": 60}})).await;
        old.start(&id).await;
        old.until_up(&id, 2).await;
        let answered = {
            let board = old.switch.board.lock().unwrap();
            let is_first = |plan: &call::CallPlan| plan.to.as_str() == ANSWERS;
            board.up.values().find(|up| is_first(&up.plan)).unwrap().plan.attempt
        };
        old.switch.answer(answered);
        let answered = answered.to_string();
        for _ in 0..3_000 {
            let attempts = old.attempts(&id).await;
            if attempts.iter().any(|a| a["id"] == answered.as_str() && !a["answered_at"].is_null())
            {
                break;
            }
        }

        let new = move_in(old.world.handles.db.clone());
        while new.switch.board.lock().unwrap().recovered.is_empty() {
            tokio::task::yield_now().await;
        }
        // Nobody knows how fast the dead process called just before.
        new.advance(1);
        // The answered one counts and waits; the other is tried again at once.
        let after = new.until(&id, |c| counter(c, "planning") == 2 || c["active_calls"] == 1).await;
        assert_eq!(counter(&after, "total"), 2);
        new.until(&id, |c| counter(c, "planning") == 2).await;
        let recovered: Vec<_> = {
            let board = new.switch.board.lock().unwrap();
            board
                .recovered
                .iter()
                .map(|call| (call.to.to_string(), call.dialog.is_some()))
                .collect()
        };
        assert_eq!(recovered, [(ANSWERS.to_owned(), true), (LATE.to_owned(), false)]);
        assert_eq!(
            outcomes(&new.attempts(&id).await),
            ["+380930000001 interrupted", "+380930000003 busy", "+380930000003 interrupted"]
        );
        let contacts = new.desk.get(&format!("/campaigns/{id}/contacts")).await.ok();
        assert_eq!(
            (&contacts["items"][0]["attempts"], &contacts["items"][1]["attempts"]),
            (&json!(1), &json!(1))
        );
        new.counters_are_right(&id).await;

        // The old process hears of its calls' ends: facts that come too late.
        let up: Vec<_> = old.switch.board.lock().unwrap().up.keys().copied().collect();
        for attempt in up {
            old.switch.end(attempt, old.now(), Cause::default());
        }
        old.until(&id, |c| c["active_calls"] == 0).await;
        new.counters_are_right(&id).await;
        // It finds out with its next claim that the account is another's.
        old.contact(3, &[SPARE]).await;
        let changed = old.desk.patch(&format!("/campaigns/{id}"), json!({"priority": 1})).await;
        changed.ok();
        let before = old.switch.numbers_called().len();
        old.advance(601);
        old.until(&id, |c| c["why"]["code"] == "fenced").await;
        assert_eq!(
            old.switch.numbers_called().len(),
            before,
            "nothing is called without the lease"
        );
    })
    .await;
}

/// The pause between waves is counted from the last call, whoever made it, and from nothing where
/// there was none.
#[tokio::test]
async fn a_wave_is_remembered_by_the_next_process() {
    story(|old| async move {
        old.switch.manner(ANSWERS, &[Phone::Answers(3)]);
        old.contact(1, &[ANSWERS]).await;
        old.contact(2, &[BUSY]).await;
        let waves = json!({"calls": 1, "gap_s": 30});
        let id = old.draft(json!({"batch": waves, "max_attempts": 1})).await;
        old.start(&id).await;
        old.until(&id, |c| counter(c, "success") == 1).await;
        let new = move_in(old.world.handles.db.clone());
        new.until(&id, |c| c["why"]["code"] == "batch_gap").await;
        new.advance(31);
        new.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(new.switch.numbers_called(), [BUSY]);
    })
    .await;
}

#[tokio::test]
async fn progress_that_comes_twice_or_late_changes_nothing() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Rings]);
        house.contact(1, &[ANSWERS]).await;
        let id = house.draft(json!({"always_active": true})).await;
        house.start(&id).await;
        house.until_up(&id, 1).await;
        let (attempt, plan) = {
            let board = house.switch.board.lock().unwrap();
            let (attempt, up) = board.up.iter().next().unwrap();
            (*attempt, up.plan.clone())
        };
        house.switch.answer(attempt);
        house.switch.answer(attempt);
        house.switch.end(attempt, house.now(), Cause::default());
        let end = call::End {
            at: house.now(),
            invited: true,
            answered_at: None,
            by: call::EndedBy::Callee,
            cause: Cause { sip: Some(486), ..Cause::default() },
            recording: None,
            rtp: None,
        };
        house.switch.report(&plan, call::Progress::Ended(end.clone()));
        house.until(&id, |c| counter(c, "success") == 1).await;
        house.switch.report(&plan, call::Progress::Ended(end));
        house.switch.report(&plan, call::Progress::Ringing { at: house.now() });
        // Something that is done after them.
        house.contact(2, &[BUSY]).await;
        house.list_changed().await;
        house.until(&id, |c| counter(c, "planning") == 1).await;
        assert_eq!(
            outcomes(&house.attempts(&id).await),
            ["+380930000001 success", "+380930000002 busy"]
        );
        house.counters_are_right(&id).await;
    })
    .await;
}

/// The dead line of dialling.md 5.
#[tokio::test]
async fn a_dead_line_stops_claims_and_its_attempts_do_not_count() {
    story(|house| async move {
        for n in 1..=8 {
            let number = format!("+38093000010{n}");
            house.switch.manner(&number, &[Phone::Dead]);
            house.contact(n, &[&number]).await;
        }
        let id = house.draft(json!({"concurrency": 1, "max_attempts": 1})).await;
        house.start(&id).await;
        let dead = house.until(&id, |c| c["why"]["code"] == "line_down").await;
        assert_eq!(dead["badge"], "needs_attention");
        house.until(&id, |c| counter(c, "attempted") == 0 && counter(c, "open") == 0).await;
        assert_eq!(house.switch.numbers_called().len(), 5);
        house.counters_are_right(&id).await;
        for n in 1..=8 {
            house.switch.manner(&format!("+38093000010{n}"), &[Phone::Answers(1)]);
        }
        // The line answers the probe, and then the calls.
        house.advance(31);
        // Everybody but the one whose call showed that the line was dead.
        house.until(&id, |c| counter(c, "success") == 7).await;
        assert_eq!(house.switch.board.lock().unwrap().probes, 1);
        house.advance(1_800);
        house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(counter(&house.campaign(&id).await, "success"), 8);
        house.counters_are_right(&id).await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_goes_down_or_is_switched_off_is_the_reason_on_the_page() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        house.switch.change_line(|line| line.health = LineHealth::Down);
        let id = house.draft(json!({})).await;
        house.start(&id).await;
        house.until(&id, |c| c["why"]["code"] == "line_down").await;
        house.switch.change_line(|line| line.health = LineHealth::Registering);
        house.switch.change_line(|line| line.enabled = false);
        house.until(&id, |c| c["why"]["code"] == "line_disabled").await;
        assert!(house.switch.numbers_called().is_empty());
        house.switch.change_line(|line| {
            line.enabled = true;
            line.health = LineHealth::Up;
        });
        house.until(&id, |c| counter(c, "planning") == 1).await;
    })
    .await;
}

#[tokio::test]
async fn another_account_sees_nothing_of_it() {
    story(|house| async move {
        let id = house.draft(json!({})).await;
        let other = house.desk.of(2, Role::Administrator);
        for path in ["", "/check", "/contacts", "/attempts"] {
            let answer = other.get(&format!("/campaigns/{id}{path}")).await;
            assert_eq!(answer.problem(), (404, "campaign_not_found".to_owned()), "{path}");
        }
        assert_eq!(
            other.post(&format!("/campaigns/{id}/start"), json!({})).await.status.as_u16(),
            404
        );
        assert_eq!(
            other.patch(&format!("/campaigns/{id}"), json!({"name": "x"})).await.status.as_u16(),
            404
        );
        assert!(other.get("/campaigns").await.ok()["items"].as_array().unwrap().is_empty());
        let viewer = house.desk.of(1, Role::Analyst);
        viewer.get(&format!("/campaigns/{id}")).await.ok();
        assert_eq!(
            viewer.post(&format!("/campaigns/{id}/start"), json!({})).await.problem().0,
            403
        );
    })
    .await;
}

/// The full disk of dialling.md 5.
#[tokio::test]
async fn a_full_disk_stops_claims_says_so_and_is_got_over() {
    let chains = house::chains();
    db::testing::one(db::Engine::Sqlite, &chains, |db| async move {
        let house = move_in(db);
        for n in 1..=40 {
            let number = format!("+38093000020{n:02}");
            house.switch.manner(&number, &[Phone::Answers(5)]);
            house.contact(n, &[&number]).await;
        }
        house.switch.change_line(|line| line.enabled = false);
        let id = house.draft(json!({"concurrency": 40})).await;
        // The line is switched off after the check of the start.
        house.switch.change_line(|line| line.enabled = true);
        house.switch.change_line(|line| line.health = LineHealth::Registering);
        house.start(&id).await;
        house.until(&id, |c| counter(c, "callable") == 40 && c["preparing"] == false).await;
        house.pages(0).await;
        house.switch.change_line(|line| line.health = LineHealth::Up);
        let away = house.until(&id, |c| c["why"]["code"] == "store_away").await;
        assert_eq!(away["badge"], "needs_attention");
        assert!(house.switch.numbers_called().is_empty(), "no INVITE without its row");
        house.pages(1_000_000).await;
        for _ in 0..20 {
            house.advance(1);
            let badge = house.campaign(&id).await["badge"].clone();
            if badge != "needs_attention" {
                break;
            }
        }
        house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(counter(&house.campaign(&id).await, "success"), 40);
        assert_eq!(house.switch.numbers_called().len(), 40);
        house.counters_are_right(&id).await;
    })
    .await;
}

/// The caps of dialling.md 7: the gate refuses, the contact waits, and the refusal is kept.
#[tokio::test]
async fn a_number_over_its_cap_waits_and_the_refusal_is_kept() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        let wish = json!({"caps": {"per_day": 1, "per_week": 7}, "max_attempts": 3});
        let id = house.draft(wish).await;
        house.start(&id).await;
        house.until(&id, |c| counter(c, "planning") == 1).await;
        house.advance(601);
        let mut kept: Option<(String, i64)> = None;
        for _ in 0..3_000 {
            // Asking for the page lets the dialler go on in between.
            house.campaign(&id).await;
            let read = house.world.handles.db.read(|tx| {
                Box::pin(tx.opt(sql!("SELECT reason, n FROM refusal WHERE account = 1"), args![]))
            });
            kept = read.await.unwrap();
            if kept.is_some() {
                break;
            }
        }
        let (reason, n) = kept.expect("a refusal");
        assert!(reason.contains("cap"), "{reason}");
        assert_eq!(n, 1);
        // The contact's card tells it, with the number that binds.
        let path = format!("/campaigns/{id}/contacts");
        let listed = house.desk.get(&path).await.ok();
        let contact = listed["items"][0]["id"].as_str().unwrap();
        let card = house.desk.get(&format!("{path}/{contact}")).await.ok();
        let told = &card["decisions"][0];
        assert_eq!((&told["reason"], &told["limit"]), (&json!("day_cap"), &json!(1)), "{card}");
        assert_eq!(told["times"], 1);
        assert!(told["until"].as_str() > told["last_at"].as_str(), "{told}");
        house.until(&id, |c| counter(c, "planning") == 1).await;
        assert_eq!(house.switch.numbers_called(), [BUSY]);
    })
    .await;
}

/// ALO-15: a changed phone of an unfinished contact is taken over.
#[tokio::test]
async fn a_changed_contact_is_called_at_its_new_number() {
    story(|house| async move {
        house.switch.manner(SPARE, &[Phone::Answers(5)]);
        house.contact(1, &[BUSY]).await;
        let id = house.draft(json!({"max_attempts": 2})).await;
        house.start(&id).await;
        house.until(&id, |c| counter(c, "planning") == 1).await;
        house.advance(5);
        let now = house.now();
        let change = house.world.handles.db.write(move |tx| {
            Box::pin(async move {
                tx.exec(
                    sql!("UPDATE stand_contact SET name = 'Moved', updated_at = $1"),
                    args![now],
                )
                .await?;
                tx.exec(sql!("UPDATE stand_number SET phone = $1"), args![SPARE]).await
            })
        });
        change.await.unwrap();
        house.list_changed().await;
        let path = format!("/campaigns/{id}/contacts?q=Moved");
        for _ in 0..3_000 {
            if house.desk.get(&path).await.ok()["items"][0]["phone"] == SPARE {
                break;
            }
        }
        house.advance(601);
        house.until(&id, |c| c["state"] == "completed").await;
        assert_eq!(house.switch.numbers_called(), [BUSY, SPARE]);
        house.counters_are_right(&id).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_running_campaign_uses_is_named_and_a_list_can_be_taken_off() {
    story(|house| async move {
        house.contact(1, &[BUSY]).await;
        let id = house.draft(json!({"lists": ["10", "11"]})).await;
        let path = format!("/campaigns/{id}");
        assert_eq!(
            house.desk.patch(&path, json!({"lists": ["10"]})).await.ok()["lists"],
            json!(["10"])
        );
        let used = async || {
            let read = house.world.handles.db.read(|tx| {
                Box::pin(async move {
                    let account = Id::from_raw(1);
                    let list = campaigns::list_in_use(tx, account, Id::from_raw(10)).await?;
                    let line = campaigns::line_in_use(tx, account, house::LINE).await?;
                    Ok((list, line))
                })
            });
            read.await.unwrap()
        };
        let named = async |account: i64| {
            let campaign = id.parse().unwrap();
            let read = house.world.handles.db.read(move |tx| {
                Box::pin(async move {
                    campaigns::campaign_name(tx, Id::from_raw(account), campaign).await
                })
            });
            read.await.unwrap()
        };
        assert_eq!((named(1).await.as_deref(), named(2).await), (Some("Reminder"), None));
        assert_eq!(used().await, (None, None), "a draft holds on to nothing");
        house.start(&id).await;
        let name = Some("Reminder".to_owned());
        assert_eq!(used().await, (name.clone(), name));
    })
    .await;
}

/// The calls tab finds calls by anything that it shows, and the charts add up to the counters.
#[tokio::test]
async fn calls_are_found_by_what_they_show_and_drawn_by_when_they_began() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Answers(12)]);
        house.switch.manner(BUSY, &[Phone::Says(486)]);
        house.switch.manner(LATE, &[Phone::Says(503)]);
        for (n, phone) in [ANSWERS, BUSY, LATE].into_iter().enumerate() {
            house.contact(n as i64 + 1, &[phone]).await;
        }
        let id = house.draft(json!({"max_attempts": 1, "time_zone": "Europe/Kyiv"})).await;
        house.start(&id).await;
        house.until(&id, |c| c["state"] == "completed").await;
        let found = async |query: &str| {
            let page = house.desk.get(&format!("/campaigns/{id}/attempts?{query}")).await.ok();
            outcomes(page["items"].as_array().unwrap())
        };
        let (success, busy, failed) =
            (format!("{ANSWERS} success"), format!("{BUSY} busy"), format!("{LATE} failed"));
        assert_eq!(found("outcome=busy").await, std::slice::from_ref(&busy));
        assert_eq!(found("sip_code=503").await, std::slice::from_ref(&failed));
        assert_eq!(found("answered=true").await, std::slice::from_ref(&success));
        assert_eq!(found("outcome=busy&answered=true").await, [] as [String; 0]);
        assert_eq!(found("q=CONTACT%202").await, std::slice::from_ref(&busy));
        assert_eq!(found("q=0003").await, std::slice::from_ref(&failed));
        assert_eq!(found("recorded=false&line=5").await, [success, busy, failed]);
        assert_eq!(found("line=6").await, [] as [String; 0]);
        // The story is told on 20 November 2026 at eight, and the next day nobody called.
        assert_eq!(found("from=2026-11-20T08:00:00Z").await.len(), 3);
        assert_eq!(found("from=2026-11-21T00:00:00Z").await.len(), 0);
        assert_eq!(found("to=2026-11-20T00:00:00Z").await.len(), 0);

        for span in ["hour", "day", "week", "all"] {
            let drawn = house.desk.get(&format!("/campaigns/{id}/timeline?span={span}")).await.ok();
            let points = drawn["points"].as_array().unwrap();
            let sum = |name: &str| -> i64 {
                points.iter().filter_map(|point| point["outcomes"][name].as_i64()).sum()
            };
            assert_eq!((sum("success"), sum("busy"), sum("failed")), (1, 1, 1), "{span}");
            let answered: i64 = points.iter().filter_map(|p| p["answered"].as_i64()).sum();
            assert_eq!(answered, 1, "{span}");
        }
        let week = house.desk.get(&format!("/campaigns/{id}/week")).await.ok();
        // Friday, ten in the morning in Kyiv.
        assert_eq!(week["hours"], json!([{"weekday": 4, "hour": 10, "calls": 3, "answered": 1}]));
        let wrong = house.desk.get(&format!("/campaigns/{id}/timeline?span=year")).await;
        assert_eq!(wrong.problem().0, 400);
    })
    .await;
}

/// A search looks at a few thousand calls at a time and goes on where it ended.
#[tokio::test]
async fn a_search_through_many_calls_goes_on_page_by_page() {
    story(|house| async move {
        let id = house.draft(json!({})).await;
        let campaign: i64 = id.parse().unwrap();
        let insert = house.world.handles.db.write(move |tx| {
            Box::pin(async move {
                tx.exec(
                    sql!(
                        "INSERT INTO attempt (id, account, campaign, ordinal, phone, line, boot,
                           call_id, settings_version, claimed_at, outcome, spent)
                         WITH RECURSIVE n (i) AS
                           (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                         SELECT CAST($2 AS BIGINT) + i, 1, CAST($1 AS BIGINT), 1, '+38093' || CAST(1000000 + i AS TEXT), 5, 1, 'x',
                           1, 0, CASE WHEN i % 2 = 0 THEN 'busy' ELSE 'no_answer' END, TRUE FROM n"
                    ),
                    args![campaign, 1_000_i64],
                )
                .await
            })
        });
        insert.await.unwrap();
        let (mut pages, mut rows, mut cursor) = (0, Vec::new(), String::new());
        loop {
            let path = format!("/campaigns/{id}/attempts?q=1000007&limit=50{cursor}");
            let page = house.desk.get(&path).await.ok();
            rows.extend(page["items"].as_array().unwrap().clone());
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((pages, rows.len()), (3, 1), "20,000 calls are three windows of 8,000");
        assert_eq!(rows[0]["phone"], "+380931000007");
        let rare = house.desk.get(&format!("/campaigns/{id}/attempts?outcome=busy&q=1000008")).await;
        assert_eq!(rare.ok()["items"].as_array().unwrap().len(), 0, "it is the last but seven");
    })
    .await;
}

/// Contacts and calls leave as files, by permission, in the words of who asked.
#[tokio::test]
async fn contacts_and_calls_are_exported_with_formulas_disarmed() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Answers(12)]);
        house.contact(1, &[ANSWERS]).await;
        house.contact(2, &[BUSY]).await;
        let rename =
            house.world.handles.db.write(|tx| {
                Box::pin(tx.exec(
                    sql!("UPDATE stand_contact SET name = '=cmd()' WHERE contact = 1"),
                    args![],
                ))
            });
        rename.await.unwrap();
        let id = house.draft(json!({"max_attempts": 1})).await;
        house.start(&id).await;
        house.until(&id, |c| c["state"] == "completed").await;
        let exports = format!("/campaigns/{id}/exports");
        let file = async |wish: Value| {
            let made = house.desk.post(&exports, wish).await;
            let export = made.ok()["id"].as_str().unwrap().to_owned();
            for _ in 0..3_000 {
                let all = house.desk.get(&exports).await.ok();
                let row = all.as_array().unwrap().iter().find(|row| row["id"] == export.as_str());
                if row.unwrap()["state"] == "ready" {
                    return house.desk.get(&format!("{exports}/{export}/file")).await;
                }
                tokio::task::yield_now().await;
            }
            panic!("the export never came");
        };
        let text =
            |answer: host::testing::Answer| String::from_utf8(answer.bytes.to_vec()).unwrap();

        let contacts = text(file(json!({"what": "contacts", "format": "csv"})).await);
        assert_eq!(
            contacts,
            "\u{FEFF}id,name,phone,state,attempts,last result,next attempt,time zone,debt\r\n\
             e1,'=cmd(),+380930000001,success,1,success,,,1\r\n\
             e2,Contact 2,+380930000002,not reached,1,busy,,,2\r\n"
        );
        let wish = json!({"what": "contacts", "format": "csv", "filter": {"state": "attempted"}});
        assert_eq!(text(file(wish).await).lines().count(), 2);
        let wish = json!({"what": "attempts", "format": "csv", "filter": {"outcome": "busy"}});
        let calls = text(file(wish).await);
        let row = calls.lines().nth(1).unwrap();
        assert!(row.starts_with("2026-11-20 08:00:"), "{row}");
        assert!(row.contains(",Contact 2,+380930000002,1,Kyiv,busy,486,,0,,,1,"), "{row}");
        let book = file(json!({"what": "attempts", "format": "xlsx"})).await;
        assert_eq!(&book.bytes[..4], b"PK\x03\x04");
        assert!(book.headers["content-disposition"].to_str().unwrap().ends_with(".xlsx\""));

        let integrator = house.desk.of(1, Role::Integrator);
        assert_eq!(integrator.get(&exports).await.problem().0, 403);
        let all = house.desk.get(&exports).await.ok();
        let first = format!("{exports}/{}", all[0]["id"].as_str().unwrap());
        assert_eq!(house.desk.delete(&first).await.status, 204);
        let gone = house.desk.get(&format!("{first}/file")).await;
        assert_eq!(gone.problem(), (404, "export_not_found".to_owned()));
        // A week later the others are gone as well.
        house.advance(7 * 86_400 + 3_600);
        for _ in 0..3_000 {
            if house.desk.get(&exports).await.ok() == json!([]) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("expired exports stay");
    })
    .await;
}

/// ALO-02: a campaign that is over is run again, over everybody or over those without success.
#[tokio::test]
async fn a_campaign_is_run_again_over_all_or_over_those_without_success() {
    story(|house| async move {
        let switch = &house.switch;
        switch.manner(ANSWERS, &[Phone::Answers(12)]);
        switch.manner(REJECTS, &[Phone::Says(603)]);
        switch.manner(BUSY, &[Phone::Says(603)]);
        for (n, phone) in [ANSWERS, REJECTS, BUSY, LATE].into_iter().enumerate() {
            house.contact(n as i64 + 1, &[phone]).await;
        }
        let first = house.draft(json!({ "notes": "Spring" })).await;
        let again = format!("/campaigns/{first}/run-again");
        let wish = |contacts: &str| json!({ "name": "Again", "contacts": contacts });
        let early = house.desk.post(&again, wish("all")).await.problem();
        assert_eq!(early, (409, "campaign_not_over".to_owned()));
        house.start(&first).await;
        house.until(&first, |c| counter(c, "closed") == 3).await;
        // One is excluded by hand before the end: nobody calls it again.
        let page = house.desk.get(&format!("/campaigns/{first}/contacts?q=contact%204")).await.ok();
        let out = page["items"][0]["id"].as_str().unwrap().to_owned();
        let exclude = format!("/campaigns/{first}/contacts/{out}/exclude");
        house.desk.post(&exclude, json!({})).await.ok();
        house.until(&first, |c| c["state"] == "completed").await;
        assert_eq!(house.desk.get(&again).await.ok(), json!({ "all": 3, "unsuccessful": 2 }));

        // Pressed twice: one draft.
        let once = [("idempotency-key", "again-1")];
        let made = house.desk.json(Method::POST, &again, wish("unsuccessful"), &once).await.ok();
        let twice = house.desk.json(Method::POST, &again, wish("unsuccessful"), &once).await.ok();
        assert_eq!(made["id"], twice["id"]);
        let second = made["id"].as_str().unwrap().to_owned();
        assert_eq!((&made["state"], &made["notes"]), (&json!("draft"), &json!("Spring")));
        assert_eq!(made["again"], json!({ "campaign": first, "all": false }));
        let check = house.desk.get(&format!("/campaigns/{second}/check")).await.ok();
        assert_eq!(check["will_call"], 2);
        // Who joined the list meanwhile is not meant.
        house.contact(5, &[SPARE]).await;
        let ahead = house.desk.get(&format!("/campaigns/{second}/rehearsal")).await.ok();
        assert_eq!(ahead["contacts"], 2, "{ahead}");
        let before = switch.numbers_called().len();
        house.start(&second).await;
        house.until(&second, |c| c["state"] == "completed").await;
        let mut called = switch.numbers_called().split_off(before);
        called.sort();
        assert_eq!(called, [BUSY, REJECTS]);
        house.counters_are_right(&second).await;

        // A copy of it calls the same two, and nobody else of the list.
        let copy = json!({ "name": "Copy", "lists": ["10"], "copy_of": second });
        let copy = house.draft(copy).await;
        assert_eq!(
            house.campaign(&copy).await["again"],
            json!({ "campaign": first, "all": false })
        );
        let before = switch.numbers_called().len();
        house.advance(7 * 24 * 3_600);
        house.start(&copy).await;
        house.until(&copy, |c| c["state"] == "completed").await;
        let mut called = switch.numbers_called().split_off(before);
        called.sort();
        assert_eq!(called, [BUSY, REJECTS]);
        // A list that the original does not call is called whole, as it would be there.
        let copy = json!({ "name": "Copy", "lists": [], "copy_of": second });
        let copy = house.draft(copy).await;
        assert_eq!(house.campaign(&copy).await["again"], Value::Null);

        let all = house.desk.post(&again, wish("all")).await.ok();
        let third = all["id"].as_str().unwrap().to_owned();
        house.start(&third).await;
        let last = house.until(&third, |c| c["state"] == "completed").await;
        assert_eq!(counter(&last, "total"), 3);
        let foreign = house.desk.of(2, Role::Administrator).get(&again).await.problem();
        assert_eq!(foreign, (404, "campaign_not_found".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_of_a_campaign_that_is_there_and_stays_what_it_is() {
    story(|house| async move {
        let id = house.draft(json!({})).await;
        let copy = house.draft(json!({ "copy_of": id })).await;
        assert_eq!(house.campaign(&copy).await["again"], Value::Null);
        for wrong in [json!("99"), json!("x"), json!(["10"])] {
            let body = json!({ "name": "Copy", "copy_of": wrong });
            let refused = house.desk.post("/campaigns", body).await;
            assert_eq!(refused.faults(), ["copy_of: campaign_not_found"]);
        }
        let foreign = house.desk.of(2, Role::Administrator);
        let refused = foreign.post("/campaigns", json!({ "name": "Copy", "copy_of": id })).await;
        assert_eq!(refused.faults(), ["copy_of: campaign_not_found"]);
        let late = house.desk.patch(&format!("/campaigns/{id}"), json!({ "copy_of": copy })).await;
        assert_eq!(late.problem().0, 422);
        house.desk.delete(&format!("/campaigns/{id}")).await.ok();
        let refused = house.desk.post("/campaigns", json!({ "name": "X", "copy_of": id })).await;
        assert_eq!(refused.faults(), ["copy_of: campaign_not_found"]);
    })
    .await;
}

/// NOVA-70: what is deleted can be restored for 30 days; then it is gone with all that hung on it.
#[tokio::test]
async fn a_deleted_campaign_is_restored_for_30_days_and_then_removed() {
    story(|house| async move {
        house.switch.manner(ANSWERS, &[Phone::Answers(12)]);
        house.contact(1, &[ANSWERS]).await;
        let id = house.draft(json!({})).await;
        house.start(&id).await;
        house.until(&id, |c| c["state"] == "completed").await;
        let path = format!("/campaigns/{id}");
        house.desk.delete(&path).await.ok();
        house.desk.post(&format!("{path}/restore"), json!({})).await.ok();
        let wish = json!({ "name": "Again", "contacts": "all" });
        let again = house.desk.post(&format!("{path}/run-again"), wish).await.ok();
        let again = format!("/campaigns/{}", again["id"].as_str().unwrap());
        house.desk.delete(&path).await.ok();
        let days = 24 * 3_600;
        house.advance(29 * days);
        house.until_no_job_waits().await;
        assert_eq!(house.desk.get(&path).await.ok()["state"], "completed");
        // The draft still needs its contacts.
        house.advance(2 * days);
        house.until_no_job_waits().await;
        assert_eq!(house.desk.get(&path).await.ok()["state"], "completed");
        house.desk.delete(&again).await.ok();
        house.advance(days);
        house.until_gone(&path).await;
        let deleted = house.desk.get("/campaigns?deleted=true").await.ok();
        assert_eq!(deleted["items"].as_array().unwrap().len(), 1, "the draft");
        let late = house.desk.post(&format!("{path}/restore"), json!({})).await.problem();
        assert_eq!(late, (404, "campaign_not_found".to_owned()));
        assert_eq!(house.switch.board.lock().unwrap().forgotten.len(), 1);
        assert_eq!(house.audit().await.last().map(String::as_str), Some("campaign.purge"));
    })
    .await;
}
