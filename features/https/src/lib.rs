#![doc = include_str!("../README.md")]

mod routes;
mod view;

use access::Permission;
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, ProblemInfo, routes};
use tls::Tls;

/// The feature.
pub struct Https(Certificates);

/// The certificate, and where it is written down who asked for another.
#[derive(Clone)]
pub(crate) struct Certificates {
    pub(crate) tls: Tls,
    pub(crate) handles: Handles,
}

impl Https {
    /// Shows and looks after this certificate.
    pub fn new(tls: Tls, handles: Handles) -> Self {
        Self(Certificates { tls, handles })
    }
}

impl Feature for Https {
    fn name(&self) -> &'static str {
        "https"
    }

    fn chain(&self) -> db::Chain {
        db::Chain { feature: "https", migrations: &[], views: "" }
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        Vec::new()
    }

    fn routes(&self) -> ApiRouter {
        ApiRouter::new()
            .with(Permission::AccountView, routes!(routes::get::get_https))
            .with(Permission::AccountManage, routes!(routes::renew::renew_certificate))
            .with_state(self.0.clone())
    }

    fn plug(&self, socket: &mut Socket) {
        let tls = self.0.tls.clone();
        socket.run("https.keep", move |shutdown| {
            let tls = tls.clone();
            async move {
                tokio::select! {
                    () = tls.keep() => {}
                    () = shutdown.stopping() => {}
                }
            }
        });
    }
}
