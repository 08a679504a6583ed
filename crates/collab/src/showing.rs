//! The content of other pages that a page shows.

use crate::Rooms;
use documents::{error::Error, projection::Content, shown::Pages};
use workspaces::access::{DocumentAccess, ViewDocument};

impl Pages for Rooms {
    async fn content(&self, access: &DocumentAccess<ViewDocument>) -> Result<Content, Error> {
        Ok(self.committed(access.id()).await?.1)
    }

    /// Is a reading of that page, for the log of who read restricted ones, but no visit there.
    async fn shows(&self, access: &DocumentAccess<ViewDocument>) -> Result<(), Error> {
        self.viewed(access.user(), access.id()).await
    }
}
