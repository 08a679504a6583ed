//! Our own bundle, read back: the same pages under new ids, with what they say of one another following along.

use super::{
    archive::{Archive, Refusal},
    draft::Draft,
    markdown::new_block,
    report::{Notes, Reason},
    tree::{Kind, Leaf, Tree, id_of},
};
use crate::bundle::{AttachmentEntry, FORMAT, MANIFEST, Manifest, PageContent, PageEntry, VERSION};
use documents::op::NewBlock;
use kernel::id::{AttachmentId, DocumentId, JobId};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Bytes of a manifest.
const MAX_MANIFEST: u64 = 32 << 20;
/// Where links to files of pages lead.
const FILES: &str = "/api/v1/attachments/";
const PAGES: &str = "/documents/";

/// A bundle's manifest, with the new ids of what is in it.
pub struct Bundle {
    pages: Vec<PageEntry>,
    attachments: Vec<AttachmentEntry>,
    new_ids: HashMap<DocumentId, DocumentId>,
    numbers: HashMap<Uuid, usize>,
}

#[cfg(test)]
mod tests;

/// Whether an archive is a bundle.
pub fn is_bundle(archive: &Archive) -> bool {
    archive.size(MANIFEST).is_some()
}

impl Bundle {
    /// Reads the manifest.
    ///
    /// # Errors
    /// When it is none, or is of a version to come.
    pub fn open(archive: &mut Archive, job: JobId, most: usize) -> Result<(Self, Tree), Refusal> {
        let bytes = archive.read(MANIFEST, MAX_MANIFEST)?;
        let wrong = |detail: String| Refusal::new(Reason::WrongFormat, detail);
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != FORMAT || manifest.version > VERSION {
            return Err(wrong(format!("{} {} is not read here", manifest.format, manifest.version)));
        }
        if manifest.pages.len() > most {
            return Err(Refusal::new(Reason::TooMany, format!("an import takes {most} pages at most")));
        }
        let pages = in_order(manifest.pages);
        let new_ids = pages.iter().map(|page| (page.id, id_of(job, &page.id.to_string(), 0))).collect();
        let numbers = manifest
            .attachments
            .iter()
            .enumerate()
            .map(|(number, file)| (file.id, number))
            .collect();
        let bundle = Self {
            pages,
            attachments: manifest.attachments,
            new_ids,
            numbers,
        };
        let tree = bundle.tree();
        Ok((bundle, tree))
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        let mut places: HashMap<DocumentId, usize> = HashMap::new();
        for page in &self.pages {
            let parent = page.parent_id.and_then(|parent| places.get(&parent).copied());
            places.insert(page.id, tree.pages.len());
            tree.push(Leaf {
                path: page.path.clone(),
                kind: Kind::Bundle,
                parent,
                name: page.title.clone(),
                id: self.new_ids[&page.id],
            });
        }
        tree
    }

    /// The files, by number: where they stand, and what they are called.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attachments.iter().map(|file| (file.path.as_str(), file.name.as_str()))
    }

    /// Reads a page. Files that belong to it come along whether it shows them or not.
    ///
    /// # Errors
    /// When its content cannot be read.
    pub fn read(&self, place: usize, bytes: &[u8], file_id: &dyn Fn(usize) -> AttachmentId) -> Result<(Draft, BTreeSet<usize>), Refusal> {
        let page = &self.pages[place];
        let content: PageContent = serde_json::from_slice(bytes).map_err(|error| Refusal::new(Reason::Damaged, error.to_string()))?;
        let mut draft = Draft {
            title: Some(content.title),
            icon: page.icon.clone(),
            cover: page.cover.clone(),
            is_template: page.is_template,
            blocks: content.blocks.into_iter().map(new_block).collect(),
            notes: Notes::default(),
        };
        let own = self.attachments.iter().enumerate().filter(|(_, file)| file.document_id == page.id);
        let mut follow = Follow {
            bundle: self,
            file_id,
            files: own.map(|(number, _)| number).collect(),
            notes: &mut draft.notes,
        };
        follow.blocks(&mut draft.blocks);
        for picture in [&mut draft.icon, &mut draft.cover].into_iter().flatten() {
            if let Some(new) = follow.link(picture) {
                *picture = new;
            }
        }
        let files = follow.files;
        Ok((draft, files))
    }
}

