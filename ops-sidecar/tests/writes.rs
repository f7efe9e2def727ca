//! Changes to shops that nobody knows the end of, as a running sidecar tells of them.

mod support;

use std::path::Path;

use jiff::Timestamp;
use shared::audit::{Actor, Chain, action};
use shared::paths::Home;
use shared::session::{Kind, Session};
use shared::state::State;
use shared::writes::{self, Deed, turn};
use support::{Answer, Sidecar, TOKEN};

/// A server that is about to change a shop. Dropped, it has died on the way.
struct Server {
    state: State,
    session: Session,
}

impl Server {
    fn changes_a_shop(home: &Path) -> Server {
        let home = Home::at(home);
        let state = State::open(&home).expect("a state file");
        let session = Session::begin(&home, Kind::McpStdio, "1.0").expect("a session");
        let actor = Actor {
            session: session.id().clone(),
            client: None,
        };
        let deed = Deed {
            chain: &Chain::Env,
            actor: &actor,
            store_key: "shop",
            action: action::ORDER_UPDATED,
            target: "order 7001001",
            args_shape: "changes: email",
            check: "look at order 7001001",
        };
        let now_ms = Timestamp::now().as_millisecond();
        let things = ["order/7001001".to_owned()];
        let turn = turn::enqueue(&state, session.id(), "shop", &things, now_ms).expect("a turn");
        writes::begin(&state, &deed, &turn, now_ms, None).expect("an intent");
        Server { state, session }
    }

    fn dies(self) -> State {
        drop(self.session);
        self.state
    }
}

fn has_line(answer: &Answer, line: &str) -> bool {
    answer.body.lines().any(|have| have == line)
}

#[test]
fn a_change_that_its_process_died_over_is_a_finding_until_a_person_has_looked() {
    let folder = tempfile::tempdir().expect("a home");
    let server = Server::changes_a_shop(folder.path());
    let settings = [("ADMIN_TOKEN", TOKEN), ("BACKUP_ALLOW_UNENCRYPTED", "true")];
    let sidecar = Sidecar::start_with(folder.path(), &settings).ready();
    sidecar.until("/metrics", |page| {
        has_line(page, "orderdesk_mcp_writes_unsettled 0")
    });

    let state = server.dies();
    sidecar.until("/metrics", |page| {
        has_line(page, "orderdesk_mcp_writes_unsettled 1")
    });
    let body = sidecar.until_with_token("/health/detailed", |answer| {
        answer.json()["findings"][0]["id"] == "writes.unsettled"
    });
    let body = body.json();
    let finding = &body["findings"][0];
    assert_eq!(
        (&body["status"], &finding["level"], &finding["blocks_ready"]),
        (&"degraded".into(), &"warn".into(), &false.into())
    );
    assert_eq!(body["components"]["writes"]["died"], 1);
    assert!(
        !body.to_string().contains("7001001"),
        "what it is about is for those who hold the key: {body}"
    );

    let now_ms = Timestamp::now().as_millisecond();
    let settled = writes::settle(&state, &Chain::Env, 1, true, &Actor::cli(), now_ms, None);
    assert!(settled.expect("a record"));
    sidecar.until("/health", |answer| answer.json()["status"] == "ok");
    sidecar.until("/metrics", |page| {
        has_line(page, "orderdesk_mcp_writes_unsettled 0")
    });
}
