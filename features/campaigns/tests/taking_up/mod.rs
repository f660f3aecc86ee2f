//! Contacts are taken up in units, and one by one it would come to the same.

use base::{Id, Timestamp};
use db::{args, record, sql};
use jobs::JobState;
use serde_json::{Map, Value, json};

use crate::house::{House, story};

/// A contact of the list.
#[derive(Debug, Clone)]
struct Listed {
    contact: i64,
    external_id: Option<String>,
    name: String,
    numbers: Vec<String>,
}

record! {
    #[derive(Debug, PartialEq, Eq, Clone)]
    struct Taken {
        list_contact: i64,
        external_id: Option<String>,
        name: String,
        phone: String,
        first_phone: String,
        number: i64,
        numbers: i64,
        state: String,
        updated_at: Timestamp,
    }
}

/// A number that nobody else of the list has.
fn own(n: i64) -> String {
    format!("+38093{}", 1_000_000 + n)
}

/// Its second number.
fn second(n: i64) -> String {
    format!("+38067{}", 1_000_000 + n)
}

/// Writes contacts of the list and their numbers, new or changed at this moment.
async fn write(house: &House, contacts: &[Listed]) {
    let now = house.now();
    let (mut rows, mut numbers) = (Map::new(), Map::new());
    for contact in contacts {
        let row = json!({ "external_id": contact.external_id, "name": contact.name });
        rows.insert(contact.contact.to_string(), row);
        for (ordinal, phone) in contact.numbers.iter().enumerate() {
            let key = format!("{}/{ordinal}", contact.contact);
            let number = json!({ "contact": contact.contact, "ordinal": ordinal, "phone": phone });
            numbers.insert(key, number);
        }
    }
    let (rows, numbers) = (Value::Object(rows), Value::Object(numbers));
    let written = house.world.handles.db.write(move |tx| {
        let (rows, numbers) = (rows.clone(), numbers.clone());
        Box::pin(async move {
            let gone = sql!(
                "DELETE FROM stand_contact
                 WHERE contact IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
            );
            tx.exec(gone, args![&rows]).await?;
            let gone = sql!(
                "DELETE FROM stand_number
                 WHERE contact IN (SELECT CAST(key AS BIGINT) FROM json_each($1))"
            );
            tx.exec(gone, args![&rows]).await?;
            tx.exec(
                sql!(
                    "INSERT INTO stand_contact (account, list, contact, external_id, name,
                       variables, updated_at)
                     SELECT 1, 10, CAST(key AS BIGINT), value ->> 'external_id',
                       value ->> 'name', '{}', $2
                     FROM json_each($1)"
                ),
                args![rows, now],
            )
            .await?;
            tx.exec(
                sql!(
                    "INSERT INTO stand_number (account, contact, phone, ordinal, kind)
                     SELECT 1, CAST(value ->> 'contact' AS BIGINT), value ->> 'phone',
                       CAST(value ->> 'ordinal' AS BIGINT), 'mobile'
                     FROM json_each($1)"
                ),
                args![numbers],
            )
            .await
        })
    });
    written.await.unwrap();
}

/// How often the lists of campaigns have been read.
async fn runs(house: &House) -> usize {
    let read =
        house.world.handles.db.read(|tx| {
            Box::pin(jobs::page(tx, Id::from_raw(1), Some(JobState::Done), i64::MAX, 100))
        });
    read.await.unwrap().iter().filter(|job| job.kind == "campaigns.prepare").count()
}

/// The contacts of a campaign in the order in which they were taken up, once its list has been read
/// so often.
async fn taken(house: &House, id: &str, times: usize) -> Vec<Taken> {
    while runs(house).await < times {
        house.world.handles.jobs.drain().await.unwrap();
        tokio::task::yield_now().await;
    }
    let campaign: i64 = id.parse().unwrap();
    let read = house.world.handles.db.read(move |tx| {
        Box::pin(async move {
            tx.all(
                sql!(
                    "SELECT list_contact, external_id, name, phone, first_phone, number, numbers,
                       state, updated_at
                     FROM campaign_contact WHERE campaign = $1 ORDER BY id"
                ),
                args![campaign],
            )
            .await
        })
    });
    read.await.unwrap()
}

/// Every kind of contact, eight to a round: the contact, and how it is taken up, if it is.
fn mixed(n: i64, at: Timestamp) -> (Listed, Option<Taken>) {
    let (first, other) = (own(n), second(n));
    let external = |n: i64| Some(format!("e{n}"));
    let (external_id, numbers, taken) = match n % 8 {
        0 => (external(n), vec![], Some((String::new(), 0, "no_number"))),
        // Both are forbidden, or only the first.
        1 => (external(n), vec![first, other], Some((own(n), 0, "do_not_call"))),
        2 => (external(n), vec![first, other], Some((second(n), 1, "callable"))),
        // The number of the contact before it, then the external id of the one before that.
        4 => (external(n), vec![own(n - 1), other], None),
        5 => (external(n - 2), vec![first], None),
        6 => (None, vec![first, other], Some((own(n), 0, "callable"))),
        // The number of one of the first unit.
        7 if n > 500 => (external(n), vec![own(7)], None),
        _ => (external(n), vec![first], Some((own(n), 0, "callable"))),
    };
    let listed =
        Listed { contact: n, external_id, name: format!("Contact {n}"), numbers: numbers.clone() };
    let taken = taken.map(|(phone, number, state)| Taken {
        list_contact: n,
        external_id: listed.external_id.clone(),
        name: listed.name.clone(),
        phone,
        first_phone: numbers.first().cloned().unwrap_or_else(|| format!("none:{n}")),
        number,
        numbers: numbers.len() as i64,
        state: state.to_owned(),
        updated_at: at,
    });
    (listed, taken)
}

