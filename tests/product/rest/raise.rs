//! Nobody raises their own level or role: people of every kind call whatever could give somebody something, in any order,
//! and end with no more than they began with.

use crate::support::{TestApp, User};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};

/// Calls of each person in one run; `SHEAF_TEST_RAISES` asks for more.
const CALLS: usize = 120;
const LEVELS: [&str; 5] = ["none", "view", "comment", "edit", "manage"];
const ROLES: [&str; 4] = ["guest", "member", "admin", "owner"];

fn any<'a>(rng: &mut StdRng, of: &[&'a str]) -> &'a str {
    of[rng.random_range(0..of.len())]
}

fn rank(names: &[&str], name: &Value) -> usize {
    let name = name.as_str().unwrap_or_else(|| panic!("{name} is no name"));
    names.iter().position(|known| *known == name).expect("a known name")
}

/// A workspace with a small tree, groups, and people who will try.
struct World {
    app: TestApp,
    owner: User,
    workspace: String,
    pages: Vec<String>,
    groups: Vec<String>,
    people: Vec<User>,
    /// Ids of grants, links, invitations and requests that somebody was told of.
    told: Vec<String>,
}

/// A call: method, path and body.
type Call = (Method, String, Value);

impl World {
    async fn new(rng: &mut StdRng) -> Self {
        let app = TestApp::new().await;
        let (owner, workspace, page, _) = app.page("Hello").await;
        let mut world = Self {
            app,
            owner,
            workspace,
            pages: vec![page],
            groups: Vec::new(),
            people: Vec::new(),
            told: Vec::new(),
        };
        for n in 0..5 {
            let parent = &world.pages[rng.random_range(0..world.pages.len())];
            let body = json!({ "workspace_id": world.workspace, "title": format!("{n}"), "parent_id": parent });
            let page = world.owner.post("/api/v1/documents/", &body).await.expect(201).id();
            let default = rng.random_bool(0.5).then(|| any(rng, &LEVELS));
            let rules = json!({ "default_level": default, "restricted": rng.random_bool(0.3) });
            world.owner.patch(&format!("/api/v1/documents/{page}/"), &rules).await.expect(200);
            world.pages.push(page);
        }
        for name in ["one", "two"] {
            let path = format!("/api/v1/workspaces/{}/groups/", world.workspace);
            world
                .groups
                .push(world.owner.post(&path, &json!({ "name": name })).await.expect(201).id());
        }
        for role in ["guest", "guest", "member", "member", "admin"] {
            let person = world.app.user(role).await;
            world.owner.adds(&person, &world.workspace, role).await;
            if role != "admin" {
                let page = &world.pages[rng.random_range(0..world.pages.len())];
                let grant = json!({ "user_id": person.id, "level": any(rng, &LEVELS[1..]) });
                world
                    .owner
                    .post(&format!("/api/v1/documents/{page}/grants/"), &grant)
                    .await
                    .expect(201);
            }
            world.people.push(person);
        }
        world
    }

    /// What somebody is and may do with each page, as the owner is told.
    async fn standing(&self, who: &User) -> (usize, Vec<usize>) {
        let mut levels = Vec::new();
        let mut role = 0;
        for page in &self.pages {
            let path = format!("/api/v1/documents/{page}/access/explain/?user={}", who.id);
            let why = self.owner.get(&path).await.expect(200).body;
            levels.push(rank(&LEVELS, &why["level"]));
            role = rank(&ROLES, &why["role"]);
        }
        (role, levels)
    }

    fn page(&self, rng: &mut StdRng) -> String {
        format!("/api/v1/documents/{}/", self.pages[rng.random_range(0..self.pages.len())])
    }

    fn told(&self, rng: &mut StdRng) -> String {
        match self.told.len() {
            0 => kernel::id::DocumentId::new().to_string(),
            len => self.told[rng.random_range(0..len)].clone(),
        }
    }

