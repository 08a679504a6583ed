//! What is looked for and what is found.

use super::*;
use entity::search_entry;
use sea_orm::{ConnectionTrait, PaginatorTrait};

async fn library() -> Stage {
    let stage = Stage::new().await;
    for (title, blocks) in [
        ("accents", &["Mon Résumé est à Łódź", "façade"][..]),
        ("german", &["Die Straße zum Fußball", "ÜBERGRÖẞE"]),
        ("cyrillic", &["Ёлка и ЙОГУРТ в Москве"]),
        ("greek", &["Ο Σίσυφος ΣΠΡΩΧΝΕΙ τον βράχο"]),
        ("japanese", &["東京都庁の展望室", "カタカナとひらがな"]),
        ("chinese", &["我们在北京大学学习中文"]),
        ("korean", &["한국어를 배우고 싶어요"]),
        ("thai", &["ฉันรักภาษาไทย"]),
        ("hindi", &["हिन्दी भाषा सीखना"]),
        ("code", &["let x_1 = foo.bar(baz); // C++ <script>alert(1)</script>"]),
        ("phrases", &["one two three", "three four", "five six"]),
        ("order", &["two one three"]),
    ] {
        stage.says(title, blocks).await;
    }
    stage
}

#[tokio::test]
async fn words_are_found_however_they_are_written() {
    let stage = library().await;
    for (question, expected) in [
        ("resume ", &["accents"][..]),
        ("RÉSUMÉ ", &["accents"]),
        ("lodz ", &["accents"]),
        ("facade ", &["accents"]),
        ("strasse ", &["german"]),
        ("STRAẞE ", &["german"]),
        ("uebergroesse ", &[]),
        ("ubergrosse ", &["german"]),
        ("елка ", &["cyrillic"]),
        ("москв", &["cyrillic"]),
        ("москв ", &[]),
        ("σισυφοσ ", &["greek"]),
        ("σπρώχνει ", &["greek"]),
        ("東京", &["japanese"]),
        ("京都", &["japanese"]),
        ("都庁の展望", &["japanese"]),
        ("庁", &["japanese"]),
        ("展", &["japanese"]),
        ("京東", &[]),
        ("ｶﾀｶﾅ", &["japanese"]),
        ("北京大学", &["chinese"]),
        ("京", &["chinese", "japanese"]),
        ("\"学习 中文\"", &[]),
        ("学习 中文", &["chinese"]),
        ("한국어", &["korean"]),
        ("배우고 한국", &["korean"]),
        ("ภาษา", &["thai"]),
        ("भाषा ", &["hindi"]),
        ("भाष ", &[]),
        ("foo bar ", &["code"]),
        ("script ", &["code"]),
    ] {
        assert_eq!(stage.sorted(question).await, expected, "{question}");
    }
}

#[tokio::test]
async fn phrases_beginnings_and_exclusions_mean_what_they_say() {
    let stage = library().await;
    for (question, expected) in [
        ("one two ", &["order", "phrases"][..]),
        ("\"one two\"", &["phrases"]),
        ("\"two three\"", &["phrases"]),
        ("\"three four\"", &["phrases"]),
        ("\"three three\"", &[]),
        ("\"four five\"", &[]),
        ("thr", &["order", "phrases"]),
        ("thr ", &[]),
        ("thr* fou", &["phrases"]),
        ("three -four ", &["order"]),
        ("three -\"one two\" ", &["order"]),
        ("three -thr ", &["order", "phrases"]),
        ("-one ", &[]),
        ("phrases ", &["phrases"]),
        ("phrases five ", &["phrases"]),
    ] {
        assert_eq!(stage.sorted(question).await, expected, "{question}");
    }
}

#[tokio::test]
async fn nothing_that_is_typed_is_syntax_of_the_database() {
    let stage = library().await;
    for question in [
        "",
        " ",
        "\"",
        "'",
        "''''",
        "\\",
        "title:one",
        "{title} : one",
        "one OR two",
        "one AND (two",
        "NEAR(one two, 5)",
        "^one",
        "one + two",
        "a & b | !c <-> d:*A",
        "'; DROP TABLE documents; --",
        "\" OR 1=1 --",
        "\u{0}one\u{0}",
        "one\u{E000}two",
        "place:x",
        "_00000000000000000000000000000000",
        "$1 $2 {} %s ? :x @y",
        "… ‹›«» 🎉 \u{202e}",
    ] {
        stage.titles(stage.owner, question).await;
        stage.titles(stage.owner, &format!("one {question} ")).await;
    }
    assert_eq!(stage.sorted("one ").await, ["order", "phrases"]);
    let long = "a".repeat(499) + "!";
    assert_eq!(stage.sorted(&long).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_later_text_replaces_an_earlier_one_and_not_the_other_way() {
    let stage = Stage::new().await;
    let row = stage.row(Page::default(), "x").await;
    assert!(stage.puts(&row, "first", &["alpha"], 1).await);
    assert!(stage.puts(&row, "second", &["beta"], 3).await);
    assert!(
        !stage.puts(&row, "late", &["gamma"], 2).await,
        "it was read before what stands there"
    );
    for _ in 0..2 {
        assert!(stage.puts(&row, "renamed", &["beta"], 3).await, "the same again is no harm");
    }
    for (question, expected) in [("alpha ", &[][..]), ("gamma ", &[]), ("second ", &[]), ("beta ", &["renamed"])] {
        assert_eq!(stage.titles(stage.owner, question).await, expected, "{question}");
    }
    assert_eq!(search_entry::Entity::find().count(stage.db()).await.expect("counts"), 1);
}

#[tokio::test]
async fn what_is_destroyed_leaves_no_words_behind() {
    let stage = Stage::new().await;
    let page = stage.says("gone", &["alpha"]).await;
    stage.says("stays", &["alpha"]).await;
    document::Entity::delete_by_id(page).exec(stage.db()).await.expect("deletes");
    assert_eq!(stage.titles(stage.owner, "alpha ").await, ["stays"]);
    assert_eq!(search_entry::Entity::find().count(stage.db()).await.expect("counts"), 1);
    let sql = "SELECT id FROM (SELECT rowid AS id FROM search_words) AS words";
    let sql = match stage.db().get_database_backend() {
        sea_orm::DbBackend::Sqlite => sql,
        _ => "SELECT id FROM search_words",
    };
    let words = sea_orm::Statement::from_string(stage.db().get_database_backend(), sql);
    assert_eq!(stage.db().query_all_raw(words).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_page_of_any_size_and_any_words_is_put_in() {
    let stage = Stage::new().await;
    let different: String = (0..200_000).map(|n| format!("word{n} ")).collect();
    let longest = format!("{} ", "漢".repeat(64)).repeat(5_000);
    let same = "again ".repeat(300_000);
    for text in [&different, &longest, &same] {
        stage.says("huge", &["start", text]).await;
    }
    assert_eq!(stage.titles(stage.owner, "start ").await.len(), 3);
    assert_eq!(stage.titles(stage.owner, "word100 ").await.len(), 1);
    assert_eq!(stage.titles(stage.owner, "\"again again\"").await.len(), 1);
    assert_eq!(stage.titles(stage.owner, "word199999 ").await.len(), 0, "behind what is taken in");
}
