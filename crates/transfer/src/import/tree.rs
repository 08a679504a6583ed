//! The pages of an archive and how they hang together: folders hold what is in them, and a page of the same name, or a
//! `README`, stands for its folder.

use super::{
    archive::{Archive, Refusal, name},
    format::{self, Format},
    notion,
    report::Reason,
};
use kernel::id::{DocumentId, JobId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a page is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File(Format),
    /// A folder that no file stands for.
    Folder,
    /// A page of a bundle of ours.
    Bundle,
}

/// A page to be.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The file or folder.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The page it hangs under, by its place.
    pub parent: Option<usize>,
    /// What it is called, if it does not say so itself.
    pub name: String,
    /// The page's id. The same whenever the same import is read.
    pub id: DocumentId,
}

/// All pages, parents before what hangs under them.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The pages.
    pub pages: Vec<Leaf>,
    /// Files that are no pages of their own, and why.
    pub superseded: Vec<String>,
    by_path: HashMap<String, usize>,
    by_notion: HashMap<String, usize>,
    by_folder: HashMap<String, usize>,
    by_id: HashMap<DocumentId, usize>,
}

/// A page's id: of the import and of the place in it, so that doing an import again makes no page twice. It has the shape
/// of a version 4, as every page's has.
pub fn id_of(job: JobId, path: &str, part: usize) -> DocumentId {
    let mut hash = Sha256::new();
    for piece in [b"import".as_slice(), job.0.as_bytes(), &part.to_be_bytes(), path.as_bytes()] {
        hash.update(piece);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    DocumentId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

impl Tree {
    /// A single file.
    pub fn of_file(job: JobId, path: &str, format: Format) -> Self {
        let mut tree = Self::default();
        tree.push(Leaf {
            path: path.to_owned(),
            kind: Kind::File(format),
            parent: None,
            name: name::split(path).0.to_owned(),
            id: id_of(job, path, 0),
        });
        tree
    }

    /// The pages of an archive.
    ///
    /// # Errors
    /// When there are more than `most`, folders counted.
    pub fn of_archive(job: JobId, archive: &Archive, (format, most): (Format, usize)) -> Result<(Self, Format), Refusal> {
        let mut files: Vec<(&str, Format)> = archive.paths().filter_map(|path| Some((path, format::of_name(path)?))).collect();
        let of_notion = |path: &str| notion::split_id(name::split(path).0).1.is_some();
        let count = files.iter().filter(|(path, _)| of_notion(path)).count();
        let is_notion = format == Format::Notion || format != Format::Zip && count > 0 && count * 2 >= files.len();
        let mut tree = Self::default();
        if is_notion {
            tree.drop_doubles(&mut files);
        }
        let folders = folders(&files, most).filter(|folders| folders.len() + files.len() <= most);
        let folders = folders.ok_or_else(|| Refusal::new(Reason::TooMany, format!("an import takes {most} pages at most")))?;
        let unsorted = Unsorted::new(&files, &folders, is_notion);
        tree.grow(job, unsorted);
        for path in std::mem::take(&mut tree.superseded) {
            // Links lead to the page that stands for the file.
            let all = path.strip_suffix(".csv").map(|stem| format!("{stem}_all.csv"));
            if let Some(place) = all.and_then(|all| tree.by_path.get(&all).copied()) {
                tree.by_path.insert(path.clone(), place);
            }
            tree.superseded.push(path);
        }
        Ok((tree, if is_notion { Format::Notion } else { Format::Zip }))
    }

    /// Notion writes a database twice, and a list of all pages.
    fn drop_doubles(&mut self, files: &mut Vec<(&str, Format)>) {
        let paths: BTreeSet<String> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        files.retain(|(path, _)| {
            let is_double = path
                .strip_suffix(".csv")
                .is_some_and(|stem| paths.contains(&format!("{stem}_all.csv")));
            let is_list = *path == "index.html";
            if is_double || is_list {
                self.superseded.push((*path).to_owned());
            }
            !is_double && !is_list
        });
    }

    /// Puts the pages in order.
    fn grow(&mut self, job: JobId, unsorted: Unsorted) {
        let mut places: HashMap<usize, usize> = HashMap::new();
        // Parents lie higher up, or stand for the folder: few rounds, and none is endless.
        let mut waiting: Vec<usize> = (0..unsorted.leaves.len()).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|at| {
                let leaf = &unsorted.leaves[*at];
                let parent = leaf.parent.map(|parent| places.get(&parent).copied());
                if parent == Some(None) {
                    return true;
                }
                places.insert(*at, self.pages.len());
                self.add(job, leaf, parent.flatten());
                false
            });
            if waiting.len() == before {
                break;
            }
        }
        for (folder, leaf) in unsorted.owners {
            if let Some(place) = leaf.and_then(|leaf| places.get(&leaf)) {
                self.by_folder.insert(folder, *place);
            }
        }
    }

    fn add(&mut self, job: JobId, leaf: &Seed, parent: Option<usize>) {
        let place = self.pages.len();
        self.by_path.insert(leaf.path.clone(), place);
        let (title, id) = notion::split_id(&leaf.name);
        if let Some(id) = id {
            self.by_notion.insert(id.to_owned(), place);
        }
        let (kind, key) = match leaf.format {
            Some(format) => (Kind::File(format), leaf.path.clone()),
            None => (Kind::Folder, format!("{}/", leaf.path)),
        };
        self.push(Leaf {
            path: leaf.path.clone(),
            kind,
            parent,
            name: title.to_owned(),
            id: id_of(job, &key, 0),
        });
    }

    /// Adds a page behind those it may hang under.
    pub fn push(&mut self, leaf: Leaf) {
        self.by_id.insert(leaf.id, self.pages.len());
        self.pages.push(leaf);
    }

    /// The page of an id.
    pub fn of_id(&self, id: DocumentId) -> Option<&Leaf> {
        self.by_id.get(&id).map(|place| &self.pages[*place])
    }

    /// The page above another.
    pub fn above(&self, leaf: &Leaf) -> Option<&Leaf> {
        leaf.parent.and_then(|place| self.pages.get(place))
    }

    /// The page at a path.
    pub fn page_at(&self, path: &str) -> Option<&Leaf> {
        self.place(path).map(|place| &self.pages[place])
    }

    fn place(&self, path: &str) -> Option<usize> {
        let tries = [path.to_owned(), format!("{path}.md"), format!("{path}.html")];
        let found = tries
            .iter()
            .find_map(|path| self.by_path.get(path))
            .or_else(|| self.by_folder.get(path));
        found
            .or_else(|| self.by_notion.get(notion::split_id(name::split(path).0).1?))
            .copied()
    }

    /// The page of an id of Notion's.
    pub fn of_notion(&self, id: &str) -> Option<&Leaf> {
        self.by_notion.get(id).map(|place| &self.pages[*place])
    }

    /// The pages under one, by what they are called.
    pub fn under(&self, place: usize) -> BTreeMap<&str, DocumentId> {
        let under = self.pages.iter().filter(|leaf| leaf.parent == Some(place));
        under.map(|leaf| (leaf.name.as_str(), leaf.id)).collect()
    }
}

