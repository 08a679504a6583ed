//! What comes first, and page after page of results.

use super::*;

/// All pages of results, one after another, with something done in between.
async fn pages(stage: &Stage, question: &str, limit: u64, between: impl AsyncFn(usize)) -> Vec<String> {
    let (mut all, mut wanted) = (Vec::new(), some(limit));
    for round in 0..100 {
        let found = stage.finds_for(stage.owner, question, &wanted).await;
        assert!(found.hits.len() as u64 <= limit);
        all.extend(titles(&found));
        let Some(next) = found.next else { return all };
        // As it travels to a client and back.
        let place = serde_json::to_string(&next).expect("writes");
        wanted.after = Some(serde_json::from_str(&place).expect("reads"));
        between(round).await;
    }
    panic!("it does not end")
}

#[tokio::test]
async fn a_title_counts_more_than_text_and_new_more_than_old() {
    let stage = Stage::new().await;
    let aged = |days_old| Page {
        days_old,
        ..Page::default()
    };
    stage.page(aged(1), "about plums", &["nothing else"]).await;
    stage.page(aged(0), "of fruit", &["plums are mentioned"]).await;
    stage.page(aged(400), "old fruit", &["plums are mentioned"]).await;
    for _ in 0..20 {
        stage.says("something else", &["without them"]).await;
    }
    let expected = ["about plums", "of fruit", "old fruit"];
    assert_eq!(stage.titles(stage.owner, "plums ").await, expected);
    // Also of what was put in before anything was kept to be weighed.
    let leads = entity::search_lead::Entity::delete_many().exec(stage.db()).await;
    assert_eq!(leads.expect("removes").rows_affected, 23);
    assert_eq!(stage.titles(stage.owner, "plums ").await, expected);
}

#[tokio::test]
async fn an_old_title_is_found_behind_any_number_of_mentions() {
    let stage = Stage::new().await;
    let old = Page {
        days_old: 900,
        ..Page::default()
    };
    stage.page(old, "Handbook", &["what everybody links to"]).await;
    for n in 0..520 {
        stage.says(&format!("note {n}"), &["see the handbook"]).await;
    }
    let found = stage.titles(stage.owner, "handbook ").await;
    assert_eq!(found.len(), 200);
    assert_eq!(found[0], "Handbook");
}

#[tokio::test]
async fn every_result_comes_once_whatever_is_written_meanwhile() {
    let stage = Stage::new().await;
    let mut expected = Vec::new();
    for n in 0..30 {
        let title = format!("n{n:02}");
        let aged = Page {
            days_old: n / 3,
            ..Page::default()
        };
        // Some say it more often than others, some are alike.
        stage
            .page(aged, &title, &[&"plum ".repeat(usize::try_from(n % 4).expect("small") + 1)])
            .await;
        expected.push(title);
    }
    let quiet = pages(&stage, "plum ", 7, async |_| {}).await;
    let mut sorted = quiet.clone();
    sorted.sort();
    assert_eq!(sorted, expected);
    let disturbed = pages(&stage, "plum ", 7, async |round| {
        for n in 0..5 {
            let later = Page {
                // Ahead of the clock, so that it is later than the first page of results on any machine.
                days_old: -1,
                ..Page::default()
            };
            stage.page(later, &format!("new {round} {n}"), &["plum"]).await;
        }
    })
    .await;
    assert_eq!(
        disturbed
            .iter()
            .filter(|title| !title.starts_with("new"))
            .cloned()
            .collect::<Vec<_>>(),
        quiet
    );
    assert!(
        disturbed.iter().all(|title| !title.starts_with("new")),
        "what came later does not come in between"
    );
}

#[tokio::test]
async fn filters_narrow_what_is_found() {
    let stage = Stage::new().await;
    let ada = stage.joins("ada", Role::Member).await;
    let top = stage.says("top", &["plum"]).await;
    let under = Page {
        parent: Some(top),
        author: Some(ada),
        days_old: 3,
        ..Page::default()
    };
    let below = stage.page(under, "below", &["plum"]).await;
    let deeper = Page {
        parent: Some(below),
        days_old: 9,
        ..Page::default()
    };
    stage.page(deeper, "deeper", &["plum"]).await;
    let find = async |wanted: Wanted| {
        let found = stage.finds_for(stage.owner, "plum ", &Wanted { limit: 50, ..wanted }).await;
        let mut titles = titles(&found);
        titles.sort();
        titles.join(" ")
    };
    assert_eq!(find(Wanted::default()).await, "below deeper top");
    for (kind, expected) in [(Kind::Document, "below deeper top"), (Kind::Comment, ""), (Kind::Card, "")] {
        let only = Wanted {
            kind: Some(kind),
            ..Wanted::default()
        };
        assert_eq!(find(only).await, expected);
    }
    let by = |author| Wanted {
        author: Some(author),
        ..Wanted::default()
    };
    assert_eq!(find(by(ada)).await, "below");
    assert_eq!(find(by(UserId::new())).await, "");
    let after = |days, ms| Wanted {
        updated_after: Some(stage.now - Duration::days(days) - Duration::milliseconds(ms)),
        ..Wanted::default()
    };
    assert_eq!(find(after(5, 0)).await, "below top");
    assert_eq!(
        (find(after(3, 0)).await, find(after(3, 1)).await),
        ("top".to_owned(), "below top".to_owned())
    );
    let inside = |page| Wanted {
        inside: Some(page),
        ..Wanted::default()
    };
    assert_eq!(find(inside(top)).await, "below deeper top");
    assert_eq!(find(inside(below)).await, "below deeper");
    assert_eq!(find(inside(DocumentId::new())).await, "");
}
