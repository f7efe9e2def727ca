//! The order of looking: what stands on what, at the same time where it can be, and never for longer than [`LONGEST`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shared::audit::Chain;
use shared::state::State;
use tokio::time::{Instant, timeout};

use super::lost::{self, Lost};
use super::probe::{self, Door};
use super::stores::Probed;
use super::tenant::Opened;
use super::{Check, Hint, Patient, Report, Typed};
use super::{
    audit, backup, clients, disk, home, key, settings, sidecar, state, stores, tenant, writes,
};
use crate::config::Config;
use crate::desk::Access;
use crate::vault::{KeySource, Tenant, Vault, VaultError};

/// However many things hang at once, a person has an answer after this.
pub const LONGEST: Duration = Duration::from_secs(20);

/// For disks and the state file; a sibling that migrates it needs a second or two.
const LOCAL: Duration = Duration::from_secs(5);

/// For finding the key: a locked keyring asks its user, and gives up after ten seconds by itself.
const FINDING_THE_KEY: Duration = Duration::from_secs(11);

/// The checks that stand on an unlocked vault, in their order.
const ON_THE_TENANT: [&str; 6] = ["vault", "api", "credentials", "clock", "audit", "writes"];

/// Looks at everything. Changes nothing but what every start of the server would (an interrupted rotation is ended, an old schema brought
/// up to date), and takes a request of each store's quota. A look that hangs is left behind on its thread: end the runtime without waiting.
pub async fn examine(patient: &Patient) -> Report {
    let (home, mistakes) = (patient.home.clone(), patient.mistakes.clone());
    let examination = Examination {
        patient,
        config: Config::new(home, &patient.settings, None, mistakes),
        until: Instant::now() + LONGEST,
        report: Report::default(),
        key_id: None,
    };
    examination.run().await
}

type OpenedState = (state::StateFacts, Option<State>);

/// What there is to read.
enum File {
    Open(State),
    /// The first start will make it.
    NotYet,
    Unusable,
}

type FoundKey = Result<KeySource, VaultError>;

struct Examination<'a> {
    patient: &'a Patient,
    /// The settings in the form that the rooms take; knows mistakes that only show there.
    config: Config,
    until: Instant,
    report: Report,
    /// Which master key opens this home, once that is known.
    key_id: Option<String>,
}

