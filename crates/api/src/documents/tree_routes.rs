//! Where pages hang: what is under and above one, and the pages and the tree of a workspace.

use super::{
    routes::{parent_of, stands},
    shape::Document,
};
use crate::{
    extract::{Can, CanDocument, Query},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
};
use actix_web::{get, web::Data};
use documents::{
    lineage,
    listing::{
        self, Listed, State as Stands, Wanted,
        outline::{self, MAX_LEVELS, Node},
    },
};
use kernel::{error::Field, id::*, role::Level};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{ReadWorkspace, ViewDocument};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(children)
        .service(ancestors)
        .service(in_workspace)
        .service(tree)
        .service(templates);
}

/// A page among its siblings.
#[derive(Serialize, ToSchema)]
struct Child {
    /// The page.
    #[serde(flatten)]
    document: Document,
    /// Whether you see pages under it.
    has_children: bool,
}

fn listing<T>(listed: Listed, whole: impl Fn((entity::document::Model, Level)) -> T) -> Listing<T> {
    let next_cursor = listed.next.as_ref().and_then(cursor);
    Listing {
        data: listed.rows.into_iter().map(whole).collect(),
        next_cursor,
    }
}

/// List the pages directly under a page, in their order.
#[utoipa::path(tag = "documents", operation_id = "documents.children", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "In their order", body = inline(Listing<Child>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/children/")]
async fn children(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    paging: Query<Paging>,
) -> Result<Listing<Child>, ApiError> {
    let wanted = Wanted {
        state: if access.document().is_archived() {
            Stands::Archived
        } else {
            Stands::Living
        },
        after: paging.0.after()?,
        limit: paging.0.limit()?,
        ..Wanted::default()
    };
    let listed = listing::children(&state.db, &access, &wanted).await?;
    let ids: Vec<DocumentId> = listed.rows.iter().map(|(row, _)| row.id).collect();
    let parents = listing::parents_of_any(&state.db, access.who(), &ids).await?;
    Ok(listing(listed, |(row, level)| Child {
        has_children: parents.contains(&row.id),
        document: Document::from((row, level)),
    }))
}

/// List the pages above a page, from the top down: the path to it. Pages that you may not see are left out.
#[utoipa::path(tag = "documents", operation_id = "documents.ancestors", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "The top first", body = inline(Listing<Document>))))]
#[get("/documents/{document_id}/ancestors/")]
async fn ancestors(state: Data<State>, CanDocument(access): CanDocument<ViewDocument>) -> Result<Listing<Document>, ApiError> {
    let above = lineage::ancestors(&state.db, &access).await?;
    Ok(Listing {
        data: above.into_iter().map(Document::from).collect(),
        next_cursor: None,
    })
}

/// Which pages of a workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those directly under this page; `root` for those at the top.
    parent_id: Option<String>,
    /// Those in the trash instead.
    #[serde(default)]
    trashed: bool,
    /// Those that are archived instead.
    #[serde(default)]
    archived: bool,
    /// How many at most; 50 when left out, 200 at most.
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// List the pages of a workspace that you may see.
#[utoipa::path(tag = "documents", operation_id = "documents.in_workspace", params(("workspace_id" = uuid::Uuid, Path), Which), responses((status = 200, description = "In the order of their ranks", body = inline(Listing<Document>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/documents/")]
async fn in_workspace(state: Data<State>, Can(access): Can<ReadWorkspace>, which: Query<Which>) -> Result<Listing<Document>, ApiError> {
    let which = which.0;
    let paging = Paging {
        limit: which.limit,
        cursor: which.cursor,
    };
    let wanted = Wanted {
        parent: parent_of(which.parent_id.as_deref())?,
        state: stands(which.trashed, which.archived)?,
        after: paging.after()?,
        limit: paging.limit()?,
    };
    let listed = listing::list(&state.db, &access, &wanted).await?;
    Ok(listing(listed, Document::from))
}

/// List a workspace's templates: pages that others are made from, with `template_id` of `POST /documents/`.
#[utoipa::path(tag = "documents", operation_id = "documents.templates", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "In the order of their ranks", body = inline(Listing<Document>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/templates/")]
async fn templates(state: Data<State>, Can(access): Can<ReadWorkspace>, paging: Query<Paging>) -> Result<Listing<Document>, ApiError> {
    let wanted = Wanted {
        parent: None,
        state: Stands::Template,
        after: paging.0.after()?,
        limit: paging.0.limit()?,
    };
    let listed = listing::list(&state.db, &access, &wanted).await?;
    Ok(listing(listed, Document::from))
}

/// A page of the tree.
#[derive(Serialize, ToSchema)]
#[schema(no_recursion)]
pub(crate) struct Branch {
    /// The page's id.
    #[schema(value_type = uuid::Uuid)]
    id: DocumentId,
    /// The page it hangs under; null at the top. On the first level it may be one that you do not see.
    #[schema(value_type = Option<uuid::Uuid>)]
    parent_id: Option<DocumentId>,
    /// Its title.
    #[schema(example = "Meeting notes")]
    title: String,
    /// Emoji or url.
    #[schema(example = "📝")]
    icon: Option<String>,
    /// Whether pages are made from it.
    is_template: bool,
    /// Your level: view, comment, edit or manage.
    #[schema(value_type = String, example = "edit")]
    level: Level,
    /// Whether you see pages under it.
    has_children: bool,
    /// Those pages, in their order; null when they are too deep or too many for this answer. Ask `children/` of the page then.
    children: Option<Vec<Branch>>,
}

impl From<Node> for Branch {
    fn from(node: Node) -> Self {
        Self {
            id: node.row.id,
            parent_id: node.row.parent_id,
            title: node.row.title,
            icon: node.row.icon,
            is_template: node.row.is_template,
            level: node.level,
            has_children: node.has_children,
            children: node.children.map(|below| below.into_iter().map(Self::from).collect()),
        }
    }
}

/// How much of the tree.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Cut {
    /// How many levels at most: 5 when left out, 10 at most.
    #[param(minimum = 1, maximum = 10, example = 3)]
    depth: Option<u32>,
    /// How many pages of the first level at most; 50 when left out, 200 at most.
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// Read the tree of a workspace as you see it.
///
/// The first level has the pages at the top, then those that hang under something you do not see. An answer has 2 000 pages
/// at most; what would be more is cut off at a level.
#[utoipa::path(tag = "documents", operation_id = "documents.tree", params(("workspace_id" = uuid::Uuid, Path), Cut), responses((status = 200, description = "In their order", body = inline(Listing<Branch>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/tree/")]
async fn tree(state: Data<State>, Can(access): Can<ReadWorkspace>, cut: Query<Cut>) -> Result<Listing<Branch>, ApiError> {
    let levels = cut.0.depth.unwrap_or(5);
    if !(1..=MAX_LEVELS).contains(&levels) {
        return Err(ApiError::invalid(vec![Field::new(
            "/depth",
            "out_of_range",
            "is a number from 1 to 10",
        )]));
    }
    let paging = Paging {
        limit: cut.0.limit,
        cursor: cut.0.cursor,
    };
    let wanted = outline::Wanted {
        levels,
        after: paging.after()?,
        limit: paging.limit()?,
    };
    let (nodes, next) = outline::read(&state.db, &access, &wanted).await?;
    Ok(Listing {
        data: nodes.into_iter().map(Branch::from).collect(),
        next_cursor: next.as_ref().and_then(cursor),
    })
}
