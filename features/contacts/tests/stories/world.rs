//! The feature in the small world of the host, on a database of each engine.

use std::{collections::BTreeSet, future::Future, sync::Arc};

use access::Role;
use axum::{body::Body, http::Method};
use base::{Id, kind};
use contacts::{Contacts, Google, ListUses};
use db::{Chain, Migration, Tx, args, sql, testing};
use futures::future::BoxFuture;
use host::{
    Feature, Handles, Socket,
    testing::{Answer, Desk},
};
use jobs::Jobs;
use outbound::{Allowed, Outbound};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// The feature and everything around it.
pub(crate) struct World {
    host: host::testing::World,
    /// An administrator of account 1.
    pub(crate) ours: Desk,
    /// An administrator of account 2.
    pub(crate) theirs: Desk,
    pub(crate) uses: Arc<Uses>,
}

/// Lists that a campaign uses.
#[derive(Default)]
pub(crate) struct Uses(pub(crate) Mutex<BTreeSet<i64>>);

impl ListUses for Uses {
    fn in_use<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<kind::Account>,
        list: Id<kind::ContactList>,
    ) -> BoxFuture<'a, db::Result<Option<String>>> {
        let used = self.0.lock().contains(&list.raw());
        Box::pin(async move { Ok(used.then(|| "Spring".to_owned())) })
    }

    /// Account 1 has the campaign 7.
    fn campaign_name<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        account: Id<kind::Account>,
        campaign: Id<kind::Campaign>,
    ) -> BoxFuture<'a, db::Result<Option<String>>> {
        let known = (account.raw(), campaign.raw()) == (1, 7);
        Box::pin(async move { Ok(known.then(|| "Spring".to_owned())) })
    }
}

/// What people publishes, as far as contacts reads it.
const PEOPLE: Chain = Chain {
    feature: "people",
    migrations: &[Migration {
        name: "1_account",
        sql: "CREATE TABLE an_account (account BIGINT NOT NULL, country TEXT);
              INSERT INTO an_account VALUES (1, 'UA'), (2, 'UZ');",
    }],
    views: "CREATE VIEW v_account AS SELECT account, country FROM an_account;
            CREATE VIEW v_person AS SELECT account, account * 10 AS person, 'Olena' AS name
            FROM an_account;",
};

/// Tells `story` on both engines.
pub(crate) async fn each<F, Fut>(story: F)
where
    F: Fn(World) -> Fut,
    Fut: Future<Output = ()>,
{
    let chains = [http_kit::chain(), jobs::chain(), host::chain(), PEOPLE, contacts::chain()];
    testing::each(&chains, |db| story(World::new(host::testing::World::new(db)))).await;
}

impl World {
    fn new(mut host: host::testing::World) -> Self {
        // A peer of a test is on the loopback; everything else there is refused as ever.
        let allowed: Allowed = "127.0.0.1".parse().unwrap();
        host.handles.outbound = Outbound::new(allowed, host.handles.clock.clone());
        Self::with(host, Google::default())
    }

    fn with(host: host::testing::World, google: Google) -> Self {
        let uses = Arc::<Uses>::default();
        let known = Arc::clone(&uses) as Arc<dyn ListUses>;
        let feature = Contacts::with_google(host.handles.clone(), known, google);
        let desk = host.desk(&[&feature]);
        let (ours, theirs) = (desk.of(1, Role::Administrator), desk.of(2, Role::Administrator));
        Self { host, ours, theirs, uses }
    }

    /// The same world, in which Google is at `base`.
    pub(crate) fn with_google(self, base: &str) -> Self {
        let google = Google { docs: base.to_owned(), api: base.to_owned() };
        Self::with(self.host, google)
    }

    /// The tools that the feature was made with.
    pub(crate) fn handles(&self) -> &Handles {
        &self.host.handles
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, span: std::time::Duration) {
        self.host.hand.advance(span);
    }

    /// The worker of another process, which has the same database and the same disk.
    pub(crate) fn another_worker(&self) -> Jobs {
        let mut handles = self.host.handles.clone();
        handles.jobs = Jobs::new(handles.db.clone(), &handles.ids);
        let uses = Arc::clone(&self.uses) as Arc<dyn ListUses>;
        Contacts::new(handles.clone(), uses).plug(&mut Socket::new(handles.clone()));
        handles.jobs
    }

    /// Does every job.
    pub(crate) async fn work(&self) {
        self.handles().jobs.drain().await.unwrap();
    }