impl Examination<'_> {
    async fn run(mut self) -> Report {
        let mistakes = &self.config.mistakes;
        let check = settings::judge(mistakes, self.typed());
        self.report.add(check);
        if self.home().await {
            self.state_and_on().await;
        } else {
            let all = ["state", "key", "leftover", "tenant"];
            self.report.wait("home", &all);
            self.report.wait("home", &ON_THE_TENANT);
            self.report.wait("home", &["backup", "sidecar"]);
        }
        self.clients().await;
        self.report
    }

    /// Home and disk; whether there is a home to look into.
    async fn home(&mut self) -> bool {
        let home = &self.patient.home;
        let place = home.clone();
        let looked = self
            .within(LOCAL, move || (home::look(&place), disk::look(&place)))
            .await;
        let Some((folder, disk)) = looked else {
            self.late("home");
            return false;
        };
        let folder = home::judge(&folder, home, self.typed(), self.patient.has_env_store());
        let usable = self.report.add(folder);
        self.report.add(disk::judge(disk.as_ref(), home));
        usable
    }

    async fn state_and_on(&mut self) {
        let (opened, found) = self.open_and_find().await;
        let state = self.state(opened);
        match found {
            None => self.environment(state).await,
            Some(found) => self.vault(state, found).await,
        }
    }

    /// The state file and the key, at the same time; no key where the store comes from the environment.
    async fn open_and_find(&self) -> (Option<OpenedState>, Option<Option<FoundKey>>) {
        let (slot, sources) = (self.patient.slot.clone(), self.patient.keys.clone());
        let opening = self.within(LOCAL, move || state::look(&slot));
        if self.patient.has_env_store() {
            return (opening.await, None);
        }
        let finding = self.within(FINDING_THE_KEY, move || key::look(&sources));
        let (opened, found) = tokio::join!(opening, finding);
        (opened, Some(found))
    }

    fn state(&mut self, opened: Option<OpenedState>) -> File {
        let Some((facts, state)) = opened else {
            self.late("state");
            return File::Unusable;
        };
        let home = &self.patient.home;
        let now = self.patient.clock.now();
        let check = state::judge(
            &facts,
            home,
            self.typed(),
            self.patient.has_env_store(),
            now,
        );
        let is_missing = matches!(facts, state::StateFacts::Missing);
        match (self.report.add(check), state) {
            (true, Some(state)) => File::Open(state),
            (true, None) if is_missing => File::NotYet,
            _ => File::Unusable,
        }
    }

    /// The store comes from the environment: there is no vault to look into.
    async fn environment(&mut self, file: File) {
        for id in ["key", "tenant", "vault"] {
            let words =
                "not used: the store comes from ORDERDESK_MCP_STORE_ID and ORDERDESK_MCP_API_KEY";
            self.report.add(Check::fine(id, words));
        }
        let access = self.config.store.clone();
        self.ask(access.map(|access| (None, access)).into_iter().collect())
            .await;
        match file {
            File::Open(state) => {
                self.audit(&state, Chain::Env, None, false).await;
                self.backup(true).await;
                self.sidecar(Some(&state)).await;
            }
            File::NotYet => {
                self.report.add(Check::fine("audit", "no records yet"));
                self.report
                    .add(writes::judge(&Ok(Vec::new()), self.typed()));
                self.backup(false).await;
                self.sidecar(None).await;
            }
            File::Unusable => {
                self.report.wait("state", &["audit", "writes", "sidecar"]);
                self.backup(true).await;
            }
        }
    }

    async fn vault(&mut self, file: File, found: Option<FoundKey>) {
        let is_made = !matches!(file, File::NotYet);
        let state = match file {
            File::Open(state) => Some(state),
            File::NotYet | File::Unusable => None,
        };
        let lost = self.lost(state.as_ref()).await;
        let key_is_there = match found {
            Some(found) => {
                self.report
                    .add(key::judge(&found, &lost, &self.patient.home, self.typed()))
            }
            None => self.late("key"),
        };
        match (&state, key_is_there) {
            (Some(state), true) => self.tenant(state, &lost).await,
            (_, key_is_there) => {
                let cause = if key_is_there { "state" } else { "key" };
                self.report.wait(cause, &["leftover", "tenant"]);
                self.report.wait(cause, &ON_THE_TENANT);
            }
        }
        self.backup(is_made).await;
        match &state {
            Some(state) => self.sidecar(Some(state)).await,
            None => self.report.wait("state", &["sidecar"]),
        }
    }

    async fn lost(&self, state: Option<&State>) -> Lost {
        let (Some(state), home) = (state.cloned(), self.patient.home.clone()) else {
            return Lost::default();
        };
        self.within(LOCAL, move || lost::look(&state, &home))
            .await
            .unwrap_or_default()
    }

    async fn tenant(&mut self, state: &State, lost: &Lost) {
        let home = &self.patient.home;
        let had_next = key::has_next(home);
        let vault = self.patient.vault();
        let asked = vault.clone();
        let looked = self
            .within(FINDING_THE_KEY, move || {
                let tenant = asked.tenant();
                let opened = tenant.is_ok().then(|| tenant::open_all(&asked));
                (tenant, opened)
            })
            .await;
        let Some((tenant, opened)) = looked else {
            self.late("tenant");
            self.report.wait("tenant", &["leftover"]);
            self.report.wait("tenant", &ON_THE_TENANT);
            return;
        };
        self.report.add(tenant::judge(&tenant, lost, self.typed()));
        let left = key::look_again(home, had_next);
        let check = key::judge_leftover(left, tenant.is_ok(), home, self.typed());
        self.report.add(check);
        self.key_id = tenant.as_ref().ok().map(|tenant| tenant.key_id.to_string());
        match (tenant, opened) {
            (Ok(tenant), Some(opened)) => self.unlocked(state, &vault, &tenant, opened).await,
            _ => self.report.wait("tenant", &ON_THE_TENANT),
        }
    }

    async fn unlocked(
        &mut self,
        state: &State,
        vault: &Vault,
        tenant: &Tenant,
        opened: Result<Vec<Opened>, VaultError>,
    ) {
        self.report.add(tenant::judge_seals(
            &opened,
            self.config.wanted.as_deref(),
            self.typed(),
        ));
        let seals_open = opened
            .as_ref()
            .is_ok_and(|all| all.iter().all(|one| one.key.is_ok()));
        let stores = opened.unwrap_or_default().into_iter();
        let accesses = stores.filter_map(|one| {
            let access = Access {
                tenant: Arc::clone(&tenant.id),
                base_url: one.store.base_url,
                store_id: one.store.store_id,
                api_key: one.key.ok()?,
            };
            Some((Some(one.store.name), access))
        });
        self.ask(accesses.collect()).await;
        let own = Chain::Tenant(tenant.id.to_string());
        self.audit(state, own, Some(vault.clone()), seals_open)
            .await;
    }

    /// Asks every store once, and judges what that shows.
    async fn ask(&mut self, accesses: Vec<(Option<String>, Access)>) {
        const ALL: [&str; 3] = ["api", "credentials", "clock"];
        if !self.config.mistakes.is_empty() {
            // With mistakes in the settings nothing is ever sent to a shop.
            return self.report.wait("settings", &ALL);
        }
        if accesses.is_empty() {
            return self.report.wait("vault", &ALL);
        }
        let door = Door {
            config: &self.config.desk,
            slot: &self.patient.slot,
            clock: &self.patient.clock,
            left: self.left(),
        };
        let probed = probe::all(&door, accesses).await;
        let typed = &self.patient.typed;
        let wanted = self.patient.address();
        let api = stores::judge_api(&probed, wanted.as_ref(), typed);
        self.report.add(api);
        let answered: Vec<Probed> = probed.into_iter().filter(Probed::has_answer).collect();
        if answered.is_empty() {
            return self.report.wait("api", &ALL[1..]);
        }
        self.report.add(stores::judge_credentials(&answered, typed));
        self.report.add(stores::judge_clock(&answered));
    }

    async fn audit(&mut self, state: &State, own: Chain, vault: Option<Vault>, seals_open: bool) {
        let (file, chain) = (state.clone(), own.clone());
        let open_writes = self.within(LOCAL, move || writes::look(&file, &chain));
        let open_writes = open_writes.await;
        let (state, home) = (state.clone(), self.patient.home.clone());
        let verified = self
            .within(LONGEST, move || {
                audit::look(&state, &home, &own, vault.as_ref(), seals_open)
            })
            .await;
        let check = match verified {
            Some(facts) => audit::judge(&facts, self.typed()),
            None => Check::warning(
                "audit",
                "the chains are too long to be verified here",
                Hint::run(
                    "verify them without a limit",
                    self.typed().command("audit verify"),
                ),
            ),
        };
        self.report.add(check);
        match open_writes {
            Some(facts) => {
                let check = writes::judge(&facts, self.typed());
                self.report.add(check);
            }
            None => {
                self.late(writes::ID);
            }
        }
    }

    /// Of a home whose state file is damaged this matters most. `is_made`: there is, or was, something to back up.
    async fn backup(&mut self, is_made: bool) {
        let home = self.patient.home.clone();
        let Some(facts) = self.within(LOCAL, move || backup::look(&home)).await else {
            self.late(backup::ID);
            return;
        };
        if !is_made && facts == backup::BackupFacts::Nothing {
            self.report
                .add(Check::fine(backup::ID, "nothing to back up yet"));
            return;
        }
        let sealed = if self.patient.has_env_store() {
            backup::Sealed::Nothing
        } else {
            backup::Sealed::WithKey(self.key_id.as_deref())
        };
        let (home, now) = (&self.patient.home, self.patient.clock.now());
        let check = backup::judge(&facts, sealed, home, self.typed(), now);
        self.report.add(check);
    }

    async fn sidecar(&mut self, state: Option<&State>) {
        let home = self.patient.home.clone();
        let (state, user_home) = (
            state.cloned(),
            self.patient.places.home().map(Path::to_owned),
        );
        let look = move || sidecar::look(state.as_ref(), &home, user_home.as_deref());
        let Some(facts) = self.within(LOCAL, look).await else {
            self.late("sidecar");
            return;
        };
        let home = &self.patient.home;
        let check = sidecar::judge(&facts, home, self.typed());
        self.report.add(check);
    }

    async fn clients(&mut self) {
        let (places, home) = (self.patient.places.clone(), self.patient.home.clone());
        let program = self.typed().program().to_owned();
        let look = move || clients::look(&places, &program, &home);
        match self.within(LOCAL, look).await {
            Some(facts) => {
                let check = clients::judge(&facts, self.typed());
                self.report.add(check);
            }
            None => {
                self.late("clients");
            }
        }
    }

    /// Runs `look` on a thread where it may block; `None` if it has not ended in time.
    async fn within<T: Send + 'static>(
        &self,
        most: Duration,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let looking = tokio::task::spawn_blocking(look);
        timeout(most.min(self.left()), looking).await.ok()?.ok()
    }

    fn late(&mut self, id: &'static str) -> bool {
        let hint = Hint::run(
            "look again when the machine is less busy",
            self.typed().command("doctor"),
        );
        let summary = "gave no answer in time: a disk, a keyring or another process holds it up";
        self.report.add(Check::error(id, summary, hint))
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn typed(&self) -> &Typed {
        &self.patient.typed
    }
}
