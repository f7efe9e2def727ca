//! Flushes: what reaches the state file, and what happens when it cannot.

use metrics::gauge;

use super::*;
use crate::session::Kind;
use crate::telemetry::testing::{House, fold_all};

fn calls(n: u64) -> impl FnOnce() {
    move || counter!(names::DB_CONNECTIONS.name).increment(n)
}

fn total(house: &House) -> f64 {
    house.total(names::DB_CONNECTIONS.name)
}

fn sessions(house: &House) -> Vec<sessions::Row> {
    house.state.read("test", sessions::all).unwrap()
}

#[test]
fn a_flush_writes_values_and_the_session() {
    let house = House::new();
    let mut process = house.process_of(Kind::OpsSidecar);
    process.does(calls(3));
    process.flush();
    assert_eq!(total(&house), 3.0);
    let rows = sessions(&house);
    assert_eq!(
        (rows.len(), rows[0].kind, rows[0].pid),
        (1, Kind::OpsSidecar, std::process::id())
    );
    assert!(house.is_alive(&rows[0].id));
}

#[test]
fn a_repeated_flush_changes_nothing() {
    let house = House::new();
    let mut process = house.process();
    process.does(calls(3));
    process.flush();
    process.flush();
    process.does(calls(4));
    process.flush();
    assert_eq!(total(&house), 7.0);
}

#[test]
fn a_flush_that_fails_loses_nothing_and_counts_as_an_error() {
    let house = House::new();
    let mut process = house.process();
    process.does(calls(3));
    let run = house.state.home().run_dir();
    let aside = run.with_extension("aside");
    std::fs::rename(&run, &aside).unwrap();
    assert_eq!(process.try_flush().unwrap_err().code(), "session");
    assert_eq!(total(&house), 0.0);
    std::fs::rename(&aside, &run).unwrap();
    process.flush();
    process.flush();
    assert_eq!(total(&house), 3.0);
    assert_eq!(house.total(names::FLUSH_ERRORS.name), 1.0);
}

#[test]
fn the_client_is_noted_when_it_is_known() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    assert_eq!(sessions(&house)[0].client, None);
    let client = Client {
        name: "inspector".into(),
        version: "2".into(),
        protocol: "2025-11-25".into(),
    };
    process.serves.client = Some(client.clone());
    process.flush();
    assert_eq!(sessions(&house)[0].client, Some(client));
}

#[test]
fn the_tenant_is_noted_when_it_is_known_and_again_when_it_changes() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    assert_eq!(sessions(&house)[0].tenant_id, None);
    for tenant_id in ["t1", "t1", "t2"] {
        process.serves.tenant_id = Some(tenant_id.into());
        process.flush();
        assert_eq!(sessions(&house)[0].tenant_id.as_deref(), Some(tenant_id));
    }
}

#[test]
fn a_process_that_was_taken_for_dead_goes_on_and_counts_once() {
    let house = House::new();
    let mut process = house.process();
    process.serves.tenant_id = Some("t1".into());
    process.serves.client = Some(Client {
        name: "c".into(),
        version: String::new(),
        protocol: String::new(),
    });
    process.does(calls(3));
    process.flush();
    let old = process.id();
    house.lose_run_file(&process);
    assert_eq!(fold_all(&house).unwrap(), 1);
    assert_eq!(total(&house), 3.0);

    process.does(calls(4));
    process.flush();
    assert_eq!(total(&house), 7.0);
    assert_ne!(process.id(), old);
    assert!(house.is_alive(&process.id()));
    assert!(sessions(&house)[0].client.is_some());
    assert_eq!(sessions(&house)[0].tenant_id.as_deref(), Some("t1"));

    drop(process);
    assert_eq!(fold_all(&house).unwrap(), 1);
    assert_eq!(total(&house), 7.0);
}

