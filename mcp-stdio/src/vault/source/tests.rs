//! Tests of `source`: the order, through the settings as a user gives them.

use std::path::Path;

use shared::env::Vars;

use super::super::key::MasterKey;
use super::super::testing::{World, error_of, random_key, secret};
use super::*;

const KEY_VARIABLE: &str = "ORDERDESK_MCP_MASTER_KEY";
const FILE_VARIABLE: &str = "ORDERDESK_MCP_MASTER_KEY_FILE";

/// The settings of a process with these variables.
fn sources(world: &World, env: &[(&str, &str)], flag: Option<&Path>) -> Sources {
    let root = world.home.root().to_str().unwrap();
    let pairs = env.iter().copied().chain([("ORDERDESK_MCP_HOME", root)]);
    let loaded = Settings::load(&[], &Vars::from_pairs(pairs), &world.home);
    assert!(loaded.mistakes.is_empty(), "{:?}", loaded.mistakes);
    Sources::new(&loaded.settings, &world.home, flag.map(Path::to_owned))
}

/// A key in a file, and its id.
fn key_in(path: &Path) -> String {
    let key = MasterKey::generate();
    key_file::write(path, &key.to_text()).unwrap();
    key.id().to_string()
}

fn found_id(sources: &Sources) -> (KeySource, String) {
    let found = sources.find().unwrap();
    match &found.candidates[..] {
        [KeyText::Random(key)] => (found.source, key.id().to_string()),
        _ => unreachable!("one random key"),
    }
}

#[test]
fn the_first_source_that_exists_wins() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (flag, named) = (folder.path().join("flag"), folder.path().join("named"));
    let credential = folder.path().join("master_key");
    let in_env = MasterKey::generate();
    let text = in_env.to_text();
    let (flag_id, named_id) = (key_in(&flag), key_in(&named));
    let (credential_id, home_id) = (key_in(&credential), key_in(&world.home.master_key()));

    let environment = (KEY_VARIABLE, text.expose());
    let file = (FILE_VARIABLE, named.to_str().unwrap());
    let unit = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
    let keyring = ("ORDERDESK_MCP_KEY_SOURCE", "keyring");
    let all = [environment, file, unit, keyring];

    let expected = [
        (
            &all[..],
            Some(flag.as_path()),
            KeySource::Flag(flag.clone()),
            flag_id,
        ),
        (
            &all[..],
            None,
            KeySource::Environment,
            in_env.id().to_string(),
        ),
        (&all[1..], None, KeySource::File(named.clone()), named_id),
        (&all[2..], None, KeySource::Credential, credential_id),
        (&all[3..], None, KeySource::HomeFile, home_id),
    ];
    for (env, flag, source, id) in expected {
        assert_eq!(found_id(&sources(&world, env, flag)), (source, id));
    }
}

#[test]
fn the_keyring_is_the_last_place_and_only_where_the_settings_say_so() {
    let world = World::new();
    let key = MasterKey::generate();
    world.keyring().put(Kept::Key, &key.to_text()).unwrap();
    assert_eq!(
        found_id(&world.at_keyring()),
        (KeySource::Keyring, key.id().to_string())
    );
    assert_eq!(error_of(world.at_home().find()).code(), "no_key");
    assert!(sources(&world, &[], None).keyring().is_none());
    assert!(
        sources(&world, &[("ORDERDESK_MCP_KEY_SOURCE", "keyring")], None)
            .keyring()
            .is_some()
    );

    let at_home = key_in(&world.home.master_key());
    assert_eq!(
        found_id(&world.at_keyring()),
        (KeySource::HomeFile, at_home)
    );
}

#[test]
fn a_source_that_exists_and_cannot_be_used_is_an_error_and_never_skipped() {
    let world = World::new();
    key_in(&world.home.master_key());
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, " \n").unwrap();
    let missing = folder.path().join("missing");

    for flag in [&empty, &missing] {
        let error = error_of(sources(&world, &[], Some(flag)).find());
        assert_eq!(error.code(), "key_file");
        assert!(
            error.to_string().contains(flag.to_str().unwrap()),
            "{error}"
        );
    }
    let error = error_of(sources(&world, &[(KEY_VARIABLE, "hunter2hunter2hunter2")], None).find());
    assert_eq!(error.code(), "bad_key");
    assert!(error.to_string().contains(KEY_VARIABLE), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_file_that_is_named_is_read_afresh_each_time() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("named");
    key_in(&named);
    let sources = sources(&world, &[(FILE_VARIABLE, named.to_str().unwrap())], None);
    let later = key_in(&named);
    assert_eq!(found_id(&sources).1, later);
    std::fs::remove_file(&named).unwrap();
    assert_eq!(error_of(sources.find()).code(), "key_file");
}

#[cfg(unix)]
#[test]
fn a_key_at_home_that_others_can_read_is_refused_and_the_hint_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let id = key_in(&world.home.master_key());
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(world.home.master_key(), open).unwrap();
    let error = error_of(world.at_home().find());
    assert_eq!(error.code(), "key_file");
    let done = std::process::Command::new("sh")
        .args(["-c", &error.hint()])
        .status()
        .unwrap();
    assert!(done.success());
    assert_eq!(found_id(&world.at_home()).1, id);
}

#[test]
fn a_key_that_follows_is_a_second_candidate() {
    let world = World::new();
    key_in(&world.home.master_key());
    key_in(&world.home.master_key_next());
    let found = world.at_home().find().unwrap();
    assert_eq!(found.candidates.len(), 2);
    assert_eq!(
        format!("{found:?}"),
        "Found { source: HomeFile, candidates: 2 }"
    );

    key_file::write(&world.home.master_key_next(), &secret("no key")).unwrap();
    let error = error_of(world.at_home().find());
    assert!(error.hint().contains("rm "), "{}", error.hint());
}

#[test]
fn a_key_is_kept_where_it_will_be_found_and_never_over_another_by_accident() {
    let world = World::new();
    let lock = KeyLock::take(&world.home, "test").unwrap();
    for sources in [world.at_home(), world.at_keyring()] {
        let (one, two) = (random_key(), random_key());
        let source = sources.keep(&lock, &one, false).unwrap();
        let refused = error_of(sources.keep(&lock, &two, false));
        assert!(refused.to_string().contains("already"), "{refused}");
        let found = sources.find().unwrap();
        assert_eq!(found.source, source);
        assert!(found.candidates[0].is_same(&one));
        sources.keep(&lock, &two, true).unwrap();
        assert!(sources.find().unwrap().candidates[0].is_same(&two));
        let _ = std::fs::remove_file(world.home.master_key());
    }
}

#[test]
fn no_key_is_kept_over_a_rotation_that_was_interrupted() {
    let world = World::new();
    let lock = KeyLock::take(&world.home, "test").unwrap();
    key_in(&world.home.master_key_next());
    let refused = error_of(world.at_home().keep(&lock, &random_key(), true));
    assert!(refused.hint().contains("key show-id"), "{}", refused.hint());
    assert!(!world.home.master_key().exists());
}

#[test]
fn sources_print_no_key() {
    let world = World::new();
    let text = MasterKey::generate().to_text();
    let shown = format!("{:?}", world.at_environment(&text));
    assert!(!shown.contains("odmk1"), "{shown}");
    assert_eq!(error_of(world.at_home().find()).code(), "no_key");
}
