//! Who knows what campaigns there are and whether they use a list; declared here, implemented by
//! whoever has campaigns.

use base::{Id, kind};
use db::Tx;
use futures::future::BoxFuture;

/// Tells whether a list is in use, and what campaigns are called. Asked in the transaction that
/// depends on the answer.
pub trait ListUses: Send + Sync + 'static {
    /// The name of a campaign that is running or paused and has `list`, if there is one. It must be
    /// found through `tx` alone.
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
        list: Id<kind::ContactList>,
    ) -> BoxFuture<'a, db::Result<Option<String>>>;

    /// The name of a campaign, for entries of the do-not-call list that hold for it alone.
    fn campaign_name<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
        campaign: Id<kind::Campaign>,
    ) -> BoxFuture<'a, db::Result<Option<String>>>;
}

/// For a server without campaigns: no list is ever in use.
pub struct NoUses;

impl ListUses for NoUses {
    fn in_use<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<kind::Account>,
        _: Id<kind::ContactList>,
    ) -> BoxFuture<'a, db::Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    fn campaign_name<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<kind::Account>,
        _: Id<kind::Campaign>,
    ) -> BoxFuture<'a, db::Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }
}
