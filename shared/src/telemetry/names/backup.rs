//! Backups, recovery to a moment, and the upkeep of the state file itself.
//!
//! What is said of backups comes from the notes beside them, not from the state file: it is known when that file is lost, and it does not
//! fall when the sidecar starts afresh.

use super::{Metric, Owner, computed, counter};

/// When a target last got a backup that was read back and compared.
pub static BACKUP_LAST_SUCCESS: Metric = computed(
    "orderdesk_mcp_backup_last_success_timestamp_seconds",
    &["target"],
    "Time of the newest backup that was read back from a target and compared, in seconds since 1970.",
);

/// Runs of the backup.
pub static BACKUP_RUNS: Metric = totalled(
    "orderdesk_mcp_backup_runs_total",
    &["outcome"],
    "Runs of the backup, by outcome (good: on all targets, partial: on some, failed: on none).",
);

/// How often there should be one.
pub static BACKUP_INTERVAL: Metric = computed(
    "orderdesk_mcp_backup_interval_seconds",
    &[],
    "Time between two scheduled backups; absent where none are scheduled.",
);

/// Time of the last run.
pub static BACKUP_DURATION: Metric = computed(
    "orderdesk_mcp_backup_duration_seconds",
    &[],
    "Time the last run of the backup took, from the copy to the comparison on the last target.",
);

/// Size of the newest backup.
pub static BACKUP_SIZE_BYTES: Metric = computed(
    "orderdesk_mcp_backup_size_bytes",
    &[],
    "Size of the newest good backup as it lies on a target, compressed and sealed.",
);

/// Time of the last drill that succeeded.
pub static BACKUP_DRILL: Metric = computed(
    "orderdesk_mcp_backup_drill_timestamp_seconds",
    &[],
    "Time of the last drill that brought a backup back and found it equal, in seconds since 1970.",
);

/// Drills there were.
pub static BACKUP_DRILLS: Metric = totalled(
    "orderdesk_mcp_backup_drills_total",
    &["outcome"],
    "Drills, by outcome (good, failed).",
);

/// Measured time to restore.
pub static BACKUP_RESTORE_SECONDS: Metric = computed(
    "orderdesk_mcp_backup_restore_seconds",
    &[],
    "Time the last successful drill took to bring a backup back and check it: the recovery time that was measured.",
);

/// Measured loss, were this machine lost now.
pub static PITR_LAG: Metric = computed(
    "orderdesk_mcp_pitr_lag_seconds",
    &["target"],
    "Age of the oldest change that a target does not have yet, 0 while it has all: what would be lost with this machine.",
);

/// What waits for targets.
pub static PITR_SPOOL_BYTES: Metric = computed(
    "orderdesk_mcp_pitr_spool_bytes",
    &[],
    "Increments on this machine that wait for a target.",
);

/// What one target still has to get.
pub static PITR_PENDING: Metric = computed(
    "orderdesk_mcp_pitr_pending",
    &["target"],
    "Increments that wait for a target.",
);

/// What recovery to a moment has cost.
pub static PITR_SHIPPED: Metric = counter(
    "orderdesk_mcp_pitr_shipped_bytes_total",
    &["target"],
    Owner::Sidecar,
    "Bytes of increments sent to a target.",
);

/// Holes in the series of increments.
pub static PITR_GAPS: Metric = computed(
    "orderdesk_mcp_pitr_gaps",
    &["target", "state"],
    "Increments by what is known of them at a target (found, late, uploading, lost); lost ones make moments unreachable.",
);

/// How often this file was restored.
pub static STATE_RESTORE_EPOCH: Metric = computed(
    "orderdesk_mcp_state_restore_epoch",
    &[],
    "Number of restores in the history of the state file; counters may fall where it rises.",
);

/// Whether the file is sound.
pub static STATE_SOUND: Metric = computed(
    "orderdesk_mcp_state_sound",
    &[],
    "1 if the last check of the state file's pages found no damage, else 0.",
);

/// When the file was last checked.
pub static STATE_CHECKED: Metric = computed(
    "orderdesk_mcp_state_check_timestamp_seconds",
    &[],
    "Time of the last check of the state file's pages, in seconds since 1970.",
);

/// Whether the file was moved away under us.
pub static STATE_MOVED: Metric = computed(
    "orderdesk_mcp_state_moved",
    &[],
    "1 if the state file was moved, deleted or replaced while this sidecar had it open, else 0.",
);

/// Room inside of the file.
pub static STATE_FREE_BYTES: Metric = computed(
    "orderdesk_mcp_state_free_bytes",
    &[],
    "Bytes of the state file that hold nothing and are used again before it grows.",
);

/// Checkpoints of the log.
pub static STATE_CHECKPOINTS: Metric = counter(
    "orderdesk_mcp_state_checkpoints_total",
    &["outcome"],
    Owner::Sidecar,
    "Checkpoints of the state file's log by the sidecar, by outcome (done, held: a reader was in the way, failed).",
);

/// Space held in reserve.
pub static BALLAST_BYTES: Metric = computed(
    "orderdesk_mcp_ballast_bytes",
    &[],
    "Space on the disk that is held in reserve for the day it is full; 0 while it is given back.",
);

/// A counter that no process records: its total is kept in notes and shown as it stands there.
const fn totalled(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    counter(name, labels, Owner::Sidecar, help)
}

pub(super) static BACKUP: &[&Metric] = &[
    &BACKUP_LAST_SUCCESS,
    &BACKUP_RUNS,
    &BACKUP_INTERVAL,
    &BACKUP_DURATION,
    &BACKUP_SIZE_BYTES,
    &BACKUP_DRILLS,
    &BACKUP_DRILL,
    &BACKUP_RESTORE_SECONDS,
    &PITR_LAG,
    &PITR_SPOOL_BYTES,
    &PITR_PENDING,
    &PITR_SHIPPED,
    &PITR_GAPS,
    &STATE_RESTORE_EPOCH,
    &STATE_SOUND,
    &STATE_CHECKED,
    &STATE_MOVED,
    &STATE_FREE_BYTES,
    &STATE_CHECKPOINTS,
    &BALLAST_BYTES,
];