    /// Reads as we do.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ours.get(path).await
    }

    /// A new list's id.
    pub(crate) async fn list(&self, name: &str) -> String {
        let made = self.ours.post("/lists", json!({ "name": name })).await;
        made.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Uploads a file into the list.
    pub(crate) async fn upload(&self, list: &str, file: impl Into<Body>) -> Answer {
        upload(&self.ours, list, file).await
    }

    /// Starts an import as it was suggested; no row is taken before the job runs.
    pub(crate) async fn start(&self, import: &Value) -> Value {
        let body = json!({ "mapping": import["mapping"], "region": import["region"] });
        self.ours.post(&format!("{}/start", path(import)), body).await.ok()
    }

    /// Uploads, starts as suggested, and takes every row.
    pub(crate) async fn import(&self, list: &str, file: impl Into<Body>) -> Value {
        let import = self.upload(list, file).await.ok();
        self.start(&import).await;
        self.work().await;
        self.reread(&import).await
    }

    /// The import as it is now.
    pub(crate) async fn reread(&self, import: &Value) -> Value {
        self.get(&path(import)).await.ok()
    }

    /// The state as it is stored, also while the rest of the row cannot be read.
    pub(crate) async fn reread_state(&self, import: &Value) -> String {
        let id: i64 = import["id"].as_str().unwrap().parse().unwrap();
        let read = self.handles().db.read(move |tx| {
            Box::pin(async move {
                let state = sql!("SELECT state FROM import WHERE id = $1");
                tx.one::<(String,)>(state, args![id]).await
            })
        });
        read.await.unwrap().0
    }

    /// Makes the import's row one that the program cannot read.
    pub(crate) async fn spoil(&self, import: &Value) {
        self.encode(import, "utf-9").await;
    }

    /// Makes it readable again.
    pub(crate) async fn mend(&self, import: &Value) {
        self.encode(import, "utf-8").await;
    }

    async fn encode(&self, import: &Value, encoding: &'static str) {
        let id: i64 = import["id"].as_str().unwrap().parse().unwrap();
        let write = self.handles().db.write(move |tx| {
            Box::pin(async move {
                let spoil = sql!("UPDATE import SET encoding = $2 WHERE id = $1");
                tx.exec(spoil, args![id, encoding]).await
            })
        });
        assert_eq!(write.await.unwrap(), 1);
    }

    /// How often the only job of a kind was begun.
    pub(crate) async fn attempts(&self, kind: &'static str) -> i64 {
        let read = self.handles().db.read(move |tx| {
            Box::pin(async move {
                let attempts = sql!("SELECT attempt FROM job WHERE kind = $1");
                tx.one::<(i64,)>(attempts, args![kind]).await
            })
        });
        read.await.unwrap().0
    }

    /// Lets whatever was woken ask the database once.
    pub(crate) async fn settle(&self) {
        self.attempts("contacts.import").await;
    }

    /// Waits until `rows` rows of an import that runs beside this were taken.
    pub(crate) async fn until_rows(&self, import: &Value, rows: i64) {
        while self.reread(import).await["counts"]["rows"].as_i64().unwrap() < rows {
            tokio::task::yield_now().await;
        }
    }

    /// Every contact of the list, page by page.
    pub(crate) async fn contacts(&self, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/lists/{list}/contacts?limit=200{cursor}")).await.ok();
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// One number of the database, about a list.
    pub(crate) async fn count(&self, sql: &'static str, list: &str) -> i64 {
        let list: i64 = list.parse().unwrap();
        let read = self
            .handles()
            .db
            .read(move |tx| Box::pin(async move { tx.one::<(i64,)>(sql, args![list]).await }));
        read.await.unwrap().0
    }

    /// Subjects of the facts that wait in the outbox.
    pub(crate) async fn facts(&self) -> Vec<String> {
        let read = self.handles().db.read(|tx| {
            Box::pin(async move {
                let all = sql!("SELECT subject FROM outbox ORDER BY id LIMIT 10000");
                tx.all::<(String,)>(all, args![]).await
            })
        });
        read.await.unwrap().into_iter().map(|(subject,)| subject).collect()
    }
}

/// Where an import is.
pub(crate) fn path(import: &Value) -> String {
    format!("/imports/{}", import["id"].as_str().unwrap())
}

/// Uploads a file into the list as whoever sits there.
pub(crate) async fn upload(desk: &Desk, list: &str, file: impl Into<Body>) -> Answer {
    let path = format!("/lists/{list}/imports?filename=people.csv");
    desk.send(Method::POST, &path, file.into(), &[("content-type", "text/csv")]).await
}