/// Pages with those beside one another in their order, parents first. One whose parent is not there stands at the top.
fn in_order(pages: Vec<PageEntry>) -> Vec<PageEntry> {
    let ids: BTreeSet<DocumentId> = pages.iter().map(|page| page.id).collect();
    let mut under: HashMap<Option<DocumentId>, Vec<PageEntry>> = HashMap::new();
    for mut page in pages {
        page.parent_id = page.parent_id.filter(|parent| ids.contains(parent) && *parent != page.id);
        under.entry(page.parent_id).or_default().push(page);
    }
    // Last first: they are taken from the end.
    under.values_mut().for_each(|row| row.sort_by(|a, b| b.rank.cmp(&a.rank)));
    let mut seen = BTreeSet::new();
    let mut ordered = Vec::new();
    let mut rest = under.remove(&None).unwrap_or_default();
    loop {
        while let Some(page) = rest.pop() {
            if seen.insert(page.id) {
                rest.extend(under.remove(&Some(page.id)).unwrap_or_default());
                ordered.push(page);
            }
        }
        // What hangs in a circle is cut at some page of it.
        let Some(cut) = under.keys().next().copied() else { return ordered };
        let mut row = under.remove(&cut).unwrap_or_default();
        row.iter_mut()
            .filter(|page| page.parent_id.is_none_or(|parent| !seen.contains(&parent)))
            .for_each(|page| page.parent_id = None);
        rest.extend(row);
    }
}

/// Follows ids through the content of a page.
struct Follow<'b> {
    bundle: &'b Bundle,
    file_id: &'b dyn Fn(usize) -> AttachmentId,
    files: BTreeSet<usize>,
    notes: &'b mut Notes,
}

impl Follow<'_> {
    fn blocks(&mut self, blocks: &mut [NewBlock]) {
        for block in blocks {
            for (name, value) in &mut block.props {
                self.value(name, value);
            }
            for mark in &mut block.marks {
                self.mark(&mark.name, &mut mark.value);
            }
            self.blocks(&mut block.children);
        }
    }

    fn value(&mut self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(new) = self.id(name, text).or_else(|| self.link(text)) {
                    *text = new;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(name, item)),
            Value::Object(entries) => entries.iter_mut().for_each(|(name, value)| self.value(name, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The new id of a page or a file.
    fn id(&mut self, name: &str, text: &str) -> Option<String> {
        let id: Uuid = text.parse().ok()?;
        if let Some(new) = self.bundle.new_ids.get(&DocumentId(id)) {
            return Some(new.to_string());
        }
        if let Some(number) = self.bundle.numbers.get(&id) {
            self.files.insert(*number);
            return Some((self.file_id)(*number).to_string());
        }
        match name {
            "document_id" | "source_document_id" => self.notes.add(Reason::LinkBroken, format!("{text} is no page of the bundle")),
            "attachment_id" => self.notes.add(Reason::FileMissing, format!("{text} is no file of the bundle")),
            _ => {}
        }
        None
    }

    /// A path of ours with the new id in it.
    fn link(&mut self, url: &str) -> Option<String> {
        let (begin, rest) = [PAGES, FILES]
            .into_iter()
            .find_map(|begin| Some((begin, url.strip_prefix(begin)?)))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (id, behind) = rest.split_at(end);
        let name = if begin == PAGES { "document_id" } else { "attachment_id" };
        Some(format!("{begin}{}{behind}", self.id(name, id)?))
    }

    fn mark(&mut self, name: &str, value: &mut Value) {
        let Value::String(text) = value else { return };
        let new = match name {
            "mention" => self.mention(text),
            _ => self.link(text),
        };
        if let Some(new) = new {
            *text = new;
        }
    }

    fn mention(&mut self, text: &str) -> Option<String> {
        let mut mention: Map<String, Value> = serde_json::from_str(text).ok()?;
        if mention.get("kind").and_then(Value::as_str) != Some("page") {
            return None;
        }
        let new = self.id("document_id", mention.get("id")?.as_str()?)?;
        mention.insert("id".to_owned(), new.into());
        serde_json::to_string(&mention).ok()
    }
}
