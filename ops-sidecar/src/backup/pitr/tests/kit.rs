//! A desk whose changes are captured, and everything that may happen to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use shared::clock::{Clock, ManualClock};
use shared::paths::Home;
use shared::session::{Kind, SessionId};
use shared::state::tables::{epochs, sessions};
use shared::state::{Durability, Slot, State};

use super::super::*;
use crate::backup::Room;
use crate::backup::make::tests::faulty::Faulty;
use crate::backup::retention::Keep as BackupKeep;
use crate::backup::schedule::Schedule;
use crate::backup::seal::{Identities, Recipients};
use crate::backup::targets::{Target, TargetSpec};
use crate::backup::{Quiet, settings};

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Which targets a desk has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// `local` alone.
    Local,
    /// `local`, and a folder on a disk that can be taken away.
    Disk,
    /// `local`, and one elsewhere.
    Cloud,
    /// Only one elsewhere.
    OnlyCloud,
}

pub(super) struct Desk {
    pub(super) folder: tempfile::TempDir,
    pub(super) slot: Slot,
    pub(super) clock: Arc<ManualClock>,
    pub(super) room: Room,
    pub(super) engine: Engine,
    pub(super) shippers: Vec<Shipper>,
    /// What is elsewhere, where something is.
    pub(super) cloud: Arc<Faulty>,
    pub(super) identities: Option<Identities>,
    /// What the file was at each point.
    pub(super) images: BTreeMap<(String, i64), Vec<u8>>,
    copies: u32,
    /// The session whose heartbeats are telemetry, and those that take up room.
    sessions: Vec<SessionId>,
    _runtime: tokio::runtime::Runtime,
}

pub(super) fn pitr_settings() -> Settings {
    Settings {
        remote_interval: Duration::from_secs(10),
        keep_seconds: DAY,
        keep_minutes: 7 * DAY,
        keep_hours: 31 * DAY,
        spool_max_bytes: 1 << 30,
    }
}

impl Desk {
    pub(super) fn new(places: Where) -> Desk {
        Desk::with(places, Recipients::none(), pitr_settings())
    }

