//! The processes on this home: who is alive, by the lock each of them holds, and who ended without being folded yet.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use shared::session::{self, Kind};
use shared::state::State;
use shared::state::tables::sessions::{self, Row};

use super::Draft;

/// A living process says so in its row far more often than this, unless it cannot write (or the machine slept).
const SILENT_AFTER_MS: i64 = 5 * 60 * 1000;

/// Who is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessFacts {
    /// Living MCP servers.
    pub mcp_stdio: usize,
    /// Living sidecars, this one included.
    pub ops_sidecar: usize,
    /// Ended, and not folded into the totals yet.
    pub ended: usize,
    /// Tenants that living servers work for.
    pub tenants: usize,
    /// Living, but without a sign of it in the file for minutes.
    pub silent: usize,
}

/// Looks; `None` if the file cannot be read.
#[must_use]
pub fn look(state: &State) -> Option<ProcessFacts> {
    let rows = state.read("sessions_list", sessions::all).ok()?;
    let is_alive = |row: &Row| session::is_alive(state.home(), &row.id);
    Some(sort(&rows, is_alive, Timestamp::now().as_millisecond()))
}

fn sort(rows: &[Row], is_alive: impl Fn(&Row) -> bool, now_ms: i64) -> ProcessFacts {
    let mut facts = ProcessFacts::default();
    let mut tenants = BTreeSet::new();
    for row in rows {
        if !is_alive(row) {
            facts.ended += 1;
            continue;
        }
        match row.kind {
            Kind::McpStdio => facts.mcp_stdio += 1,
            Kind::OpsSidecar => facts.ops_sidecar += 1,
        }
        if now_ms.saturating_sub(row.heartbeat_ms) > SILENT_AFTER_MS {
            facts.silent += 1;
        }
        tenants.extend(&row.tenant_id);
    }
    facts.tenants = tenants.len();
    facts
}

/// What the processes amount to. Ended ones are normal: they are folded within seconds.
#[must_use]
pub fn judge(facts: &ProcessFacts) -> Vec<Draft> {
    if facts.silent == 0 {
        return Vec::new();
    }
    let summary = format!(
        "{} living processes have not written to the state file for minutes",
        facts.silent
    );
    vec![Draft::warn(
        "processes.silent",
        summary,
        "restart the assistants on this machine; their log says why they cannot write",
    )]
}

#[cfg(test)]
mod tests {
    use shared::session::SessionId;

    use super::*;

    fn row(kind: Kind, heartbeat_ms: i64) -> Row {
        Row {
            id: SessionId::random(),
            kind,
            pid: 1,
            version: "1".to_owned(),
            started_ms: 0,
            heartbeat_ms,
            client: None,
            tenant_id: None,
        }
    }

    #[test]
    fn the_lock_tells_who_is_alive_and_only_the_living_can_be_silent() {
        let rows = [
            row(Kind::McpStdio, 0),
            row(Kind::McpStdio, 1000),
            row(Kind::OpsSidecar, 1000),
        ];
        let facts = sort(&rows, |row| row.id != rows[1].id, SILENT_AFTER_MS + 1000);
        assert_eq!(
            facts,
            ProcessFacts {
                mcp_stdio: 1,
                ops_sidecar: 1,
                ended: 1,
                tenants: 0,
                silent: 1
            }
        );
        assert_eq!(judge(&facts)[0].id, "processes.silent");
    }

    #[test]
    fn a_tenant_counts_once_and_only_while_one_of_its_servers_lives() {
        let of = |tenant: &str| Row {
            tenant_id: Some(tenant.to_owned()),
            ..row(Kind::McpStdio, 0)
        };
        let rows = [of("a"), of("a"), of("b"), of("c"), row(Kind::OpsSidecar, 0)];
        assert_eq!(sort(&rows, |row| row.id != rows[3].id, 0).tenants, 2);
    }

    #[test]
    fn ended_processes_are_no_finding() {
        assert_eq!(
            judge(&ProcessFacts {
                ended: 200,
                ..ProcessFacts::default()
            }),
            []
        );
    }
}
