//! Restoring every backup of the archive, and holding it against what the writers were told.

use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::place::{Place, ids_in, ids_listed};
use crate::recovery::keeper::{Keeper, Keys};
use crate::recovery::model::{Model, Moment};
use crate::recovery::{content, file_url, moment_us};
use crate::stage::Stage;

/// What restoring everything showed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Restored {
    pub(super) backups: usize,
    pub(super) records: usize,
}

/// Restores each backup of the archive on a machine that has nothing else, and holds it against the model.
pub(super) fn restore_all(
    stage: &Stage,
    place: &Place,
    keys: Option<&Keys>,
    model: &Model,
) -> anyhow::Result<Restored> {
    let bare = stage.folder().join("bare");
    let settings = [("BACKUP_TARGETS", file_url(&place.archive))];
    let keeper = Keeper::new(stage, &bare, &settings, keys);
    let listed = ids_listed(&keeper.ask(&["backup", "list"])?)?;
    let there = ids_in(&place.archive)?;
    ensure!(
        listed == there,
        "the archive lists {listed:?}, and has manifests for {there:?}"
    );
    let mut restored = Restored::default();
    for id in &listed {
        let file = stage.folder().join("restored.db");
        let _ = std::fs::remove_file(&file);
        let records = restore_one(stage, place, &keeper, id, &file, model)
            .with_context(|| format!("backup {id}"))?;
        restored.backups += 1;
        restored.records = restored.records.max(records);
    }
    Ok(restored)
}

fn restore_one(
    stage: &Stage,
    place: &Place,
    keeper: &Keeper<'_>,
    id: &str,
    file: &Path,
    model: &Model,
) -> anyhow::Result<usize> {
    let said = keeper.restore(&["--id", id], file)?;
    ensure!(said["id"] == id, "restoring it was answered with {said}");
    let manifest = std::fs::read(place.archived(&format!("{id}.json")))?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let at = manifest["at"]
        .as_str()
        .context("the manifest has no `at`")?;
    let took_ms = manifest["took_ms"]
        .as_i64()
        .context("the manifest has no `took_ms`")?;
    let at_us = moment_us(at)?;
    let moment = Moment {
        from_us: at_us,
        until_us: at_us + 1_000 * (took_ms + 1),
    };
    let content = content::read(file)?;
    let mistakes = model.mistakes(&content, moment);
    ensure!(
        mistakes.is_empty(),
        "{} mistakes: {}",
        mistakes.len(),
        mistakes[..mistakes.len().min(5)].join("; ")
    );
    the_keys_still_open(stage, place, file)?;
    Ok(content.records.len())
}

/// With its master key beside it, the file is one that a server works with: its signatures are right and its seals open.
fn the_keys_still_open(stage: &Stage, place: &Place, file: &Path) -> anyhow::Result<()> {
    let home = stage.folder().join("revived");
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&home)?;
    std::fs::copy(file, home.join("state.db"))?;
    std::fs::copy(place.home.join("master.key"), home.join("master.key"))?;
    let home = home.to_str().context("the folder's name is no text")?;
    let mut server = stage.server_on_sealed(home)?;
    server.pipes.initialize()?;
    let answer = server
        .pipes
        .call("orders_get", r#"{"order_id":"7001001"}"#)?;
    ensure!(
        crate::client::succeeded(answer),
        "a server on it answered {answer}"
    );
    let (verified, said) = stage.command(&["--home", home, "audit", "verify"])?;
    ensure!(verified, "audit verify: {said}");
    Ok(())
}
