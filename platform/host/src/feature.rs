//! The plug: what a feature brings.

use http_kit::{ApiRouter, ProblemInfo};

use crate::Socket;

/// A feature of the product, as the server sees it.
///
/// It is made with [`crate::Handles`] and whatever its own settings are; it never sees another
/// feature.
pub trait Feature: Send + Sync + 'static {
    /// One word of the product, and the name of its migrations' chain.
    fn name(&self) -> &'static str;

    /// Its tables and the views that it publishes.
    fn chain(&self) -> db::Chain;

    /// How its routes refuse: `KettleProblem::ALL` of each of its enums.
    fn problems(&self) -> Vec<&'static [ProblemInfo]>;

    /// Its routes, without the `/api/v1` in front.
    fn routes(&self) -> ApiRouter;

    /// Puts its topics, jobs, listeners and loops into the socket. Called once, after the
    /// migrations have run and before anything starts.
    fn plug(&self, socket: &mut Socket);
}
