//! A signed-in user of the HTTP API.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Speaks to one server and keeps its cookies.
pub(crate) struct Client {
    agent: ureq::Agent,
    origin: String,
}

impl Client {
    /// A client of the server on loopback `port`, not signed in.
    pub(crate) fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .into();
        Self { agent, origin: format!("http://127.0.0.1:{port}") }
    }

    /// Status of a GET outside the API, or the reason why there is none.
    pub(crate) fn status(&self, path: &str) -> Result<u16> {
        Ok(self.agent.get(format!("{}{path}", self.origin)).call()?.status().as_u16())
    }

    /// GET of an API path.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let answer = self.agent.get(self.url(path)).call();
        self.value("GET", path, answer)
    }

    /// The bytes of an API path.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let mut answer = self.agent.get(self.url(path)).call()?;
        if !answer.status().is_success() {
            bail!("GET {path}: {}", answer.status());
        }
        Ok(answer.body_mut().with_config().limit(64 << 20).read_to_vec()?)
    }

    /// POST of JSON to an API path.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.agent.post(self.url(path)).header("Origin", &self.origin);
        self.value("POST", path, request.send_json(body))
    }

    /// PATCH of JSON to an API path.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.agent.patch(self.url(path)).header("Origin", &self.origin);
        self.value("PATCH", path, request.send_json(body))
    }

    /// DELETE of an API path.
    pub(crate) fn delete(&self, path: &str) -> Result<Value> {
        let request = self.agent.delete(self.url(path)).header("Origin", &self.origin);
        self.value("DELETE", path, request.call())
    }

    /// POST of raw bytes to an API path.
    pub(crate) fn upload(&self, path: &str, kind: &str, body: &[u8]) -> Result<Value> {
        let request = self.agent.post(self.url(path)).header("Origin", &self.origin);
        self.value("POST", path, request.header("Content-Type", kind).send(body))
    }

    /// Makes the owner with the token of the set-up link; signs in by it.
    pub(crate) fn set_up(&self, link: &str) -> Result<()> {
        let token = link.split("#token=").nth(1).context("the set-up link has no token")?;
        self.post(
            "/setup",
            &json!({
                "token": token.trim(), "language": "en", "time_zone": "Europe/Kyiv", "country": "UA",
                "account_name": "Check", "name": "Owner", "email": "owner@example.org",
                "password": "a long enough password",
            }),
        )?;
        Ok(())
    }

    /// Every item of a paged API path.
    pub(crate) fn all(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let cursor = if next.is_empty() { String::new() } else { format!("&cursor={next}") };
            let page = self.get(&format!("{path}{join}limit=200{cursor}"))?;
            items.extend(page["items"].as_array().context("no items in the page")?.iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => cursor.clone_into(&mut next),
                None => return Ok(items),
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.origin)
    }

    #[expect(clippy::unused_self, reason = "reads as a method of the conversation")]
    fn value(
        &self,
        verb: &str,
        path: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value> {
        let mut answer = answer.with_context(|| format!("{verb} {path}"))?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        if !answer.status().is_success() {
            bail!("{verb} {path}: {} {text}", answer.status());
        }
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }
}
