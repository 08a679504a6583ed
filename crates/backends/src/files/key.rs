//! The names of files in the store. All are made here from ids, so no name that somebody chose ever becomes a path.

use kernel::id::{ConnectionId, FileId, ImportId, JobId, WorkspaceId};
use object_store::path::Path;
use std::fmt;

/// A part of the store that one kind of file lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Files of pages, and the small pictures made of them.
    Attachments,
    /// What was exported, until it is fetched or its time is over.
    Exports,
    /// What is to be imported.
    Imports,
    /// What a process writes to see whether it can.
    Probes,
}

impl Area {
    /// The first part of the names in it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attachments => "attachments",
            Self::Exports => "exports",
            Self::Imports => "imports",
            Self::Probes => "probes",
        }
    }
}

/// The name of one file in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Path);

impl Key {
    /// Of a page's file.
    pub fn attachment(workspace: WorkspaceId, id: FileId) -> Self {
        Self::new(Area::Attachments, [workspace.to_string(), id.to_string()])
    }

    /// Of a small picture of a page's file, whose longer edge has so many pixels.
    pub fn thumbnail(workspace: WorkspaceId, id: FileId, edge: u32) -> Self {
        Self::new(Area::Attachments, [workspace.to_string(), format!("{id}.{edge}")])
    }

    /// Of what a job exported.
    pub fn export(job: JobId) -> Self {
        Self::new(Area::Exports, [job.to_string()])
    }

    /// Of what is to be imported.
    pub fn import(id: ImportId) -> Self {
        Self::new(Area::Imports, [id.to_string()])
    }

    pub(super) fn probe(by: ConnectionId) -> Self {
        Self::new(Area::Probes, [by.to_string()])
    }

    fn new<const N: usize>(area: Area, parts: [String; N]) -> Self {
        Self(Path::from_iter([area.name().to_owned()].into_iter().chain(parts)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The last part of the name.
    pub fn name(&self) -> &str {
        self.0.filename().unwrap_or_default()
    }

    /// Which file this is, when it is one of a page or a small picture of one.
    pub fn file_id(&self) -> Option<FileId> {
        let name = self.0.as_ref().strip_prefix(Area::Attachments.name())?;
        let id = name.rsplit('/').next()?.split('.').next()?;
        id.parse().ok()
    }
}

impl From<Path> for Key {
    fn from(path: Path) -> Self {
        Self(path)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_ids_and_tell_whose_a_file_is() {
        let (workspace, id) = (WorkspaceId::new(), FileId::new());
        let file = Key::attachment(workspace, id);
        assert_eq!(file.to_string(), format!("attachments/{workspace}/{id}"));
        let small = Key::thumbnail(workspace, id, 256);
        assert_eq!(small.name(), format!("{id}.256"));
        assert_eq!((file.file_id(), small.file_id()), (Some(id), Some(id)));
        let export = Key::export(JobId::new());
        assert!(export.to_string().starts_with("exports/") && export.file_id().is_none());
        assert!(Key::from(Path::from("attachments/what/is/this")).file_id().is_none());
    }
}