    pub(super) fn with(places: Where, recipients: Recipients, pitr: Settings) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let slot = Slot::new(home.clone());
        slot.open_now().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        let open = |text: &str| {
            Target::open(&TargetSpec::parse(text, &home).unwrap(), handle.clone()).unwrap()
        };
        let store = Arc::<Faulty>::default();
        let cloud =
            || crate::backup::targets::tests::named("s3://elsewhere", store.clone(), "", &handle);
        let targets = match places {
            Where::Local => vec![open("local")],
            Where::Disk => {
                let disk = folder.path().join("disk");
                std::fs::create_dir(&disk).unwrap();
                vec![open("local"), open(&format!("file://{}", disk.display()))]
            }
            Where::Cloud => vec![open("local"), cloud()],
            Where::OnlyCloud => vec![cloud()],
        };
        let clock = Arc::<ManualClock>::default();
        let room = Room {
            home,
            slot: slot.clone(),
            settings: settings::Settings {
                targets: Vec::new(),
                recipients,
                schedule: Schedule::Off,
                keep: BackupKeep {
                    last: 1,
                    hourly: 1,
                    daily: 1,
                    weekly: 1,
                    monthly: 1,
                },
                allow_unencrypted: true,
                identity_file: None,
                drill_every: DAY,
                pitr: Some(pitr),
            },
            targets,
            clock: clock.clone(),
        };
        let (engine, shippers) = fresh(&room);
        let desk = Desk {
            folder,
            slot,
            clock,
            room,
            engine,
            shippers,
            cloud: store,
            identities: None,
            images: BTreeMap::new(),
            copies: 0,
            sessions: vec![SessionId::random()],
            _runtime: runtime,
        };
        desk.state()
            .write("test", Durability::Normal, |writing| {
                sessions::insert(writing, &session(&desk.sessions[0], "1"))
            })
            .unwrap();
        desk
    }

    pub(super) fn state(&self) -> State {
        self.slot.get().unwrap()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Something that matters.
    pub(super) fn write(&self) {
        self.write_to("shop");
    }

    pub(super) fn write_to(&self, shop: &str) {
        self.state()
            .write("test", Durability::Normal, |writing| {
                epochs::bump(writing, shop).map(|_| ())
            })
            .unwrap();
    }

    /// Something that does not.
    pub(super) fn hum(&self) {
        let now_ms = self.now_ms();
        let touched = self.state().write("test", Durability::Normal, |writing| {
            sessions::touch(writing, self.sessions[0].as_str(), now_ms)
        });
        assert!(touched.unwrap());
    }

    /// The file grows by some pages.
    pub(super) fn grow(&mut self) {
        let (id, name) = (SessionId::random(), "x".repeat(9_000));
        self.state()
            .write("test", Durability::Normal, |writing| {
                sessions::insert(writing, &session(&id, &name))
            })
            .unwrap();
        self.sessions.push(id);
    }

    /// What [`Desk::grow`] added last goes, and the file is made smaller.
    pub(super) fn shrink(&mut self) {
        if self.sessions.len() > 1 {
            let id = self.sessions.pop().unwrap();
            self.state()
                .write("test", Durability::Normal, |writing| {
                    sessions::delete(writing, id.as_str()).map(|_| ())
                })
                .unwrap();
        }
        self.state().vacuum().unwrap();
    }

    pub(super) fn pass(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn status(&self) -> Status {
        self.engine.latest().lock().clone()
    }

    /// One look of the engine; what the file is then is remembered if a point was made.
    pub(super) fn tick(&mut self) -> bool {
        let did = self.engine.tick().unwrap();
        if did {
            self.remember();
        }
        did
    }

    pub(super) fn remember(&mut self) {
        let status = self.status();
        if status.last_point_ms.is_none() {
            return;
        }
        let image = self.image();
        let point = (status.line.unwrap(), status.last_point_ms.unwrap());
        let known = self.images.insert(point, image.clone());
        assert!(
            known.is_none_or(|known| known == image),
            "a point is one state"
        );
    }

    /// The exact content of the file now.
    pub(super) fn image(&mut self) -> Vec<u8> {
        let path = self.scratch();
        self.state()
            .copy_to(&path, &mut |_, _| std::ops::ControlFlow::Continue(()))
            .unwrap();
        std::fs::read(path).unwrap()
    }

    pub(super) fn scratch(&mut self) -> PathBuf {
        self.copies += 1;
        let place = self.folder.path().join("scratch");
        std::fs::create_dir_all(&place).unwrap();
        place.join(format!("{}.db", self.copies))
    }

    /// All targets take what they can.
    pub(super) fn ship(&mut self) {
        for shipper in &mut self.shippers {
            shipper.step().unwrap();
        }
    }

    /// A commit, a look and the way to all targets; gives the point.
    pub(super) fn step(&mut self, by: Duration) -> i64 {
        self.pass(by);
        self.write();
        assert!(self.tick());
        self.ship();
        self.status().last_point_ms.unwrap()
    }

    pub(super) fn target(&self, slot: usize) -> Target {
        self.room.targets[slot].clone()
    }

    pub(super) fn names(&self, slot: usize) -> Vec<String> {
        let items = self.target(slot).list("pitr").unwrap();
        items.into_iter().map(|item| item.key).collect()
    }

    pub(super) fn rebuild_from(
        &mut self,
        slot: usize,
        at_ms: i64,
    ) -> Result<(Rebuilt, Vec<u8>), PitrError> {
        let out = self.scratch();
        let identities = self.identities.as_ref();
        let rebuilt = rebuild(&self.target(slot), at_ms, None, identities, &out, &Quiet)?;
        Ok((rebuilt, std::fs::read(&out).unwrap()))
    }

    /// The moment as each target gives it back is the moment as it was.
    pub(super) fn assert_rebuilds(&mut self, at_ms: i64) -> Rebuilt {
        let mut last = None;
        for slot in 0..self.room.targets.len() {
            last = Some(self.assert_rebuilds_from(slot, at_ms));
        }
        last.unwrap()
    }

    pub(super) fn assert_rebuilds_from(&mut self, slot: usize, at_ms: i64) -> Rebuilt {
        let (rebuilt, image) = self.rebuild_from(slot, at_ms).unwrap();
        assert!(rebuilt.reached_ms <= at_ms);
        let known = &self.images[&(rebuilt.line.clone(), rebuilt.reached_ms)];
        assert!(
            known == &image,
            "at {at_ms} from target {slot}: {rebuilt:?}"
        );
        rebuilt
    }

    /// The sidecar ends in good order and starts again.
    pub(super) fn restart(&mut self) {
        self.engine.finish().unwrap();
        self.remember();
        self.ship();
        self.kill();
    }

    /// The sidecar is gone from one moment to the next, and a new one starts.
    pub(super) fn kill(&mut self) {
        self.shippers.clear();
        let placeholder = Engine::new(&self.room, self.room.settings.pitr.as_ref().unwrap());
        // The lock goes with the process.
        drop(std::mem::replace(&mut self.engine, placeholder));
        (self.engine, self.shippers) = fresh(&self.room);
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.room.home.backup_spool().join("pitr")
    }
}

fn fresh(room: &Room) -> (Engine, Vec<Shipper>) {
    let settings = room.settings.pitr.as_ref().unwrap();
    let engine = Engine::new(room, settings);
    let shippers = shippers(room, settings, &engine);
    (engine, shippers)
}

fn session<'a>(id: &'a SessionId, version: &'a str) -> sessions::NewSession<'a> {
    sessions::NewSession {
        id,
        kind: Kind::OpsSidecar,
        pid: 1,
        version,
        started_ms: 1,
    }
}
