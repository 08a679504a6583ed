//! Files that belong to pages: taken in as a stream under limits, kept in a store, given only to who may see the page.
