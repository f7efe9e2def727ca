//! Which source the master key comes from, and whether an interrupted rotation has left something behind.

use shared::paths::Home;

use super::lost::Lost;
use super::typed::path;
use super::{Check, Hint, Typed};
use crate::vault::{KeyLock, KeySource, Sources, VaultError};

const ID: &str = "key";
const LEFTOVER: &str = "leftover";

/// The first source that exists, or what is wrong with it.
pub(super) fn look(sources: &Sources) -> Result<KeySource, VaultError> {
    sources.find().map(|found| found.source)
}

/// `lost`: what is known about the key that this home was set up with, should the one that was found be none.
pub(super) fn judge(
    found: &Result<KeySource, VaultError>,
    lost: &Lost,
    home: &Home,
    typed: &Typed,
) -> Check {
    let error = match found {
        Ok(source) => return Check::fine(ID, won(source, home)),
        Err(error) => error,
    };
    let hint = match error {
        VaultError::NoKey if lost.in_use => lost.bring(false, typed),
        VaultError::NoKey => Hint::run("make one", typed.command("init")),
        VaultError::KeyFile { fix, .. } => repair(fix, typed),
        VaultError::BadKey { source, .. } => bad(source, error, lost, typed),
        VaultError::KeyLocked { .. } => {
            let hint = Hint::run(
                "wait until it has ended, then look again",
                typed.command("doctor"),
            );
            return Check::warning(ID, error.to_string(), hint);
        }
        _ => Hint::run(
            format!("{}; then look again", plain(&error.hint())),
            typed.command("doctor"),
        ),
    };
    Check::error(ID, error.to_string(), hint)
}

/// Which source won, and over which: two keys are one too many to remember.
fn won(source: &KeySource, home: &Home) -> String {
    let is_passed_over = !source.is_ours() && home.master_key().exists();
    let over = if is_passed_over {
        "; `master.key` in the home folder is not used"
    } else {
        ""
    };
    format!("comes from {source}{over}")
}

/// A remedy of the vault is a command where one is enough, else words.
fn repair(fix: &str, typed: &Typed) -> Hint {
    let is_command = ["chmod ", "chown ", "sudo chown "]
        .iter()
        .any(|start| fix.starts_with(start));
    if is_command {
        Hint::run("close it to others", fix)
    } else {
        Hint::run(
            format!("{}; then look again", plain(fix)),
            typed.command("doctor"),
        )
    }
}

fn bad(source: &KeySource, error: &VaultError, lost: &Lost, typed: &Typed) -> Hint {
    if source.is_ours() {
        return lost.bring(true, typed);
    }
    Hint::run(
        format!("{}; then look again", plain(&error.hint())),
        typed.command("doctor"),
    )
}

/// Backticks belong to the command.
pub(super) fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// What is left of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// Nothing.
    Nothing,
    /// There was a new key, and looking at the tenant has put it in place.
    Healed,
    /// A rotation is at work.
    UnderWay,
    /// A new key that nobody ends with.
    Stale,
}

/// `was_there` was asked before the tenant was looked for: finding the tenant ends an interrupted rotation.
pub(super) fn look_again(home: &Home, was_there: bool) -> Leftover {
    let is_there = has_next(home);
    match (was_there, is_there) {
        (false, false) => Leftover::Nothing,
        (true, false) => Leftover::Healed,
        (_, true) => match KeyLock::take(home, "doctor") {
            Err(VaultError::KeyLocked { .. }) => Leftover::UnderWay,
            // Asked again under the lock: the rotation may have ended meanwhile.
            _ if has_next(home) => Leftover::Stale,
            _ => Leftover::Nothing,
        },
    }
}

pub(super) fn has_next(home: &Home) -> bool {
    home.master_key_next().symlink_metadata().is_ok()
}

