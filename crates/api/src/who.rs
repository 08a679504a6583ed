//! Who somebody is to the door, by what they came with.

use kernel::role::Level;
use users::{
    Bearer, Caller, Through,
    api_key::Key,
    scope::Verb::{self, Delete, Read, Write},
};
use workspaces::access::Who;

/// A person. Whether a key's scopes cover an operation is asked where the operation is known.
pub(crate) fn of_caller(caller: &Caller) -> Who {
    match &caller.through {
        Through::Session(session) => Who::with_session(caller.user, *session),
        Through::Key(key) => Who::with_key(caller.user, (key.id, key.stamp), key.workspace, Level::Manage),
    }
}

/// A person or whoever holds a share link.
pub(crate) fn of_bearer(bearer: &Bearer) -> Who {
    match bearer {
        Bearer::Person(caller) => of_caller(caller),
        Bearer::Link(holder) => Who::with_link(holder.link, holder.generation, holder.visitor),
    }
}

/// Somebody on a socket, where there are no operations to ask a key's scopes for: it does what they say of pages and blocks.
pub(crate) fn on_socket(bearer: &Bearer) -> Who {
    match bearer {
        Bearer::Person(caller) => match &caller.through {
            Through::Key(key) => Who::with_key(caller.user, (key.id, key.stamp), key.workspace, most(key)),
            Through::Session(_) => of_caller(caller),
        },
        Bearer::Link(_) => of_bearer(bearer),
    }
}

fn most(key: &Key) -> Level {
    let may = |verb: Verb| key.may("documents", verb) && key.may("blocks", verb);
    match (may(Read), may(Write) && may(Delete)) {
        (true, true) => Level::Edit,
        (true, false) => Level::View,
        (false, _) => Level::None,
    }
}