/// A page whose place is not known yet.
struct Seed {
    path: String,
    format: Option<Format>,
    parent: Option<usize>,
    name: String,
}

/// Pages and folders, before they are in order.
struct Unsorted {
    leaves: Vec<Seed>,
    /// The page that stands for a folder; none for one whose pages stand at the top.
    owners: HashMap<String, Option<usize>>,
    taken: HashSet<usize>,
}

impl Unsorted {
    fn new(files: &[(&str, Format)], folders: &BTreeSet<(usize, String)>, is_notion: bool) -> Self {
        let leaves = files.iter().map(|(path, format)| Seed {
            path: (*path).to_owned(),
            format: Some(*format),
            parent: None,
            name: stem(path).to_owned(),
        });
        let mut unsorted = Self {
            leaves: leaves.collect(),
            owners: HashMap::new(),
            taken: HashSet::new(),
        };
        let by_folder = unsorted.by_folder();
        let tops = folders.iter().filter(|(depth, _)| *depth == 1).count();
        for (depth, folder) in folders {
            let is_wrap = is_notion && *depth == 1 && tops == 1 && !by_folder.contains_key("");
            unsorted.own(folder, is_wrap, &by_folder);
        }
        unsorted.hang();
        unsorted
    }

    /// The pages of each folder.
    fn by_folder(&self) -> HashMap<String, Vec<usize>> {
        let mut by_folder: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, leaf) in self.leaves.iter().enumerate() {
            by_folder.entry(name::folder(&leaf.path).to_owned()).or_default().push(at);
        }
        by_folder
    }

    /// Finds or makes the page that stands for a folder.
    fn own(&mut self, folder: &str, is_wrap: bool, by_folder: &HashMap<String, Vec<usize>>) {
        let none = Vec::new();
        let called = name::file(folder);
        let (title, _) = notion::split_id(called);
        let beside = by_folder.get(name::folder(folder)).unwrap_or(&none).iter();
        let found = beside.copied().find(|at| {
            let name = &self.leaves[*at].name;
            (name == called || notion::split_id(name).0 == title) && !self.taken.contains(at)
        });
        let inside = by_folder.get(folder).unwrap_or(&none).iter().copied();
        let is_index = |at: &usize| matches!(self.leaves[*at].name.to_lowercase().as_str(), "readme" | "index" | "_index");
        let found = found.or_else(|| {
            inside
                .filter(|at| is_index(at))
                .min_by_key(|at| self.leaves[*at].name.to_lowercase())
        });
        let owner = match found {
            Some(owner) => Some(owner),
            None if is_wrap => None,
            None => {
                self.leaves.push(Seed {
                    path: folder.to_owned(),
                    format: None,
                    parent: None,
                    name: called.to_owned(),
                });
                Some(self.leaves.len() - 1)
            }
        };
        if let Some(owner) = owner.filter(|owner| name::folder(&self.leaves[*owner].path) == folder && self.leaves[*owner].format.is_some())
        {
            // It is called as its folder is.
            self.leaves[owner].name = called.to_owned();
        }
        self.taken.extend(owner);
        self.owners.insert(folder.to_owned(), owner);
    }

    fn hang(&mut self) {
        for at in 0..self.leaves.len() {
            let folder = name::folder(&self.leaves[at].path).to_owned();
            let mut owner = self.owners.get(&folder).copied().flatten();
            if owner == Some(at) {
                owner = self
                    .owners
                    .get(name::folder(&folder))
                    .copied()
                    .flatten()
                    .filter(|above| *above != at);
            }
            self.leaves[at].parent = owner;
        }
    }
}

