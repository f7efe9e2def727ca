//! Tests of `error`.

use super::*;

fn one_of_each() -> Vec<VaultError> {
    let source = KeySource::Environment;
    vec![
        VaultError::NoKey,
        VaultError::BadKey {
            source: source.clone(),
            why: KeyTextError::Checksum,
        },
        VaultError::KeyFile {
            path: PathBuf::from("/x/master.key"),
            why: "is empty".to_owned(),
            fix: "write the key into it".to_owned(),
        },
        VaultError::Keyring {
            why: "is locked".to_owned(),
            fix: "unlock it",
        },
        VaultError::WeakPassphrase(Weak::Short(3)),
        VaultError::KeyLocked {
            who: "key rotate, process 7".to_owned(),
        },
        VaultError::NoTenant {
            source: source.clone(),
            key_id: None,
        },
        VaultError::KeyRotated { source },
        VaultError::SealBroken {
            row: Row::Store("Tea & Sons".to_owned()),
        },
        VaultError::UnknownStore {
            given: "x".to_owned(),
            known: vec!["Tea".to_owned()],
            nearest: None,
        },
        VaultError::AmbiguousStore {
            given: "7".to_owned(),
            names: vec!["Tea".to_owned()],
        },
        VaultError::StoreExists {
            name: "Tea".to_owned(),
            store_id: "7".to_owned(),
        },
        VaultError::BadStoreName { why: "it is empty" },
        VaultError::AlreadyThere {
            name: "Ann".to_owned(),
        },
        VaultError::Outrun,
        VaultError::Export {
            why: "is damaged",
            fix: "export the key again",
        },
        VaultError::from(StateError::Full),
    ]
}

#[test]
fn every_error_has_a_code_of_its_own_and_says_what_to_do() {
    let mut codes: Vec<&str> = one_of_each().iter().map(VaultError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), one_of_each().len());
    for error in one_of_each() {
        let whole = format!("{error}; hint: {}", error.hint());
        assert!(
            whole.contains("hint: ") && error.to_string().len() > 15,
            "{whole}"
        );
        assert!(!error.to_string().ends_with('.'), "{whole}");
        let is_state = matches!(error, VaultError::State(_));
        assert_eq!(error.hint().is_empty(), is_state, "{whole}");
    }
}

#[test]
fn a_broken_seal_is_named_by_its_row() {
    let store = VaultError::SealBroken {
        row: Row::Store("Tea & Sons".to_owned()),
    };
    assert!(store.to_string().contains("store `Tea & Sons`"), "{store}");
    assert!(
        store.hint().contains("--name 'Tea & Sons'"),
        "{}",
        store.hint()
    );
    let tenant = VaultError::SealBroken {
        row: Row::Tenant("00ff".to_owned()),
    };
    assert!(tenant.to_string().contains("tenant `00ff`"), "{tenant}");
}
