//! The settings of backups, of recovery to a moment, and of the upkeep of the state file.
//!
//! Here: rows of the catalogue. Not here: what a target, a key or a schedule may look like (`env::backup`), and obeying (the sidecar).

use super::{DAY_MS, HOUR_MS, SECOND_MS};
use crate::env::kind::Kind;
use crate::env::setting::{Owner, Preset, Setting};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// How many backups one rule may keep.
const KEEP: Kind = Kind::Count {
    min: 0,
    max: 10_000,
};

/// From `min_ms` up to ten years.
const fn up_to_ten_years(min_ms: u64) -> Kind {
    Kind::Duration {
        min_ms,
        max_ms: 3_653 * DAY_MS,
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "backup_targets",
        kind: Kind::Targets,
        preset: Preset::Same("local"),
        owner: Owner::Sidecar,
        help: "Where backups go; each backup goes to all of them. `local` is `backups` in the home folder: it helps against a mistake, not against a dead \
               disk. Clouds take their credentials from their own variables (`AWS_…`, `AZURE_…`, `GOOGLE_…`), never from the URL.",
    },
    Setting {
        key: "backup_recipients",
        kind: Kind::Recipients,
        preset: Preset::Unset,
        owner: Owner::Sidecar,
        help: "Public keys that backups are encrypted to; the owner of any one of them can restore. The machine that makes backups cannot read them then. \
               `age-keygen -o backup.key` makes a pair; keep the file elsewhere. Without recipients a backup is compressed only: API keys in it stay sealed, \
               the audit and the ids of orders are readable.",
    },
    Setting {
        key: "backup_schedule",
        kind: Kind::Schedule,
        preset: Preset::Same("1h"),
        owner: Owner::Sidecar,
        help: "When the sidecar makes a backup: every so often, or by a cron expression in this machine's time zone. Up to a tenth of the interval, and at most 5 minutes, are added, the \
               same for every run of this home, so that many machines do not ask one target at once. What was missed while the machine slept is \
               made up for once. `off` leaves it to `ops-sidecar backup run`.",
    },
    Setting {
        key: "backup_keep_last",
        kind: KEEP,
        preset: Preset::Same("3"),
        owner: Owner::Sidecar,
        help: "How many of the newest backups are kept, whatever their hour: one made by hand is not displaced by the next. The five rules add up; \
               a backup stays as long as one of them wants it, and the newest good one always stays. With all five at 0 nothing is removed.",
    },
    Setting {
        key: "backup_keep_hourly",
        kind: KEEP,
        preset: Preset::Same("24"),
        owner: Owner::Sidecar,
        help: "Of how many hours that have a backup (UTC) the newest one is kept.",
    },
    Setting {
        key: "backup_keep_daily",
        kind: KEEP,
        preset: Preset::Same("7"),
        owner: Owner::Sidecar,
        help: "The same for days (UTC).",
    },
    Setting {
        key: "backup_keep_weekly",
        kind: KEEP,
        preset: Preset::Same("5"),
        owner: Owner::Sidecar,
        help: "The same for weeks, which begin on Monday.",
    },
    Setting {
        key: "backup_keep_monthly",
        kind: KEEP,
        preset: Preset::Same("12"),
        owner: Owner::Sidecar,
        help: "The same for months (UTC).",
    },
    Setting {
        key: "backup_allow_unencrypted",
        kind: Kind::Flag,
        preset: Preset::Same("false"),
        owner: Owner::Sidecar,
        help: "Permits targets on other machines without `backup_recipients`: whoever can read the target then reads the audit and the ids of orders.",
    },
    Setting {
        key: "backup_identity_file",
        kind: Kind::Path,
        preset: Preset::Unset,
        owner: Owner::Sidecar,
        help: "A file with a secret key of `age`, with which the sidecar restores the newest backup into a scratch file on schedule and compares. Only a \
               machine that may read its own backups should have one; without it, do the drill by hand: `ops-sidecar backup drill --identity FILE`.",
    },
    Setting {
        key: "backup_drill_every",
        kind: up_to_ten_years(HOUR_MS),
        preset: Preset::Same("7d"),
        owner: Owner::Sidecar,
        help: "How often that trial restore is made. What is encrypted cannot be tried without an identity: then the age of the last trial by hand counts.",
    },
    Setting {
        key: "pitr",
        kind: Kind::Flag,
        preset: Preset::Same("true"),
        owner: Owner::Sidecar,
        help: "Recovery to a moment: what changed is kept, second by second, beside the backups. Costs a read of the whole state file in each second \
               in which something changed (6 ms for 22 MB), and some disk.",
    },
    Setting {
        key: "pitr_remote_interval",
        kind: Kind::Duration {
            min_ms: SECOND_MS,
            max_ms: HOUR_MS,
        },
        preset: Preset::Same("10s"),
        owner: Owner::Sidecar,
        help: "How often what changed goes to targets on other machines: so much may be lost with this one. Each time is a request that clouds charge for.",
    },
    Setting {
        key: "pitr_keep_seconds",
        kind: up_to_ten_years(60 * SECOND_MS),
        preset: Preset::Same("24h"),
        owner: Owner::Sidecar,
        help: "How far back every second can be restored; on other machines, every `pitr_remote_interval`.",
    },
    Setting {
        key: "pitr_keep_minutes",
        kind: up_to_ten_years(HOUR_MS),
        preset: Preset::Same("7d"),
        owner: Owner::Sidecar,
        help: "How far back every minute can be restored.",
    },
    Setting {
        key: "pitr_keep_hours",
        kind: up_to_ten_years(DAY_MS),
        preset: Preset::Same("31d"),
        owner: Owner::Sidecar,
        help: "How far back every hour can be restored.",
    },
    Setting {
        key: "pitr_spool_max",
        kind: Kind::Bytes {
            min: MIB,
            max: 1024 * GIB,
        },
        preset: Preset::Same("256MiB"),
        owner: Owner::Sidecar,
        help: "How much of what changed may wait on this machine for a target that is away. When it is full the finest steps are dropped first.",
    },
    Setting {
        key: "disk_warn_percent",
        kind: Kind::Count { min: 1, max: 100 },
        preset: Preset::Same("80"),
        owner: Owner::Sidecar,
        help: "From which used share of the home's disk, as `df` shows it, the sidecar warns (`disk.filling`). On a large disk a higher one is in order; \
               under 64 MB left it says `disk.full`, whatever stands here.",
    },
    Setting {
        key: "disk_fail_percent",
        kind: Kind::Count { min: 1, max: 100 },
        preset: Preset::Same("90"),
        owner: Owner::Sidecar,
        help: "From which used share somebody should look at once (`disk.nearly_full`).",
    },
    Setting {
        key: "ballast",
        kind: Kind::Bytes { min: 0, max: GIB },
        preset: Preset::Same("16MiB"),
        owner: Owner::Sidecar,
        help: "Space kept in reserve in the home folder. When the disk is full, even deleting from the state file needs some: the sidecar then gives this back. \
               `0` keeps none.",
    },
];