#[test]
fn a_graceful_end_hands_everything_over() {
    let house = House::new();
    let process = house.process();
    process.does(|| {
        calls(3)();
        gauge!(names::CACHE_ITEMS.name).set(5.0);
    });
    process.finish();
    assert_eq!(total(&house), 3.0);
    assert!(house.values(names::CACHE_ITEMS.name).is_empty());
    assert!(sessions(&house).is_empty());
    assert_eq!(house.run_files(), 0);
    assert_eq!(fold_all(&house).unwrap(), 0);
}

#[test]
fn records_during_flushes_are_all_counted() {
    let house = House::new();
    let mut process = house.process();
    let recorder = process.recorder.clone();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let recorder = recorder.clone();
            std::thread::spawn(move || {
                metrics::with_local_recorder(&recorder, || {
                    for _ in 0..5_000 {
                        counter!(names::DB_CONNECTIONS.name).increment(1);
                        histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.001);
                    }
                });
            })
        })
        .collect();
    let mut last = 0.0;
    while threads.iter().any(|thread| !thread.is_finished()) {
        process.flush();
        let now = total(&house);
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    process.flush();
    assert_eq!(total(&house), 15_000.0);
    assert_eq!(house.total(names::MCP_TOOL_DURATION.name), 15_000.0);
}

/// A write that this process has under way, under the id that it has now.
fn begin_write(house: &House, process: &crate::telemetry::testing::Process) -> writes::Begun {
    let actor = crate::audit::Actor {
        session: process.id(),
        client: None,
    };
    let turn = writes::turn::enqueue(&house.state, &process.id(), "shop", &["order/1".into()], 0);
    let deed = writes::Deed {
        chain: &crate::audit::Chain::Env,
        actor: &actor,
        store_key: "shop",
        action: crate::audit::action::ORDER_UPDATED,
        target: "order 1",
        args_shape: "",
        check: "look at order 1",
    };
    writes::begin(&house.state, &deed, &turn.unwrap(), 0, None).unwrap()
}

#[test]
fn a_process_that_goes_on_under_a_new_id_keeps_its_turns_and_open_writes() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    begin_write(&house, &process);
    let unsettled = || writes::unsettled(&house.state, None).unwrap().len();
    assert_eq!(unsettled(), 0);
    house.lose_run_file(&process);
    assert_eq!(fold_all(&house).unwrap(), 1);
    assert_eq!(unsettled(), 1, "taken for dead");
    process.flush();
    assert_eq!(unsettled(), 0, "healed");
    let other = house.process_with_session();
    let things = ["order/1".to_owned()];
    let waiting = writes::turn::enqueue(&house.state, &other.id(), "shop", &things, 0).unwrap();
    let standing = writes::turn::standing(&house.state, &waiting, 0).unwrap();
    assert_eq!(standing, writes::Standing::Waiting { ahead: 1 });
    drop(process);
    assert_eq!(unsettled(), 1, "now it is dead");
    let standing = writes::turn::standing(&house.state, &waiting, 0).unwrap();
    assert_eq!(standing, writes::Standing::Ours);
}

#[test]
fn a_write_that_ends_under_the_old_id_is_over() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    let begun = begin_write(&house, &process);
    let actor = crate::audit::Actor {
        session: process.id(),
        client: None,
    };
    house.lose_run_file(&process);
    fold_all(&house).unwrap();
    let done = crate::audit::Outcome::Done;
    writes::end(&house.state, &begun, &actor, done, None, 0, None).unwrap();
    assert_eq!(writes::unsettled(&house.state, None).unwrap(), []);
}

#[test]
fn a_removed_run_file_is_back_with_the_next_flush() {
    let house = House::new();
    let mut process = house.process_with_session();
    let id = process.id();
    house.lose_run_file(&process);
    assert!(!house.is_alive(&id));
    process.flush();
    assert!(house.is_alive(&id));
    assert_eq!(fold_all(&house).unwrap(), 0);
    assert_eq!(process.id(), id);
}
