//! Pages that are made from templates.

use super::copy_routes::leave;
use crate::{problem::ApiError, state::State};
use actix_web::{http::StatusCode, web};
use documents::{
    copying::{self, Extent, Filling, Target},
    document::{NewDocument, checked_title},
    error::Error,
    ornament,
    siblings::Place,
};
use kernel::{error::Field, id::*};
use sea_orm::DatabaseTransaction;
use transfer::along::Along;
use workspaces::access::{Access, AccessError, CreateDocuments, DocumentAccess, EditDocument, ViewDocument, fence::Both};

fn bad(pointer: &'static str, code: &'static str, detail: &str) -> ApiError {
    ApiError::invalid(vec![Field::new(pointer, code, detail)])
}

/// A template that the caller may see, of the workspace that the page is made in.
async fn find(state: &State, home: &Access<CreateDocuments>, id: DocumentId) -> Result<DocumentAccess<ViewDocument>, ApiError> {
    let none = || bad("/template_id", "not_found", "is no template of this workspace");
    let template = match state.door().open::<ViewDocument>(home.who(), id).await {
        Err(AccessError::NotFound | AccessError::Forbidden) => return Err(none()),
        other => other?,
    };
    let is_good = template.workspace() == home.workspace() && template.document().is_template;
    if is_good { Ok(template) } else { Err(none()) }
}

/// Makes a page with the content of a template.
pub(super) async fn fill(
    state: &State,
    template: DocumentId,
    (home, under): (&Access<CreateDocuments>, Option<&DocumentAccess<EditDocument>>),
    new: NewDocument,
) -> Result<entity::document::Model, ApiError> {
    if !new.blocks.is_empty() {
        return Err(bad("/blocks", "invalid", "go without template_id"));
    }
    ornament::check(new.icon.as_deref(), new.cover.as_deref())?;
    let title = Some(checked_title(&new.title)?).filter(|title| !title.is_empty());
    let template = find(state, home, template).await?;
    state.rooms.viewed(home.user(), template.id()).await?;
    let id = new.id.unwrap_or_else(DocumentId::new);
    let plan = copying::plan(&state.db, &template, Extent::Page, |_| id).await?;
    let content = copying::content_of(&state.db, template.id()).await?;
    let mut along = Along::new(state.store(), home.workspace(), id);
    let files = along.take(&template, &plan, (template.document(), &content)).await?;
    let limits = state.rooms.settings().limits.clone();
    let (page, made_of) = (plan.clone(), template.document().clone());
    let ready = web::block(move || {
        let filling = Filling {
            content,
            title: title.as_deref(),
            files,
        };
        page.make(&made_of, filling, &limits)
    });
    let ready = ready.await.map_err(|_| ApiError::of_status(StatusCode::SERVICE_UNAVAILABLE))??;
    let ready = ready.as_new(new.icon, new.cover);
    let to = Target {
        home,
        under,
        place: Place::Last,
    };
    let target = Both(home, under);
    let rows = state
        .write(&Both(&template, Some(&target)), async |tx: &DatabaseTransaction| {
            along.write(tx, &plan, vec![ready], to).await
        })
        .await;
    leave(along, &rows).await;
    let made = rows?.into_iter().next();
    Ok(made.ok_or_else(|| Error::Taken(format!("the document id {id}")))?)
}
