//! The records of writes to shops, in the chain of whoever this process works for.
//!
//! Here: whose chain it is, and that a tenant's rows are signed with the key that is the newest at that moment: a rotation between intent
//! and outcome is no trouble. Not here: what is recorded and when (`desk::write`), the rows and their transactions (`shared::writes`). No
//! key leaves the vault: it hands out what signs.

use std::sync::Arc;

use shared::audit::{self, Actor, Chain, Outcome, Signer, checkpoint};
use shared::clock::Clock;
use shared::session::SessionId;
use shared::state::{Slot, State};
use shared::telemetry;
use shared::writes::turn::Turn;
use shared::writes::{self, Begun, Deed};

use crate::desk::Intent;
use crate::desk::journal::{Journal, JournalError};
use crate::vault::{TenantSigner, Vault, VaultError};

/// Writes the records of one tenant, or of the store of the environment.
#[derive(Debug)]
pub struct Records {
    slot: Slot,
    clock: Arc<dyn Clock>,
    chain: Chain,
    /// What signs a tenant's rows; the environment's store has none.
    vault: Option<Vault>,
    actor: Actor,
    /// Knows under which id the state file knows this process.
    life: Life,
}

#[derive(Debug)]
enum Life {
    Known(SessionId),
    Told(telemetry::Handle),
}

impl Records {
    /// The records of the store from the environment, by a process whose life is `actor.session`.
    #[must_use]
    pub fn of_env(slot: Slot, clock: Arc<dyn Clock>, actor: Actor) -> Records {
        Records {
            life: Life::Known(actor.session.clone()),
            chain: Chain::Env,
            vault: None,
            slot,
            clock,
            actor,
        }
    }

    /// The same by a process whose life its telemetry knows.
    pub(super) fn living(self, telemetry: telemetry::Handle) -> Records {
        Records {
            life: Life::Told(telemetry),
            ..self
        }
    }

    /// In a tenant's chain instead, signed with its key.
    pub(super) fn signed(self, tenant: &str, vault: Vault) -> Records {
        Records {
            chain: Chain::Tenant(tenant.to_owned()),
            vault: Some(vault),
            ..self
        }
    }

    fn state(&self) -> Result<State, JournalError> {
        self.slot.get().map_err(|error| error.as_ref().into())
    }

    fn signer(&self) -> Result<Option<TenantSigner>, JournalError> {
        self.vault
            .as_ref()
            .map(Vault::signer)
            .transpose()
            .map_err(unsigned)
    }

    /// Who acts now: the client as it was when the call began, the process as the state file knows it now.
    fn actor(&self) -> Actor {
        Actor {
            session: self.known().unwrap_or_else(|| self.actor.session.clone()),
            client: self.actor.client.clone(),
        }
    }

    fn known(&self) -> Option<SessionId> {
        match &self.life {
            Life::Known(session) => Some(session.clone()),
            Life::Told(telemetry) => telemetry.session_id(),
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// The chain's new end outside of the state file, so that a cut is missed. The sidecar does it within a minute, too.
    fn note_end(&self, state: &State) {
        let head = state.read("audit", |reading| audit::head(reading, &self.chain));
        if let Ok(head) = head {
            let _later = checkpoint::note(
                self.slot.home(),
                &[(self.chain.clone(), head)],
                self.now_ms(),
            );
        }
    }
}

fn unsigned(error: VaultError) -> JournalError {
    match error {
        VaultError::State(error) => error.as_ref().into(),
        error => JournalError::Unwritten {
            code: error.code(),
            why: error.to_string(),
        },
    }
}

impl Journal for Records {
    fn session(&self) -> Option<SessionId> {
        self.known()
    }

    fn begin(&self, intent: &Intent, turn: &Turn) -> Result<Begun, JournalError> {
        let (state, signer, actor) = (self.state()?, self.signer()?, self.actor());
        let deed = Deed {
            chain: &self.chain,
            actor: &actor,
            store_key: &intent.store_key,
            action: intent.action,
            target: &intent.target,
            args_shape: &intent.args_shape,
            check: &intent.check,
        };
        let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
        Ok(writes::begin(&state, &deed, turn, self.now_ms(), signer)?)
    }

    fn end(
        &self,
        begun: &Begun,
        outcome: Outcome,
        turn: Option<&Turn>,
    ) -> Result<(), JournalError> {
        let (state, signer, actor) = (self.state()?, self.signer()?, self.actor());
        let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
        let at_ms = self.now_ms();
        writes::end(&state, begun, &actor, outcome, turn, at_ms, signer)
            .map_err(|error| JournalError::from(&error))?;
        self.note_end(&state);
        Ok(())
    }
}
