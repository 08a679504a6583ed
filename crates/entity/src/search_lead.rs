//! What is weighed of a thing that was found: the beginning of its words. Apart from its entry, so that weighing hundreds of
//! them does not read their texts.

use sea_orm::entity::prelude::*;

/// One row of `search_leads`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_leads")]
pub struct Model {
    /// The entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The words of its title, a line break, and the first words of its text, as they are searched.
    pub words: String,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
