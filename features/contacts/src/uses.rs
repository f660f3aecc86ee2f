//! Who knows whether a list is in use; declared here, implemented by whoever uses lists.

use base::{Id, kind};
use db::Tx;
use futures::future::BoxFuture;

/// Tells whether a list is in use. Asked in the transaction that would delete it.
pub trait ListUses: Send + Sync + 'static {
    /// The name of a campaign that is running or paused and has `list`, if there is one. It must be
    /// found through `tx` alone.
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
        list: Id<kind::ContactList>,
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
}
