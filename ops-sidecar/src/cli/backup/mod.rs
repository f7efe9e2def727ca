//! `ops-sidecar backup …`: making, listing, proving and giving back, by hand.
//!
//! Here: the words of the command line, and what each command stands on. Each command is one file that prints what a room did; none decides
//! what a good backup is. All of it works with the daemon up and down, and without a terminal.

mod keys;
mod list;
mod make;
mod prove;
mod prune;
mod restore;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use shared::clock::{self, SystemClock};
use shared::env::Vars;
use shared::state::Slot;
use tokio::runtime::Runtime;
use tokio::signal::unix::SignalKind;

use self::keys::KeyArgs;
use super::{Usage, start_log};
use crate::backup::{BackupId, Room};
use crate::config::{Config, ConfigError, Flags};

/// 25 on Linux and macOS.
const SIGXFSZ: i32 = 25;

/// What `ops-sidecar backup` can do.
#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Make a backup now; exit 0 only if it was read back and compared on every target.
    #[command(after_help = RUN_HELP)]
    Run {
        /// For programs: one object on one line.
        #[arg(long)]
        json: bool,
    },
    /// What can be restored, newest first: backups, and the copies that this machine keeps.
    #[command(after_help = LIST_HELP)]
    List {
        /// Only the backups that this target has, by its name in the settings.
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
        /// The moments that can be restored, besides whole backups.
        #[arg(long)]
        points: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Read backups back and prove what can be proven of them; exit 1 if anything is bad.
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Give the state file back as it was: checked first, then put in place while nobody has it open.
    #[command(after_help = RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Remove the backups that no rule keeps; never the newest good one.
    Prune {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Restore the newest backup and the newest moment into a scratch file, compare, and note how long it took.
    #[command(after_help = DRILL_HELP)]
    Drill {
        #[command(flatten)]
        keys: KeyArgs,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

/// Which backups to prove.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).args(["id", "latest", "all", "pitr"]))]
pub(super) struct VerifyArgs {
    /// This one.
    #[arg(long, value_name = "ID")]
    id: Option<BackupId>,
    /// The newest.
    #[arg(long)]
    latest: bool,
    /// Each of them.
    #[arg(long)]
    all: bool,
    /// What recovery to a moment stands on.
    #[arg(long)]
    pitr: bool,
    #[command(flatten)]
    keys: KeyArgs,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// What to restore, and where to.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).args(["id", "at", "latest", "kept"]))]
pub(super) struct RestoreArgs {
    /// This backup.
    #[arg(long, value_name = "ID")]
    id: Option<BackupId>,
    /// The newest state at or before this moment.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// The newest state there is.
    #[arg(long)]
    latest: bool,
    /// What this machine kept when the state file was replaced or its schema moved; `list` shows the names.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["identity", "passphrase_file", "target"])]
    kept: Option<String>,
    /// Count --at within this line of increments only, for moments that a wrong clock named; `list --points` shows lines.
    #[arg(long, value_name = "LINE", conflicts_with_all = ["id", "latest", "kept"])]
    line: Option<String>,
    /// Leave it in this new file and touch nothing else.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    /// Only from this target, by its name in the settings.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Also if the present state file has something that the backup has not. It is kept aside in any case.
    #[arg(long, conflicts_with = "to")]
    force: bool,
    /// How long to wait for those who have the state file open, for example 30s.
    #[arg(long, value_name = "DURATION", default_value = "5s", conflicts_with = "to", value_parser = duration)]
    wait: Duration,
    /// For programs.
    #[arg(long)]
    json: bool,
}

const RUN_HELP: &str = "Works with the sidecar running or not, and from cron. For example:
  ops-sidecar backup run
  ops-sidecar backup run --json | tail -n 1";

const LIST_HELP: &str = "A target that does not answer is named and does not keep the others from being listed; exit 1 if none answers.";

const VERIFY_HELP: &str = "Without an identity every byte is read back and compared with what was written; only with one, or if the backup is not encrypted, is it also opened and compared like a restored one, which counts as a drill. For example:
  ops-sidecar backup verify --latest
  ops-sidecar backup verify --all --identity ~/backup-identity.txt";

const RESTORE_HELP: &str = "TIME is a moment (2026-11-21T15:00:00Z), a time of this machine's clock (\"2026-11-21 15:00\", 15:00) or how long ago (10m, \"2h ago\").
Close the assistants and stop the sidecar first: as long as one has the state file open, nothing is put in place. For example:
  ops-sidecar backup restore --latest --identity ~/backup-identity.txt
  ops-sidecar backup restore --at \"10m ago\" --to /tmp/state-as-it-was.db
  ops-sidecar backup restore --kept before-restore-20261121T150000Z.db --force";

const DRILL_HELP: &str =
    "Touches nothing that is in use. Exit 1 if the backup is not what it claims to be.";

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "write a time span such as `30s` or `2m`".to_owned())?;
    Duration::try_from(span).map_err(|_| "a wait cannot be negative".to_owned())
}

/// A command, from settings read to the exit code.
pub(super) fn execute(
    command: &BackupCommand,
    flags: &Flags,
    vars: &Vars,
) -> anyhow::Result<ExitCode> {
    let config = load(command, flags, vars)?;
    start_log(&config.settings);
    let runtime = runtime()?;
    let _entered = runtime.enter();
    // A file-size limit or quota would otherwise kill the process instead of failing the write.
    let _file_size = tokio::signal::unix::signal(SignalKind::from_raw(SIGXFSZ))
        .context("cannot listen for signals")?;
    let slot = Slot::new(config.home.clone());
    let room = Room::open(
        &slot,
        &config.backup,
        runtime.handle(),
        SystemClock::shared(),
    )?;
    match command {
        BackupCommand::Run { json } => make::run(&room, *json),
        BackupCommand::List {
            target,
            points,
            json,
        } => {
            let shows_kept = target.is_none();
            list::list(&only(room, target.as_deref())?, *points, shows_kept, *json)
        }
        BackupCommand::Verify(args) => {
            if args.pitr {
                restore::deliver_first(&room);
            }
            prove::verify(&room, args)
        }
        BackupCommand::Restore(args) => {
            if args.id.is_none() && args.kept.is_none() {
                restore::deliver_first(&room);
            }
            restore::restore(&only(room, args.target.as_deref())?, args)
        }
        BackupCommand::Prune { dry_run, json } => prune::prune(&room, *dry_run, *json),
        BackupCommand::Drill { keys, json } => prove::drill(&room, keys, *json),
    }
}

/// Whoever only reads backups needs nobody to encrypt to, and keeps none: on a machine that lost everything, the targets and a secret key are
/// enough.
fn load(command: &BackupCommand, flags: &Flags, vars: &Vars) -> Result<Config, ConfigError> {
    let (config, mut mistakes) = Config::load_anyway(flags, vars)?;
    if !matches!(command, BackupCommand::Run { .. }) {
        let backup = &config.backup;
        let of_writers = [
            backup.in_the_clear(&config.settings),
            backup.too_many_moments(),
        ];
        mistakes.retain(|mistake| !of_writers.iter().flatten().any(|other| other == mistake));
    }
    if mistakes.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError::Mistakes(mistakes))
    }
}

