//! Damaged snapshots, rows and archives.

use super::*;

impl Typing {
    /// Flips a bit in the middle of the snapshot at a number.
    async fn damage_save(&self, seq: i64) {
        let row = document_snapshot::Entity::find_by_id((self.document, self.head.epoch, seq))
            .one(self.db())
            .await;
        let mut bytes = row.unwrap().unwrap().bytes;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        self.set_save(seq, bytes).await;
    }

    async fn set_save(&self, seq: i64, bytes: Vec<u8>) {
        document_snapshot::Entity::update_many()
            .col_expr(document_snapshot::Column::Bytes, Expr::value(bytes))
            .filter(document_snapshot::Column::ServerSeq.eq(seq))
            .exec(self.db())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn with_a_bad_newest_snapshot_the_older_one_gives_the_page() {
    let typing = Typing::saved_at(60, &[30, 50]).await;
    typing.fold(&NONE_KEPT).await.unwrap();
    assert_eq!(typing.floor().await, 30);
    typing.damage_save(50).await;
    typing.loads().await;
    let (_, stored) = snapshot::load(typing.db(), typing.document).await.unwrap();
    assert_eq!(stored.snapshot.map(|(seq, _)| seq), Some(30));
}

#[tokio::test]
async fn without_any_good_snapshot_an_unfolded_log_gives_the_page_and_a_folded_one_says_so() {
    let typing = Typing::saved_at(60, &[30, 50]).await;
    typing.damage_save(30).await;
    typing.damage_save(50).await;
    typing.loads().await;
    assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 0, "nothing stands on bad snapshots");
    let typing = Typing::saved_at(60, &[30, 50]).await;
    typing.fold(&NONE_KEPT).await.unwrap();
    typing.damage_save(30).await;
    typing.damage_save(50).await;
    let error = snapshot::load(typing.db(), typing.document).await.err().unwrap();
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
}

#[tokio::test]
async fn one_bad_snapshot_of_two_stops_the_folding_until_there_are_two_good_ones() {
    for bad in [30, 50] {
        let mut typing = Typing::saved_at(60, &[30, 50]).await;
        typing.damage_save(bad).await;
        assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 0, "{bad} is bad");
        for next in [70, 80] {
            typing.types_up_to(next).await;
            typing.save().await;
        }
        typing.was_long_ago(i64::MAX).await;
        assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 70);
        typing.loads().await;
    }
}

#[tokio::test]
async fn a_snapshot_of_another_place_is_not_stood_on() {
    let typing = Typing::saved_at(60, &[30, 50]).await;
    document_snapshot::Entity::update_many()
        .col_expr(document_snapshot::Column::Heads, Expr::value(vec![7_u8; 32]))
        .filter(document_snapshot::Column::ServerSeq.eq(30))
        .exec(typing.db())
        .await
        .unwrap();
    assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 0);
}

#[tokio::test]
async fn a_log_with_a_hole_or_another_change_is_not_folded() {
    for hole in [true, false] {
        let typing = Typing::saved_at(60, &[30, 50]).await;
        let row = document_change::Entity::find_by_id((typing.document, typing.head.epoch, 12));
        let row = row.one(typing.db()).await.unwrap().unwrap();
        document_change::Entity::delete_by_id((typing.document, typing.head.epoch, 12))
            .exec(typing.db())
            .await
            .unwrap();
        if !hole {
            let changed = document_change::Model {
                change_hash: vec![1; 32],
                ..row
            };
            insert(typing.db(), changed.into_active_model()).await;
        }
        let error = typing.fold(&NONE_KEPT).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt(_)), "{error}");
        assert_eq!((typing.floor().await, typing.sizes().await.archives), (0, 0));
        typing.loads().await;
    }
}

#[tokio::test]
async fn a_damaged_or_missing_archive_is_said_to_be_one() {
    let typing = Typing::saved_at(60, &[30, 50]).await;
    typing.fold(&NONE_KEPT).await.unwrap();
    document_archive::Entity::update_many()
        .col_expr(document_archive::Column::Bytes, Expr::value(vec![0x78_u8, 0x9c, 1, 2, 3]))
        .exec(typing.db())
        .await
        .unwrap();
    assert!(matches!(authors(typing.db(), typing.document).await, Err(Error::Corrupt(_))));
    document_archive::Entity::delete_many().exec(typing.db()).await.unwrap();
    let error = authors(typing.db(), typing.document).await.unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    typing.loads().await;
}

#[tokio::test]
async fn a_page_that_is_not_there_is_not_found() {
    let typing = Typing::new().await;
    let folded = fold_once(typing.db(), DocumentId::new(), &NONE_KEPT).await;
    assert!(matches!(folded, Err(Error::NotFound)));
}
