//! Tests of `keyring`: what it does with the platform's answers, and that nobody waits without end. The real thing on a machine without
//! a desktop is asked by a child of this test, because an environment can only be chosen for a child.

use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use super::super::testing::{World, error_of, secret};
use super::*;

fn impatient(
    world: &World,
    open: impl Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync + 'static,
) -> Keyring {
    Keyring {
        patience: Duration::from_millis(200),
        ..Keyring::of_test(&world.home, open)
    }
}

#[test]
fn entries_are_kept_replaced_and_removed() {
    let world = World::new();
    let ring = world.keyring();
    assert!(ring.read().unwrap().key.is_none());
    ring.put(Kept::Key, &secret("one")).unwrap();
    ring.put(Kept::Key, &secret("two")).unwrap();
    ring.put(Kept::Next, &secret("three")).unwrap();
    let held = ring.read().unwrap();
    assert_eq!(
        (held.key, held.next),
        (Some(secret("two")), Some(secret("three")))
    );
    ring.remove(Kept::Next).unwrap();
    ring.remove(Kept::Next).unwrap();
    assert!(ring.read().unwrap().next.is_none());
}

#[test]
fn each_home_has_entries_of_its_own() {
    let (one, two) = (World::new(), World::new());
    one.keyring().put(Kept::Key, &secret("one")).unwrap();
    let ring = Arc::clone(&one.ring);
    let other = Keyring::of_test(&two.home, move || Ok(Arc::clone(&ring)));
    assert!(other.read().unwrap().key.is_none());
}

#[test]
fn a_keyring_that_never_answers_is_given_up_and_not_asked_again_meanwhile() {
    let world = World::new();
    let (hold, held) = mpsc::channel::<()>();
    let held = Arc::new(parking_lot::Mutex::new(held));
    let asked = Arc::new(AtomicUsize::new(0));
    let ring = impatient(&world, {
        let asked = Arc::clone(&asked);
        move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().recv();
            Err(Error::NoDefaultStore)
        }
    });
    let since = Instant::now();
    let first = error_of(ring.read());
    assert_eq!(first.code(), "keyring");
    assert!(first.to_string().contains("gave no answer"), "{first}");
    // The first question is still open: a second one would only ask its user twice.
    let second = error_of(ring.read());
    assert_eq!(second.code(), "key_locked");
    assert!(since.elapsed() < Duration::from_secs(5));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop(hold);
}

#[test]
fn many_processes_ask_one_after_another() {
    let world = World::new();
    let inside = Arc::new(AtomicUsize::new(0));
    let ring = Keyring::of_test(&world.home, {
        let (inside, store) = (Arc::clone(&inside), Arc::clone(&world.ring));
        move || {
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            std::thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
            Ok(Arc::clone(&store))
        }
    });
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| ring.read().unwrap());
        }
    });
}

#[test]
fn what_the_platform_says_is_said_and_what_it_holds_is_not() {
    let held = b"odmk1secret".to_vec();
    let cases = [
        (
            Error::NoStorageAccess("locked".into()),
            "is locked or denies access",
        ),
        (
            Error::PlatformFailure("no bus".into()),
            "cannot be reached (no bus)",
        ),
        (
            Error::BadEncoding(held.clone()),
            "holds something that is no text",
        ),
        (
            Error::BadDataFormat(held, "odmk1secret".into()),
            "holds something that cannot be read",
        ),
        (
            Error::Ambiguous(Vec::new()),
            "holds several keys for this home",
        ),
    ];
    for (error, expected) in cases {
        let shown = refused(error);
        assert_eq!(
            shown.to_string(),
            format!("the system's keyring {expected}")
        );
        assert!(!format!("{shown:?}").contains("odmk1"));
    }
    let world = World::new();
    let entry = world
        .ring
        .build(SERVICE, &world.keyring().user(Kept::Key), None)
        .unwrap();
    entry.set_secret(&[0xff, 0xfe]).unwrap();
    assert!(
        error_of(world.keyring().read())
            .to_string()
            .contains("no text")
    );
}

#[cfg(target_os = "linux")]
mod headless {
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    /// Runs in a child whose environment names a bus; says on its standard output how the system's keyring answered.
    #[test]
    #[ignore = "the child of the tests below"]
    fn child_that_asks_the_systems_keyring() {
        let world = World::new();
        let ring = Keyring {
            patience: Duration::from_secs(2),
            ..Keyring::of_system(&world.home)
        };
        let error = error_of(ring.read());
        println!("answer: {} {error}", error.code());
    }

    fn ask_with_bus(address: &str) -> (String, Duration) {
        let since = Instant::now();
        let name = "vault::keyring::tests::headless::child_that_asks_the_systems_keyring";
        let said = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--ignored", "--nocapture"])
            .env("DBUS_SESSION_BUS_ADDRESS", address)
            .env_remove("XDG_RUNTIME_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let answer = said.lines().find_map(|line| line.split_once("answer: "));
        let answer = answer.map(|(_, answer)| answer.to_owned());
        (answer.unwrap_or(said), since.elapsed())
    }

    #[test]
    fn without_a_bus_the_answer_comes_at_once() {
        let (answer, took) = ask_with_bus("unix:path=/nowhere/bus");
        assert!(
            answer.starts_with("keyring the system's keyring cannot be"),
            "{answer}"
        );
        assert!(took < Duration::from_secs(2), "{took:?}");
    }

    #[test]
    fn a_bus_that_never_answers_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let _silent = UnixListener::bind(&path).unwrap();
        let (answer, took) = ask_with_bus(&format!("unix:path={}", path.display()));
        assert!(
            answer.contains("gave no answer within 2 seconds"),
            "{answer}"
        );
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
