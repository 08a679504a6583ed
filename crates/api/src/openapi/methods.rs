//! Which methods a path knows, for the `Allow` header of a 405.

use actix_web::http::Method;
use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};
use utoipa::openapi::PathItem;

/// What is served beside the operations, all of it read only.
const OUTSIDE: [&str; 11] = [
    "/",
    "/docs",
    "/docs/",
    "/health/",
    "/health/live/",
    "/health/ready/",
    "/version/",
    super::PATH,
    "/ws/",
    "/collab/",
    "/ws/documents/{document_id}/",
];

/// The methods that a path of ours knows; none for a path that is none of ours.
pub fn methods_of(path: &str) -> Vec<Method> {
    static ROUTES: OnceLock<Vec<(String, Vec<Method>)>> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| {
        super::openapi()
            .paths
            .paths
            .iter()
            .map(|(path, item)| (path.clone(), methods(item)))
            .collect()
    });
    if OUTSIDE.iter().any(|pattern| fits(pattern, path)) {
        return vec![Method::GET, Method::HEAD];
    }
    // Several patterns may fit, as `/blocks/batch/` does `/blocks/{block_id}/`; the router tries them all.
    let mut known: Vec<Method> = Vec::new();
    for method in routes
        .iter()
        .filter(|(pattern, _)| fits(pattern, path))
        .flat_map(|(_, methods)| methods)
    {
        if !known.contains(method) {
            known.push(method.clone());
        }
    }
    known
}

/// The tag of an operation, which is its resource; none for what is no operation.
pub fn resource_of(pattern: &str, method: &Method) -> Option<&'static str> {
    tags().get(&(pattern.to_owned(), method.clone())).map(String::as_str)
}

/// The resources that operations are about, each once.
pub fn resources() -> Vec<&'static str> {
    let all: BTreeSet<&str> = tags().values().map(String::as_str).collect();
    all.into_iter().collect()
}

fn tags() -> &'static HashMap<(String, Method), String> {
    static TAGS: OnceLock<HashMap<(String, Method), String>> = OnceLock::new();
    TAGS.get_or_init(|| {
        let mut tags = HashMap::new();
        for (path, item) in super::openapi().paths.paths {
            let operations = [
                (Method::GET, item.get),
                (Method::POST, item.post),
                (Method::PUT, item.put),
                (Method::PATCH, item.patch),
                (Method::DELETE, item.delete),
            ];
            for (method, operation) in operations {
                if let Some(tag) = operation.and_then(|one| one.tags).and_then(|tags| tags.into_iter().next()) {
                    tags.insert((path.clone(), method), tag);
                }
            }
        }
        tags
    })
}

fn fits(pattern: &str, path: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || a.starts_with('{') && !b.is_empty())
}

fn methods(item: &PathItem) -> Vec<Method> {
    let known = [
        (&item.get, vec![Method::GET, Method::HEAD]),
        (&item.post, vec![Method::POST]),
        (&item.put, vec![Method::PUT]),
        (&item.patch, vec![Method::PATCH]),
        (&item.delete, vec![Method::DELETE]),
    ];
    known
        .into_iter()
        .filter(|(operation, _)| operation.is_some())
        .flat_map(|(_, methods)| methods)
        .collect()
}
