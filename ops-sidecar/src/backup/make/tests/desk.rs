//! A home with a state file, and targets that can be told to fail.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use shared::clock::ManualClock;
use shared::paths::Home;
use shared::state::Slot;
use tokio::runtime::Runtime;

use super::faulty::{Fault, Faulty};
use crate::backup::id::{BackupId, FOLDER};
use crate::backup::journal::{Journal, Step};
use crate::backup::owner;
use crate::backup::seal::{Identities, Recipients};
use crate::backup::settings::Settings;
use crate::backup::targets::{self, Target};
use crate::backup::{Quiet, Room};

/// The first of the two targets is called so; the second, the one that fails, `s3://second`.
pub(in crate::backup) const FIRST: &str = "s3://first";
pub(in crate::backup) const SECOND: &str = "s3://second";

pub(in crate::backup) struct Desk {
    pub(in crate::backup) room: Room,
    pub(in crate::backup) clock: Arc<ManualClock>,
    pub(in crate::backup) stores: [Arc<Faulty>; 2],
    pub(in crate::backup) identities: Option<Identities>,
    pub(in crate::backup) folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl Desk {
    /// With a fresh state file and nothing at the targets.
    pub(in crate::backup) fn new() -> Desk {
        let desk = Desk::without_state();
        desk.room.slot.open_now().unwrap();
        desk
    }

    /// The same, whose backups are encrypted.
    pub(in crate::backup) fn encrypted() -> Desk {
        let mut desk = Desk::new();
        let file = desk.folder.path().join("identity.key");
        // Made for this test with `age-keygen`.
        let text = "# public key: age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n\
                    AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";
        fs::write(&file, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let public = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        desk.room.settings.recipients = Recipients::parse(&[public.to_owned()]).unwrap();
        desk.identities = Some(Identities::from_file(&file).unwrap());
        desk
    }

    /// With a home and no state file.
    pub(in crate::backup) fn without_state() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let stores = [Arc::new(Faulty::default()), Arc::new(Faulty::default())];
        let target = |name, store: &Arc<Faulty>| {
            let store = Arc::clone(store) as Arc<dyn object_store::ObjectStore>;
            targets::tests::named(name, store, "", runtime.handle())
        };
        let clock = Arc::new(ManualClock::default());
        let defaults = shared::env::Settings::defaults(&home);
        let room = Room {
            slot: Slot::new(home.clone()),
            settings: Settings::read(&defaults, &home).0,
            targets: vec![target(FIRST, &stores[0]), target(SECOND, &stores[1])],
            clock: clock.clone(),
            home,
        };
        Desk {
            room,
            clock,
            stores,
            identities: None,
            folder,
            _runtime: runtime,
        }
    }

    /// Makes a good backup at both targets; an hour passes, so that the next one does not take its place.
    pub(in crate::backup) fn good(&self) -> BackupId {
        let made = crate::backup::make::make(&self.room, &Quiet).unwrap();
        assert!(made.targets.iter().all(|target| target.error.is_none()));
        self.clock.advance(Duration::from_secs(3600));
        made.manifest.backup_id()
    }

    /// From now on the second target has this fault.
    pub(in crate::backup) fn second_fails(&self, fault: Fault) {
        self.stores[1].has(fault);
    }

    /// The backups that have a manifest there.
    pub(in crate::backup) fn claimed(&self, target: &Target) -> Vec<BackupId> {
        let items = target.list(FOLDER).unwrap();
        items
            .iter()
            .filter_map(|item| BackupId::of_manifest_key(&item.key))
            .collect()
    }

    /// Everything that lies there.
    pub(in crate::backup) fn keys(&self, target: &Target) -> Vec<String> {
        let items = target.list(FOLDER).unwrap();
        items.into_iter().map(|item| item.key).collect()
    }

    /// At both targets there are these backups and nothing else, not even a file without a manifest.
    pub(in crate::backup) fn nothing_new(&self, old: &[BackupId]) {
        for store in &self.stores {
            store.heal();
        }
        for target in &self.room.targets {
            assert_eq!(self.claimed(target), old, "{}", target.name());
            assert_eq!(self.keys(target).len(), 2 * old.len(), "{}", target.name());
        }
        assert_eq!(self.left_in_the_spool(), Vec::<String>::new());
    }

    /// Which step the newest note in the journal blames.
    pub(in crate::backup) fn noted_step(&self) -> Option<Step> {
        let journal = Journal::read(&self.room.home);
        journal.last_run().and_then(|run| run.step)
    }

    /// Names in the spool beside those that belong there.
    pub(in crate::backup) fn left_in_the_spool(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.room.home.backup_spool()) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with("journal.") && name != owner::REMEMBERED)
            .collect()
    }
}
