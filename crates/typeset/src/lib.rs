//! PDF: a page comes in as data and leaves as typeset bytes. It knows no page, no database and no network.