/// Forbids numbers as the kinds of [`mixed`] say; the entries of the third are over, and those of the
/// sixth another campaign's.
async fn forbid(house: &House) {
    let now = house.now();
    let write = house.world.handles.db.write(move |tx| {
        Box::pin(async move {
            tx.exec(
                sql!(
                    "INSERT INTO stand_forbidden (account, phone, scope, target, expires_at)
                     SELECT 1, phone,
                       CASE WHEN contact % 8 = 6 THEN 'campaign'
                         WHEN contact % 8 = 1 AND ordinal = 0 THEN 'list' ELSE 'account' END,
                       CASE WHEN contact % 8 = 6 THEN 1
                         WHEN contact % 8 = 1 AND ordinal = 0 THEN 10 ELSE 0 END,
                       CASE WHEN contact % 8 = 3 THEN CAST($1 AS BIGINT) END
                     FROM stand_number
                     WHERE contact % 8 = 1 OR (contact % 8 IN (2, 3, 6) AND ordinal = 0)"
                ),
                args![now],
            )
            .await
        })
    });
    write.await.unwrap();
}

const CONTACTS: i64 = 1_200;

/// A campaign over all of them, at whose hours nobody is called yet, and its contacts.
async fn campaign(house: &House) -> (String, Vec<Taken>) {
    let (listed, taken): (Vec<_>, Vec<_>) = (1..=CONTACTS).map(|n| mixed(n, house.now())).unzip();
    write(house, &listed).await;
    forbid(house).await;
    let hours = json!({"sun": [["09:00", "10:00"]]});
    let id = house.draft(json!({ "hours": hours, "always_active": true })).await;
    house.start(&id).await;
    (id, taken.into_iter().flatten().collect())
}

#[tokio::test]
async fn three_units_hold_whom_one_by_one_would_have_taken_up() {
    story(|house| async move {
        let (id, expected) = campaign(&house).await;
        let found = taken(&house, &id, 1).await;
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected);
        }
        house.counters_are_right(&id).await;

        // The same list once more: nothing is written.
        house.advance(60);
        house.list_changed().await;
        assert_eq!(taken(&house, &id, 2).await, expected);

        // Half of the names change; who does not wait keeps the old one.
        house.advance(60);
        let now = house.now();
        let mut renamed = Vec::new();
        for n in (1..=CONTACTS).filter(|n| n % 2 == 1) {
            let (mut listed, _) = mixed(n, now);
            listed.name.push('!');
            renamed.push(listed);
        }
        write(&house, &renamed).await;
        house.list_changed().await;
        let found = taken(&house, &id, 3).await;
        let mut expected = expected;
        for row in &mut expected {
            if row.list_contact % 2 == 1 && row.state == "callable" {
                row.name.push('!');
                row.updated_at = now;
            }
        }
        assert_eq!(found, expected);
        house.counters_are_right(&id).await;
    })
    .await;
}

#[tokio::test]
async fn numbers_change_hands_within_a_unit_in_the_order_of_the_list() {
    story(|house| async move {
        let one = |contact: i64, numbers: &[i64]| Listed {
            contact,
            external_id: Some(format!("e{contact}")),
            name: format!("Contact {contact}"),
            numbers: numbers.iter().copied().map(own).collect(),
        };
        let before: Vec<_> = (11..=20).map(|n| one(n, &[n])).collect();
        write(&house, &before).await;
        let hours = json!({"sun": [["09:00", "10:00"]]});
        let id = house.draft(json!({ "hours": hours, "always_active": true })).await;
        house.start(&id).await;
        taken(&house, &id, 1).await;
        house.counters_are_right(&id).await;

        house.advance(600);
        let after = [
            // Too early: 12 still has it. Later it is free.
            one(1, &[12]),
            // Before 13 comes to it.
            one(2, &[30]),
            // Two exchange theirs: each keeps its own.
            one(11, &[14]),
            one(12, &[31, 32]),
            one(13, &[30]),
            one(14, &[11]),
            // One after the other, to what the one before it has let go.
            one(15, &[33]),
            one(16, &[15]),
            one(17, &[16, 17]),
            // It has lost its numbers, and keeps what it had.
            one(18, &[]),
            // What others have let go is free for who joins now.
            one(41, &[12]),
            one(42, &[17]),
            one(43, &[13]),
        ];
        write(&house, &after).await;
        house.list_changed().await;
        let found = taken(&house, &id, 2).await;
        let shown: Vec<_> = found
            .iter()
            .map(|row| {
                assert_eq!(row.phone, row.first_phone);
                let number = (row.phone[6..].parse::<i64>().unwrap(), row.numbers);
                (row.list_contact, number.0 % 1_000_000, number.1)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (11, 11, 1),
                (12, 31, 2),
                (13, 13, 1),
                (14, 14, 1),
                (15, 33, 1),
                (16, 15, 1),
                (17, 16, 2),
                (18, 18, 1),
                (19, 19, 1),
                (20, 20, 1),
                (2, 30, 1),
                (41, 12, 1),
                (42, 17, 1),
            ]
        );
        house.counters_are_right(&id).await;
    })
    .await;
}
