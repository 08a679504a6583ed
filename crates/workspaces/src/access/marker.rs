//! The permissions, as types: a function that needs one names it, and another does not compile.

use kernel::role::{Level, Role};

/// A permission in a workspace: who has at least this role has it.
pub trait Allows {
    /// The smallest role.
    const ROLE: Role;
    /// Whether it is not there while the workspace is archived.
    const WRITES: bool;
}

/// A permission on a page: who has at least this level has it.
pub trait Grants {
    /// The smallest level.
    const LEVEL: Level;
}

/// A permission on a page that includes another. Sealed: a permission from elsewhere could include what it likes.
pub trait AtLeast<Q>: sealed::Sealed {}

mod sealed {
    /// The permissions of this file.
    pub trait Sealed {}
}

macro_rules! workspace_permissions {
    ($($(#[$doc:meta])* $name:ident: $role:ident $(, $writes:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Allows for $name {
            const ROLE: Role = Role::$role;
            const WRITES: bool = writes!($($writes)?);
        }
    )*
        /// Every permission in a workspace by its name, with the smallest role.
        #[cfg(test)]
        pub(crate) const IN_WORKSPACES: &[(&str, Role)] = &[$((stringify!($name), <$name as Allows>::ROLE)),*];
    };
}

macro_rules! writes {
    () => {
        false
    };
    (writes) => {
        true
    };
}

// What says `writes` is not there while the workspace is archived.
workspace_permissions! {
    /// See that the workspace exists, and its name.
    ReadWorkspace: Guest;
    /// See who belongs to it.
    ReadMembers: Member;
    /// Take out of it what they may see, all at once.
    ExportWorkspace: Member;
    /// Make pages in it.
    CreateDocuments: Member, writes;
    /// Change its name.
    EditWorkspace: Admin, writes;
    /// Add, change and remove members.
    ManageMembers: Admin;
    /// See everything that happened in it, and export it.
    ReadAudit: Admin;
    /// See its activity reports, and get them by mail.
    ReadReports: Admin;
    /// Put it in the trash.
    DeleteWorkspace: Owner;
}

macro_rules! document_permissions {
    ($($(#[$doc:meta])* $name:ident: $level:ident includes $($less:ident)*;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Grants for $name {
            const LEVEL: Level = Level::$level;
        }
        impl sealed::Sealed for $name {}
        $(impl AtLeast<$less> for $name {})*
    )*
        /// Every permission on a page by its name, with the smallest level.
        #[cfg(test)]
        pub(crate) const ON_DOCUMENTS: &[(&str, Level)] = &[$((stringify!($name), <$name as Grants>::LEVEL)),*];
    };
}

document_permissions! {
    /// Read a page.
    ViewDocument: View includes ViewDocument;
    /// Comment on it.
    CommentDocument: Comment includes ViewDocument CommentDocument;
    /// Change its content and fields.
    EditDocument: Edit includes ViewDocument CommentDocument EditDocument;
    /// Change who may do what, and destroy it.
    ManageDocument: Manage includes ViewDocument CommentDocument EditDocument ManageDocument;
}
