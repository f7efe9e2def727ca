//! Every error says what, why and what to do; SQLite's codes land where a person would put them.

use super::*;

fn sqlite(extended: i32) -> StateError {
    rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None).into()
}

fn one_of_each() -> Vec<StateError> {
    vec![
        StateError::NotYetOpened,
        StateError::Newer { file: 9, ours: 1 },
        StateError::NotOurs {
            path: "state.db".into(),
            application_id: 7,
        },
        StateError::corrupt(11, "row 7\nis missing"),
        StateError::ReadOnly,
        StateError::Full,
        StateError::Locked,
        StateError::NetworkFileSystem { kind: "nfs".into() },
        StateError::BeingRestored,
        StateError::MissingFolder {
            path: "home".into(),
            source: io::ErrorKind::NotFound.into(),
        },
        StateError::Moved,
        StateError::OldSqlite { version: "3.40.1" },
        StateError::Migration {
            to: 2,
            source: "no".into(),
        },
        StateError::AuditRefused {
            why: "nobody signs it",
            hint: "give this program the key",
        },
        StateError::Stopped,
        StateError::Io {
            doing: "opening",
            source: "no".into(),
        },
        StateError::Unexpected {
            source: "no".into(),
        },
    ]
}

#[test]
fn every_error_says_what_why_and_what_to_do() {
    for error in one_of_each() {
        let text = error.to_string();
        let (said, hint) = text.split_once("; hint: ").expect("an error has a hint");
        assert!(said.contains(": ") && hint.len() > 8, "{text}");
        assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
    }
}

#[test]
fn codes_are_a_closed_set_without_doubles() {
    let codes: std::collections::BTreeSet<_> = one_of_each().iter().map(StateError::code).collect();
    assert_eq!(codes.len(), one_of_each().len());
}

#[test]
fn sqlite_codes_are_sorted_by_code() {
    let sorted = [
        (ffi::SQLITE_NOTADB, "corrupt"),
        (ffi::SQLITE_CORRUPT, "corrupt"),
        (267, "corrupt"), // SQLITE_CORRUPT_VTAB, an extended code
        (ffi::SQLITE_READONLY, "read_only"),
        (ffi::SQLITE_READONLY_DIRECTORY, "read_only"),
        (ffi::SQLITE_READONLY_DBMOVED, "moved"),
        (ffi::SQLITE_FULL, "full"),
        (ffi::SQLITE_BUSY, "busy"),
        (ffi::SQLITE_BUSY_SNAPSHOT, "busy"),
        (ffi::SQLITE_CANTOPEN, "io"),
        (ffi::SQLITE_IOERR_WRITE, "io"),
        (ffi::SQLITE_ERROR, "unexpected"),
    ];
    for (sqlite_code, code) in sorted {
        assert_eq!(
            sqlite(sqlite_code).code(),
            code,
            "SQLite code {sqlite_code}"
        );
    }
}

#[test]
fn a_full_disk_is_full_whoever_reports_it() {
    assert_eq!(
        StateError::io("x", io::ErrorKind::StorageFull.into()).code(),
        "full"
    );
    assert_eq!(
        StateError::io("x", io::ErrorKind::ReadOnlyFilesystem.into()).code(),
        "read_only"
    );
}