/// `opens`: the key that was found has a tenant, so that the one left over is of no use.
pub(super) fn judge_leftover(left: Leftover, opens: bool, home: &Home, typed: &Typed) -> Check {
    let next = home.master_key_next();
    let shown = next.display();
    match left {
        Leftover::Nothing => Check::fine(LEFTOVER, "no key rotation was interrupted"),
        Leftover::Healed => Check::fine(
            LEFTOVER,
            "a key rotation had been interrupted after it was committed; its new key is in place now",
        ),
        Leftover::UnderWay => Check::fine(LEFTOVER, "a key rotation is under way"),
        Leftover::Stale if opens => Check::warning(
            LEFTOVER,
            format!(
                "`{shown}` is left from a key rotation that was interrupted before it was committed; the old key counts"
            ),
            Hint::run("remove it", format!("{} {}", remove(), path(&next))),
        ),
        Leftover::Stale => Check::warning(
            LEFTOVER,
            format!(
                "`{shown}` is left from an interrupted key rotation, and neither it nor `master.key` has a tenant here"
            ),
            Hint::run(
                "keep both until the right key is found; where this one stands",
                typed.command("key show-id"),
            ),
        ),
    }
}

fn remove() -> &'static str {
    if cfg!(windows) { "del" } else { "rm" }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::Level;
    use super::*;

    fn typed() -> Typed {
        Typed::new(None, Path::new("/exe"), &Home::at("/h"), None)
    }

    fn judged(error: VaultError, in_use: bool) -> Check {
        let lost = Lost { in_use, kept: None };
        judge(&Err(error), &lost, &Home::at("/h"), &typed())
    }

    fn command(check: Check) -> String {
        check.hint.unwrap().command.unwrap()
    }

    #[test]
    fn the_source_that_won_is_named_and_what_it_won_over() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let judged_ok = |source, home: &Home| judge(&Ok(source), &Lost::default(), home, &typed());
        let check = judged_ok(KeySource::HomeFile, &home);
        assert_eq!(check.summary, "comes from `master.key` in the home folder");
        let check = judged_ok(KeySource::Environment, &home);
        assert_eq!(
            check.summary,
            "comes from the environment (ORDERDESK_MCP_MASTER_KEY)"
        );
        std::fs::write(home.master_key(), "x").unwrap();
        let check = judged_ok(KeySource::Environment, &home);
        assert!(
            check
                .summary
                .ends_with("; `master.key` in the home folder is not used")
        );
    }

    #[test]
    fn a_missing_key_is_made_unless_stores_are_sealed_with_one() {
        assert_eq!(command(judged(VaultError::NoKey, false)), "/exe init");
        let lost = judged(VaultError::NoKey, true);
        assert_eq!(command(lost), "/exe key import FILE");
    }

    #[test]
    fn a_file_with_wrong_permissions_is_mended_by_the_vaults_own_command() {
        let refused = |fix: &str| VaultError::KeyFile {
            path: PathBuf::from("/h/master.key"),
            why: "can be read by others (mode 0644)".to_owned(),
            fix: fix.to_owned(),
        };
        let open = judged(refused("chmod 600 /h/master.key"), true);
        assert_eq!(
            open.summary,
            "the key file `/h/master.key` can be read by others (mode 0644)"
        );
        assert_eq!(command(open), "chmod 600 /h/master.key");
        let words = judged(refused("write the key, and nothing else, into it"), true);
        assert_eq!(command(words), "/exe doctor");
    }

    #[test]
    fn a_key_that_somebody_is_changing_is_a_warning() {
        let who = "key rotate, process 7".to_owned();
        assert_eq!(
            judged(VaultError::KeyLocked { who }, true).level,
            Level::Warning
        );
    }

    #[test]
    fn a_leftover_is_removed_only_when_the_other_key_opens() {
        let home = Home::at("/h");
        let judged = |left, opens| judge_leftover(left, opens, &home, &typed());
        for fine in [Leftover::Nothing, Leftover::Healed, Leftover::UnderWay] {
            assert!(judged(fine, true).ok);
        }
        assert_eq!(
            command(judged(Leftover::Stale, true)),
            format!("{} /h/master.key.next", remove())
        );
        assert_eq!(command(judged(Leftover::Stale, false)), "/exe key show-id");
    }

    #[test]
    fn a_leftover_is_told_apart_from_a_rotation_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        assert_eq!(look_again(&home, false), Leftover::Nothing);
        assert_eq!(look_again(&home, true), Leftover::Healed);
        std::fs::write(home.master_key_next(), "x").unwrap();
        assert_eq!(look_again(&home, true), Leftover::Stale);
        let _rotating = KeyLock::take(&home, "key rotate").unwrap();
        assert_eq!(look_again(&home, true), Leftover::UnderWay);
    }
}
