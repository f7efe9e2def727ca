//! Who lives is named, with what the file says of them, and a dead one is not.

use super::*;
use crate::session::{Kind, Session};
use crate::state::tables::sessions::{Client, NewSession};
use crate::state::{Durability, State};

struct House {
    home: Home,
    _folder: tempfile::TempDir,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        home.create().unwrap();
        House {
            home,
            _folder: folder,
        }
    }

    /// A living process that has told the file about itself.
    fn known(&self, pid: u32, started_ms: i64, client: Option<&str>) -> Session {
        let session = Session::begin(&self.home, Kind::McpStdio, "1").unwrap();
        let new = NewSession {
            id: session.id(),
            kind: Kind::McpStdio,
            pid,
            version: "1",
            started_ms,
        };
        let state = State::open(&self.home).unwrap();
        let told = state.write("test", Durability::Normal, |writing| {
            sessions::insert(writing, &new)?;
            let Some(name) = client else { return Ok(true) };
            let client = Client {
                name: name.to_owned(),
                version: "1".to_owned(),
                protocol: "p".to_owned(),
            };
            sessions::describe(writing, session.id().as_str(), &client, started_ms)
        });
        assert!(told.unwrap());
        session
    }
}

#[test]
fn the_living_are_named_oldest_first_and_the_unknown_last() {
    let house = House::new();
    let _unknown = Session::begin(&house.home, Kind::McpStdio, "1").unwrap();
    let _young = house.known(12, 1_700_000_060_999, None);
    let _old = house.known(11, 1_700_000_000_001, Some("inspector"));
    drop(house.known(13, 1, Some("a dead one")));
    let named: Vec<String> = holders(&house.home)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        named[..2],
        [
            "mcp-stdio (process 11, since 2023-11-14T22:13:20Z, for inspector)",
            "mcp-stdio (process 12, since 2023-11-14T22:14:20Z)",
        ]
    );
    assert!(named[2].starts_with("a process (session "), "{named:?}");
    assert_eq!(named.len(), 3);
}

#[test]
fn a_run_file_whose_process_is_dead_holds_nothing() {
    let house = House::new();
    let id = SessionId::random();
    std::fs::write(house.home.run_dir().join(format!("{id}.lock")), "").unwrap();
    std::fs::write(house.home.run_dir().join("gate.lock"), "").unwrap();
    assert_eq!(holders(&house.home), []);
    assert_eq!(
        in_words(&house.home),
        "a command that does not say its name, or another program"
    );
}

#[test]
fn asking_makes_no_file_and_a_damaged_one_is_no_obstacle() {
    let house = House::new();
    assert_eq!(holders(&Home::at("/does/not/exist")), []);
    let _living = Session::begin(&house.home, Kind::OpsSidecar, "1").unwrap();
    assert_eq!(holders(&house.home).len(), 1);
    assert!(!house.home.state_db().exists());
    std::fs::write(house.home.state_db(), "no database").unwrap();
    assert_eq!(holders(&house.home).len(), 1);
}

#[test]
fn a_crowd_is_cut_short() {
    let house = House::new();
    let _crowd: Vec<_> = (0..9)
        .map(|number| house.known(number, i64::from(number) * 1000, None))
        .collect();
    let words = in_words(&house.home);
    assert!(words.starts_with("mcp-stdio (process 0"), "{words}");
    assert!(words.ends_with("; 4 more"), "{words}");
}
