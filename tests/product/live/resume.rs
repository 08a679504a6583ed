//! Sending again and coming back: everything once, in order, without holes.

use super::{Scene, echoes, edit, up_to_now};
use crate::support::{Socket, TestApp};
use backends::db::write;
use documents::compaction::{self, Retention};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use std::time::Duration;
use testing::TestDb;

fn insert(id: &str, text: &str) -> Value {
    json!({ "type": "insert", "id": id, "pos": 0, "text": text })
}

/// A client back on the page that says where it stood.
async fn back(scene: &Scene, seq: impl Into<Value>, epoch: &Value) -> Socket {
    let seq: Value = seq.into();
    scene.hello(json!({ "last_seen_server_seq": seq, "epoch": epoch })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_is_acknowledged_again_and_applied_once() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    let mut listener = scene.join(&scene.owner).await;
    let first = edit(&mut ada, insert("same", "x")).await;
    assert_eq!((&first["type"], &first["duplicate"]), (&json!("ack"), &Value::Null));
    let is_again = |ack: &Value| {
        assert_eq!(
            (&ack["type"], &ack["duplicate"], &ack["server_seq"]),
            (&json!("ack"), &json!(true), &first["server_seq"]),
            "{ack}"
        );
    };
    is_again(&edit(&mut ada, insert("same", "x")).await);
    edit(&mut ada, insert("other", "y")).await;
    is_again(&edit(&mut ada, insert("same", "x")).await);
    is_again(&edit(&mut scene.join(&scene.owner).await, insert("same", "x")).await);
    let told = up_to_now(&mut listener).await.iter().filter(|m| m["type"] == "op_echo").count();
    assert_eq!(told, 2, "a message sent again is not told again");
    let scene = Scene {
        app: scene.app.restart().await,
        ..scene
    };
    let mut socket = scene.join(&scene.owner.at(&scene.app.address(0))).await;
    is_again(&edit(&mut socket, insert("same", "x")).await);
    assert_eq!(scene.owner.at(&scene.app.address(0)).texts(&scene.document).await, ["yxHello"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_twice_in_flight_is_applied_once() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    for _ in 0..5 {
        ada.say(insert("burst", "x")).await;
    }
    let mut again = 0;
    let mut fresh = 0;
    while again + fresh < 5 {
        if ada.find("ack", |ack| ack["id"] == "burst").await["duplicate"] == true {
            again += 1
        } else {
            fresh += 1
        }
    }
    assert_eq!((fresh, again), (1, 4));
    assert_eq!(scene.texts().await, ["xHello"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_told_what_was_missed_and_nothing_twice() {
    let scene = Scene::new("Hello").await;
    let (mut ada, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let (start, epoch) = (snapshot["server_seq"].as_i64().expect("a number"), snapshot["epoch"].clone());
    let mut writer = scene.join(&scene.owner).await;
    for n in 0..10 {
        edit(&mut writer, insert(&format!("a{n}"), "a")).await;
    }
    let live = echoes(&mut ada, start, start + 10).await;
    ada.close().await;
    for n in 0..10 {
        edit(&mut writer, insert(&format!("b{n}"), "b")).await;
    }
    let mut ada = back(&scene, start + 10, &epoch).await;
    let ack = ada.until("hello_ack").await;
    assert_eq!((&ack["replay_from"], &ack["resync"]), (&json!(start + 10), &Value::Null));
    for n in 0..5 {
        edit(&mut writer, insert(&format!("c{n}"), "c")).await;
    }
    let missed = echoes(&mut ada, start + 10, start + 25).await;
    let text: String = live
        .iter()
        .chain(&missed)
        .map(|item| item["ops"][0]["text"].as_str().expect("an insert"))
        .collect();
    assert_eq!(text, format!("{}{}{}", "a".repeat(10), "b".repeat(10), "c".repeat(5)));
    let mut level = back(&scene, start + 25, &epoch).await;
    let heard = up_to_now(&mut level).await;
    assert_eq!(heard.len(), 1, "somebody who missed nothing gets nothing: {heard:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_told_after_a_restart_too() {
    let scene = Scene::new("Hello").await;
    let (mut writer, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let (start, epoch) = (snapshot["server_seq"].as_i64().expect("a number"), snapshot["epoch"].clone());
    for n in 0..10 {
        edit(&mut writer, insert(&format!("a{n}"), "a")).await;
    }
    let scene = Scene {
        app: scene.app.restart().await,
        ..scene
    };
    let mut ada = back(&scene, start + 4, &epoch).await;
    assert_eq!(ada.until("hello_ack").await["replay_from"], start + 4);
    let missed = echoes(&mut ada, start + 4, start + 10).await;
    let text: String = missed
        .iter()
        .flat_map(|item| item["ops"].as_array().expect("edits"))
        .map(|op| op["text"].as_str().expect("an insert"))
        .collect();
    assert_eq!(text, "aaaaaa");
    edit(&mut ada, insert("more", "z")).await;
    assert_eq!(
        scene.owner.at(&scene.app.address(0)).texts(&scene.document).await,
        [format!("z{}Hello", "a".repeat(10))]
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_caught_up_gets_the_page_again() {
    let limits = [("collab.ops_per_sec", "100000"), ("collab.ops_burst", "100000")];
    let scene = Scene::of(TestApp::with(&limits).await, "Hello").await;
    let (mut writer, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let (start, epoch) = (snapshot["server_seq"].as_i64().expect("a number"), snapshot["epoch"].clone());
    let other = json!("00000000-0000-4000-8000-000000000001");
    let mut last = start;
    for round in 0..21 {
        for n in 0..50 {
            writer.say(insert(&format!("{round}.{n}"), "x")).await;
        }
        let id = format!("{round}.49");
        last = writer.find("ack", |ack| ack["id"] == id.as_str()).await["server_seq"]
            .as_i64()
            .expect("a number");
    }
    assert_eq!(last, start + 1050);
    for (seq, epoch, reason) in [
        (start, &epoch, "too_far_behind"),
        (last, &other, "epoch"),
        (last + 1, &epoch, "too_far_behind"),
    ] {
        let mut socket = back(&scene, seq, epoch).await;
        let ack = socket.until("hello_ack").await;
        assert_eq!((&ack["resync"], &ack["replay_from"]), (&json!(true), &Value::Null), "{reason}");
        let whole = socket.until("resync").await;
        assert_eq!((&whole["reason"], &whole["server_seq"]), (&json!(reason), &json!(last)));
        assert_eq!(whole["doc"]["blocks"][0]["text"].as_str().map(str::len), Some(1055));
        assert!(up_to_now(&mut socket).await.is_empty());
    }
    let mut near = back(&scene, last - 999, &epoch).await;
    assert_eq!(near.until("hello_ack").await["replay_from"], last - 999);
    echoes(&mut near, last - 999, last).await;
    scene.app.stop().await;
}

/// A page on which twenty letters were typed and whose log is folded as far as it can be, with nothing of it in memory.
struct Folded {
    scene: Scene,
    db: TestDb,
    epoch: Value,
    floor: i64,
    head: i64,
}

async fn folded() -> Folded {
    let db = TestDb::new().await;
    let overrides = [("database.url", db.url()), ("collab.snapshot_rows", "15")];
    let scene = Scene::of(TestApp::with(&overrides).await, "Hello").await;
    let (mut writer, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let start = snapshot["server_seq"].as_i64().expect("a number");
    for n in 0..20 {
        edit(&mut writer, insert(&format!("a{n}"), "a")).await;
    }
    let document = scene.document.parse().expect("an id");
    let none_kept = Retention {
        age: Duration::ZERO,
        rows: 0,
    };
    let fold = async || {
        write(db.db(), async |tx: &DatabaseTransaction| {
            compaction::fold(tx, document, &none_kept).await
        })
        .await
    };
    let mut floor = 0;
    let app = scene
        .app
        .restart_after(async { floor = fold().await.expect("it folds").rows as i64 })
        .await;
    assert!((start + 1..start + 15).contains(&floor), "{floor} rows are folded");
    let owner = scene.owner.at(&app.address(0));
    Folded {
        scene: Scene { app, owner, ..scene },
        db,
        epoch: snapshot["epoch"].clone(),
        floor,
        head: start + 20,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_place_in_the_log_is_folded_gets_the_page_again_and_then_what_follows() {
    let Folded {
        scene,
        db: _db,
        epoch,
        floor,
        head,
    } = folded().await;
    let mut ada = back(&scene, floor - 1, &epoch).await;
    let ack = ada.until("hello_ack").await;
    assert_eq!((&ack["resync"], &ack["replay_from"]), (&json!(true), &Value::Null));
    let whole = ada.until("resync").await;
    assert_eq!((&whole["reason"], &whole["server_seq"]), (&json!("too_far_behind"), &json!(head)));
    assert_eq!(whole["doc"]["blocks"][0]["text"], format!("{}Hello", "a".repeat(20)));
    let mut writer = scene.join(&scene.owner).await;
    edit(&mut writer, insert("next", "z")).await;
    assert_eq!(echoes(&mut ada, head, head + 1).await[0]["ops"][0]["text"], "z");
    let mut near = back(&scene, floor + 1, &epoch).await;
    assert_eq!(
        near.until("hello_ack").await["replay_from"],
        floor + 1,
        "what is not folded is told"
    );
    let text = |item: &Value| item["ops"][0]["text"].as_str().map_or(0, str::len);
    let missed = echoes(&mut near, floor + 1, head + 1).await;
    assert_eq!(missed.iter().map(text).sum::<usize>() as i64, head - floor);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_base_is_folded_is_refused_and_the_others_are_not() {
    let Folded {
        scene,
        db: _db,
        floor,
        head,
        ..
    } = folded().await;
    let mut ada = scene.join(&scene.owner).await;
    let on = |base: i64| json!({ "type": "insert", "id": format!("on {base}"), "pos": 0, "text": "b", "base": base });
    let refused = edit(&mut ada, on(floor - 1)).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("base_unknown")));
    for (base, seq) in [(floor + 1, head + 1), (head, head + 2)] {
        assert_eq!(edit(&mut ada, on(base)).await["server_seq"], seq, "on {base}");
    }
    let text = &scene.texts().await[0];
    assert_eq!((text.len(), text.matches('b').count()), (27, 2), "{text}");
    scene.app.stop().await;
}