/// The name of a page's file without its ending, and without what Notion puts behind those of databases.
fn stem(path: &str) -> &str {
    let stem = name::split(path).0;
    stem.strip_suffix("_all")
        .filter(|stem| notion::split_id(stem).1.is_some())
        .unwrap_or(stem)
}

/// Every folder with pages somewhere in it, higher ones first; nothing when there are more than `most`.
fn folders(files: &[(&str, Format)], most: usize) -> Option<BTreeSet<(usize, String)>> {
    let mut folders = BTreeSet::new();
    for (path, _) in files {
        let mut at = name::folder(path);
        while !at.is_empty() && folders.insert((at.split('/').count(), at.to_owned())) {
            at = name::folder(at);
        }
        if folders.len() > most {
            return None;
        }
    }
    Some(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::limits::Limits;
    use std::io::{Cursor, Write};

    const ID: [&str; 3] = [
        "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d",
        "2a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d",
        "3a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d",
    ];

    fn tree(paths: &[&str], format: Format) -> Result<(Tree, Format), Refusal> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for path in paths {
            zip.start_file(*path, zip::write::SimpleFileOptions::default()).expect("begins");
        }
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&zip.finish().expect("finishes").into_inner()).expect("writes");
        let archive = Archive::open(file, &Limits::default()).expect("opens");
        Tree::of_archive(JobId(uuid::Uuid::nil()), &archive, (format, 10))
    }

    /// Pages as `name < name of the one above`.
    fn outline(tree: &Tree) -> Vec<String> {
        let mut lines: Vec<String> = tree
            .pages
            .iter()
            .map(|leaf| format!("{} < {}", leaf.name, tree.above(leaf).map_or("", |above| above.name.as_str())))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn folders_hold_what_is_in_them() {
        let (tree, format) = tree(
            &[
                "notes/README.md",
                "notes/a.md",
                "notes/sub/b.md",
                "plan.md",
                "plan/c.html",
                "pic/x.png",
            ],
            Format::Auto,
        )
        .expect("a tree");
        assert_eq!(format, Format::Zip);
        assert_eq!(
            outline(&tree),
            ["a < notes", "b < sub", "c < plan", "notes < ", "plan < ", "sub < notes"]
        );
        let parents_first = tree
            .pages
            .iter()
            .enumerate()
            .all(|(place, leaf)| leaf.parent.is_none_or(|parent| parent < place));
        assert!(parents_first);
        assert_eq!(tree.page_at("notes").map(|leaf| leaf.path.as_str()), Some("notes/README.md"));
        assert!(tree.pages.iter().all(|leaf| leaf.id.0.get_version_num() == 4));
    }

    #[test]
    fn notions_names_have_ids_and_databases_hold_their_rows() {
        let [home, tasks, gears] = ID;
        let files = [
            format!("Private/Home {home}.md"),
            format!("Private/Home/Tasks {tasks}.csv"),
            format!("Private/Home/Tasks {tasks}_all.csv"),
            format!("Private/Home/Tasks/Buy gears {gears}.md"),
        ];
        let paths: Vec<&str> = files.iter().map(String::as_str).collect();
        let (tree, format) = tree(&paths, Format::Auto).expect("a tree");
        assert_eq!(format, Format::Notion);
        assert_eq!(outline(&tree), ["Buy gears < Tasks", "Home < ", "Tasks < Home"]);
        assert_eq!(tree.superseded, [files[1].clone()]);
        assert_eq!(tree.page_at(&files[1]).map(|leaf| leaf.path.as_str()), Some(files[2].as_str()));
        assert_eq!(tree.of_notion(gears).map(|leaf| leaf.name.as_str()), Some("Buy gears"));
    }

    #[test]
    fn an_import_read_again_has_the_same_pages_and_there_are_not_too_many() {
        let ids = |tree: &Tree| tree.pages.iter().map(|leaf| leaf.id).collect::<Vec<_>>();
        let paths = ["a/b.md", "a/c.md"];
        let [one, two] = [0, 1].map(|_| tree(&paths, Format::Zip).expect("a tree").0);
        assert_eq!(ids(&one), ids(&two));
        assert_eq!(
            tree(&["a/b/c/d/e/f/g/h/i/j/k.md"], Format::Zip).err().map(|refusal| refusal.reason),
            Some(Reason::TooMany)
        );
    }
}
