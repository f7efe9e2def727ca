//! Who lives is told by a lock, from the first moment to the last.

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.create().unwrap();
    (folder, home)
}

fn files(home: &Home) -> usize {
    fs::read_dir(home.run_dir()).unwrap().count()
}

#[test]
fn a_session_lives_until_dropped_and_leaves_nothing() {
    let (_folder, home) = home();
    let session = Session::begin(&home, Kind::McpStdio, "1.0").unwrap();
    let id = session.id().clone();
    assert!(is_alive(&home, &id));
    assert_eq!(files(&home), 1);
    drop(session);
    assert!(!is_alive(&home, &id));
    assert_eq!(files(&home), 0);
}

#[test]
fn a_run_file_without_its_lock_is_a_dead_session() {
    let (_folder, home) = home();
    let id = SessionId::random();
    fs::write(run_file(&home, &id), "").unwrap();
    assert!(!is_alive(&home, &id));
    assert!(!is_alive(&home, &id), "asking does not bring it back");
    remove_run_file(&home, &id);
    assert_eq!(files(&home), 0);
}

#[test]
fn two_who_ask_at_once_both_see_the_dead_one() {
    let (_folder, home) = home();
    let id = SessionId::random();
    fs::write(run_file(&home, &id), "").unwrap();
    let other = File::open(run_file(&home, &id)).unwrap();
    other.try_lock_shared().unwrap();
    assert!(!is_alive(&home, &id));
}

#[test]
fn a_renewed_session_is_alive_under_its_new_id_only() {
    let (_folder, home) = home();
    let mut session = Session::begin(&home, Kind::OpsSidecar, "1.0").unwrap();
    let old = session.id().clone();
    session.renew().unwrap();
    assert_ne!(&old, session.id());
    assert!(is_alive(&home, session.id()));
    assert!(!is_alive(&home, &old));
}

#[test]
fn a_session_whose_run_file_was_removed_shows_itself_again() {
    let (_folder, home) = home();
    let mut session = Session::begin(&home, Kind::McpStdio, "1.0").unwrap();
    let id = session.id().clone();
    remove_run_file(&home, &id);
    assert!(!is_alive(&home, &id));
    session.stay_visible().unwrap();
    session.stay_visible().unwrap();
    assert!(is_alive(&home, &id));
    assert_eq!(files(&home), 1);
    drop(session);
    assert!(!is_alive(&home, &id));
    assert_eq!(files(&home), 0);
}

#[test]
fn a_newborn_is_never_seen_dead() {
    let (_folder, home) = home();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen_dead = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                for file in fs::read_dir(home.run_dir()).unwrap() {
                    let name = file.unwrap().file_name().into_string().unwrap();
                    let Some(id) = name.strip_suffix(".lock").and_then(SessionId::from_stored)
                    else {
                        continue;
                    };
                    // A name that is gone by now was dropped, not newborn.
                    seen_dead += u32::from(!is_alive(&home, &id) && run_file(&home, &id).exists());
                }
            }
            seen_dead
        });
        let sessions: Vec<_> = (0..500)
            .map(|_| Session::begin(&home, Kind::McpStdio, "1").unwrap())
            .collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(watching.join().unwrap(), 0);
        drop(sessions);
    });
}

#[test]
fn an_id_is_a_harmless_file_name_and_unlike_any_other() {
    let ids: std::collections::HashSet<_> = (0..1000).map(|_| SessionId::random()).collect();
    assert_eq!(ids.len(), 1000);
    for id in ids {
        assert_eq!(SessionId::from_stored(id.as_str()), Some(id));
    }
    for bad in [
        "",
        "../state",
        "ABCDEF00000000000000000000000000",
        "é000000000000000000000000000000",
    ] {
        assert_eq!(SessionId::from_stored(bad), None, "{bad}");
    }
}

#[test]
fn a_home_without_its_run_folder_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("nowhere"));
    assert_eq!(
        Session::begin(&home, Kind::McpStdio, "1")
            .unwrap_err()
            .kind(),
        io::ErrorKind::NotFound
    );
}