/// The clouds' clients run on it while the command waits.
fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// The room with one target, if one was named.
fn only(mut room: Room, name: Option<&str>) -> Result<Room, Usage> {
    let Some(name) = name else { return Ok(room) };
    let known = room.target_names().join("`, `");
    room.targets.retain(|target| target.name() == name);
    if room.targets.is_empty() {
        let name = name.escape_debug();
        return Err(Usage(format!(
            "`{name}` is no backup target; hint: BACKUP_TARGETS names `{known}`"
        )));
    }
    Ok(room)
}

/// Something a person should know that is no result: to stderr.
fn remark(text: &str) {
    let mut err = std::io::stderr().lock();
    // If that is closed there is nobody left to tell.
    let _ = writeln!(err, "note: {text}");
}

/// A moment in milliseconds since 1970 as programs read it.
fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| at.to_string())
}

/// The same for people, with how long ago that was.
fn exactly(ms: i64, now_ms: i64) -> String {
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{} ({})", at(ms), clock::ago(at(ms), at(now_ms)))
}

/// Where the second is enough.
fn in_words(ms: i64, now_ms: i64) -> String {
    exactly(ms - ms.rem_euclid(1000), now_ms)
}

fn exit(fine: bool) -> ExitCode {
    if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use shared::paths::HOME_VARIABLE;

    use super::*;

    #[test]
    fn what_is_wrong_for_who_makes_backups_keeps_nobody_from_bringing_one_back() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().display().to_string();
        let load = |command: &BackupCommand, more: (&str, &str)| {
            let pairs = [
                (HOME_VARIABLE, home.as_str()),
                ("ORDERDESK_MCP_BACKUP_TARGETS", "s3://shop/backups"),
                ("ORDERDESK_MCP_PITR_KEEP_MINUTES", "365d"),
                more,
            ];
            load(command, &Flags::default(), &Vars::from_pairs(pairs))
        };
        let run = BackupCommand::Run { json: false };
        let list = BackupCommand::List {
            target: None,
            points: true,
            json: false,
        };
        let nothing = ("ORDERDESK_MCP_PITR", "true");
        let Err(ConfigError::Mistakes(mistakes)) = load(&run, nothing) else {
            panic!("two mistakes");
        };
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        assert!(load(&list, nothing).is_ok());
        let typo = ("ORDERDESK_MCP_BACKUP_SCHEDULE", "often");
        assert!(load(&list, typo).is_err());
    }
}
