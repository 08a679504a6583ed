//! `kill -9` of the server, and SIGTERM.

use super::{
    control::{Control, Stands},
    rest::RestWriter,
    scene::{self, Scene},
    writer::{End, Writer},
};
use crate::support::Binary;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::{Duration, Instant};
use testing::{Form, TestDb};
use tokio::task::JoinSet;

/// Everybody writes until their connections are gone.
async fn write_until_lost(writers: &mut Vec<Writer>, rest: &mut Vec<RestWriter>, scene: &Scene, control: &Control) -> Running {
    let mut running = Running {
        writers: JoinSet::new(),
        rest: JoinSet::new(),
    };
    for mut writer in writers.drain(..) {
        let (address, control) = (scene.address.clone(), control.clone());
        running.writers.spawn(async move {
            let end = writer.connection(&address, &control).await;
            (writer, end)
        });
    }
    for mut writer in rest.drain(..) {
        let (address, control) = (scene.address.clone(), control.clone());
        running.rest.spawn(async move {
            let is_done = writer.session(&address, &control).await;
            (writer, is_done)
        });
    }
    running
}

struct Running {
    writers: JoinSet<(Writer, End)>,
    rest: JoinSet<(RestWriter, bool)>,
}

impl Running {
    async fn gather(self) -> (Vec<(Writer, End)>, Vec<(RestWriter, bool)>) {
        (self.writers.join_all().await, self.rest.join_all().await)
    }
}

async fn form() -> (Option<TestDb>, Vec<(&'static str, String)>) {
    match Form::from_env() {
        Form::Embedded => (None, Vec::new()),
        Form::Full => {
            let db = TestDb::of(Form::Full).await;
            let settings = vec![
                ("SHEAF__DATABASE__URL", db.url().to_owned()),
                ("SHEAF__REDIS__URL", crate::support::app::redis_url()),
            ];
            (Some(db), settings)
        }
    }
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_server_loses_nothing() {
    let (_db, settings) = form().await;
    let (rounds, seed, started) = (scene::rounds(), scene::seed(), Instant::now());
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = Binary::start(&borrowed(&settings)).await;
    let scene = Scene::set(&server.address()).await;
    let (mut writers, mut rest) = (scene.writers("w", 3), vec![scene.rest("r")]);
    writers.push(scene.writer("c", &[0, 4]).with_changes());
    let control = Control::new();
    for round in 0..rounds {
        let running = write_until_lost(&mut writers, &mut rest, &scene, &control).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(100..700))).await;
        server.kill9();
        let (ended, ended_rest) = running.gather().await;
        assert!(
            ended.iter().all(|(_, end)| *end == End::Lost(None)),
            "round {round}, seed {seed}: nobody hears a goodbye"
        );
        writers = ended.into_iter().map(|(writer, _)| writer).collect();
        rest = ended_rest.into_iter().map(|(writer, _)| writer).collect();
        server.restart().await;
        Stands::read(&scene.owner, &scene.address, &scene.document)
            .await
            .check_writers(&writers, &rest);
    }
    let (writers, rest) = scene::finish(writers, rest, &[&scene.address], &Control::stopped()).await;
    let stands = Stands::read(&scene.owner, &scene.address, &scene.document).await;
    stands.check_done(&writers, &rest, 0);
    assert!(
        writers.iter().all(|writer| writer.acked.len() > rounds),
        "everybody got something through"
    );
    scene::say(&format!(
        "{rounds} kills, {} edits, seed {seed}, {:?}",
        stands.len(),
        started.elapsed()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_during_edits_loses_nothing_and_ends_well() {
    let (_db, settings) = form().await;
    let mut server = Binary::start(&borrowed(&settings)).await;
    let scene = Scene::set(&server.address()).await;
    let (mut writers, mut rest) = (scene.writers("w", 4), vec![scene.rest("r")]);
    let control = Control::new();
    for _ in 0..3 {
        let running = write_until_lost(&mut writers, &mut rest, &scene, &control).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        server.sigterm();
        let status = server.ended(Duration::from_secs(8)).await;
        assert_eq!(status.code(), Some(0), "{}", server.log());
        let (ended, ended_rest) = running.gather().await;
        assert!(
            ended.iter().all(|(_, end)| *end == End::Lost(Some(4503))),
            "everybody is told to try again"
        );
        writers = ended.into_iter().map(|(writer, _)| writer).collect();
        rest = ended_rest.into_iter().map(|(writer, _)| writer).collect();
        server.restart().await;
        Stands::read(&scene.owner, &scene.address, &scene.document)
            .await
            .check_writers(&writers, &rest);
    }
    let (writers, rest) = scene::finish(writers, rest, &[&scene.address], &Control::stopped()).await;
    Stands::read(&scene.owner, &scene.address, &scene.document)
        .await
        .check_done(&writers, &rest, 0);
}