    /// Something about pages that could give `who` more.
    fn on_pages(&self, rng: &mut StdRng, who: &User) -> Call {
        let (page, told, level) = (self.page(rng), self.told(rng), any(rng, &LEVELS));
        let grantee = match rng.random_range(0..3) {
            0 => json!({ "group_id": self.groups[rng.random_range(0..2)], "level": level }),
            1 => json!({ "user_id": self.people[rng.random_range(0..self.people.len())].id, "level": level }),
            _ => json!({ "user_id": who.id, "level": level }),
        };
        let rules = match rng.random_range(0..3) {
            0 => json!({ "default_level": level }),
            1 => json!({ "default_level": null }),
            _ => json!({ "restricted": rng.random_bool(0.5) }),
        };
        let under = rng
            .random_bool(0.8)
            .then(|| self.pages[rng.random_range(0..self.pages.len())].clone());
        match rng.random_range(0..10) {
            0 | 1 => (Method::POST, format!("{page}grants/"), grantee),
            2 => (Method::PATCH, format!("{page}grants/{told}/"), json!({ "level": level })),
            3 => (Method::DELETE, format!("{page}grants/{told}/"), Value::Null),
            4 | 5 => (Method::PATCH, page, rules),
            6 => (Method::POST, format!("{page}access-requests/"), json!({ "level": level })),
            7 | 8 => (Method::POST, format!("{page}move/"), json!({ "parent_id": under })),
            _ => (
                Method::POST,
                format!("/api/v1/access-requests/{told}/approve/"),
                json!({ "level": level }),
            ),
        }
    }

    /// Something about the workspace that could give `who` more.
    fn on_the_workspace(&self, rng: &mut StdRng, who: &User) -> Call {
        let (home, told) = (format!("/api/v1/workspaces/{}/", self.workspace), self.told(rng));
        let (level, role) = (any(rng, &LEVELS), any(rng, &ROLES));
        let group = &self.groups[rng.random_range(0..2)];
        match rng.random_range(0..11) {
            0 => (Method::PATCH, format!("{home}members/{}/", who.id), json!({ "role": role })),
            1 => (Method::POST, format!("{home}members/"), json!({ "email": who.email, "role": role })),
            2 => (Method::PUT, format!("{home}groups/{group}/members/{}/", who.id), Value::Null),
            3 => (Method::POST, format!("{home}grants/"), json!({ "user_id": who.id, "level": level })),
            4 => (
                Method::PATCH,
                format!("{home}settings/"),
                json!({ "default_level": level, "member_invites": true }),
            ),
            5 => (
                Method::POST,
                format!("{home}invite/"),
                json!({ "emails": [who.email], "role": role }),
            ),
            6 => (Method::POST, format!("{home}invite-links/"), json!({ "role": role })),
            7 => (Method::POST, "/api/v1/invitations/accept/".to_owned(), json!({ "token": told })),
            8 => (Method::POST, format!("{home}transfer-ownership/"), json!({ "user_id": who.id })),
            9 => (Method::PATCH, format!("{home}grants/{told}/"), json!({ "level": level })),
            _ => (
                Method::POST,
                format!("{home}groups/"),
                json!({ "name": format!("g{}", rng.random_range(0..1_000)) }),
            ),
        }
    }

    async fn tries(&mut self, rng: &mut StdRng, who: &User) -> (Call, u16) {
        let call = if rng.random_bool(0.6) {
            self.on_pages(rng, who)
        } else {
            self.on_the_workspace(rng, who)
        };
        let body = (!call.2.is_null()).then_some(&call.2);
        let answer = who.call(call.0.clone(), &call.1, body).await;
        assert!(answer.status < 500, "{call:?}: {}", answer.text);
        for told in ["id", "token"] {
            if let Some(told) = answer.body[told].as_str() {
                self.told.push(told.to_owned());
            }
        }
        (call, answer.status)
    }
}

fn calls() -> usize {
    testing::env::var("SHEAF_TEST_RAISES").map_or(CALLS, |text| text.parse().expect("SHEAF_TEST_RAISES is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_raises_themselves_by_any_sequence_of_calls() {
    for seed in [1, 2] {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = World::new(&mut rng).await;
        let mut done = 0;
        for who in world.people.clone() {
            let before = world.standing(&who).await;
            for _ in 0..calls() {
                let (call, status) = world.tries(&mut rng, &who).await;
                if status >= 300 {
                    continue;
                }
                done += 1;
                let (role, levels) = world.standing(&who).await;
                let is_raised = role > before.0 || levels.iter().zip(&before.1).any(|(now, then)| now > then);
                assert!(
                    !is_raised,
                    "seed {seed}: {call:?} raised {who:?} from {before:?} to {role} {levels:?}",
                    who = who.email
                );
            }
        }
        assert!(done > calls() / 2, "only {done} calls did something");
        world.app.stop().await;
    }
}
