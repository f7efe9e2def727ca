//! Where the cycle's things lie: the home, the target, and an archive of every backup that ever had a manifest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Plan;
use crate::recovery::file_url;
use crate::recovery::keeper::Keeper;
use crate::stage::Stage;

/// Where things lie.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) home: PathBuf,
    pub(super) target: PathBuf,
    /// Every backup that ever had a manifest.
    pub(super) archive: PathBuf,
}

impl Place {
    pub(super) fn prepare(stage: &Stage) -> anyhow::Result<Self> {
        let place = Self {
            home: stage.folder().join("shop"),
            target: stage.folder().join("target"),
            archive: stage.folder().join("archive"),
        };
        std::fs::create_dir_all(place.target.join("snapshots"))?;
        std::fs::create_dir_all(place.archive.join("snapshots"))?;
        let home = place
            .home
            .to_str()
            .context("the folder's name is no text")?;
        stage.seal_shop_in(home)?;
        Ok(place)
    }

    pub(super) fn settings(&self, plan: Plan) -> Vec<(&'static str, String)> {
        vec![
            ("BACKUP_TARGETS", file_url(&self.target)),
            // Not sooner than every 5 s, the setting says.
            (
                "BACKUP_SCHEDULE",
                format!("{}s", plan.every.as_secs().max(5)),
            ),
        ]
    }

    /// Links what has a manifest into the archive.
    pub(super) fn keep_new_ones(&self) -> anyhow::Result<()> {
        let kept = ids_in(&self.archive)?;
        for id in ids_in(&self.target)?.difference(&kept) {
            for entry in std::fs::read_dir(self.target.join("snapshots"))? {
                let (name, path) = named(&entry?);
                let is_its_file = name.starts_with(id) && !is_manifest(&name);
                // Pruned meanwhile: then its manifest is gone, too.
                if is_its_file && std::fs::hard_link(path, self.archived(&name)).is_err() {
                    break;
                }
            }
            let manifest = format!("{id}.json");
            let _ = std::fs::hard_link(
                self.target.join("snapshots").join(&manifest),
                self.archived(&manifest),
            );
        }
        Ok(())
    }

    pub(super) fn archived(&self, name: &str) -> PathBuf {
        self.archive.join("snapshots").join(name)
    }

    /// No scratch of a killed process is left in the spool.
    pub(super) fn nothing_is_left_over(&self, keeper: &Keeper<'_>) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(keeper.home.backup_spool())? {
            let (name, path) = named(&entry?);
            ensure!(!name.starts_with(".work-"), "{} is left", path.display());
        }
        Ok(())
    }

    /// What the product lists are the manifests that are there, and each has its file; how many.
    pub(super) fn nothing_is_claimed(&self, keeper: &Keeper<'_>) -> anyhow::Result<usize> {
        let listed = ids_listed(&keeper.ask(&["backup", "list"])?)?;
        let there = ids_in(&self.target)?;
        ensure!(
            listed == there,
            "listed are {listed:?}, and manifests are there for {there:?}"
        );
        Ok(listed.len())
    }
}

/// The backups that have a manifest.
pub(super) fn ids_in(target: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for entry in std::fs::read_dir(target.join("snapshots"))? {
        let (name, _) = named(&entry?);
        if is_manifest(&name) {
            ids.insert(name.trim_end_matches(".json").to_owned());
        }
    }
    Ok(ids)
}

pub(super) fn ids_listed(list: &Value) -> anyhow::Result<BTreeSet<String>> {
    let backups = list["backups"].as_array();
    let backups = backups.with_context(|| format!("`backup list --json` printed {list}"))?;
    let ids = backups.iter().map(|backup| backup["id"].as_str());
    let ids: Option<BTreeSet<String>> = ids.map(|id| id.map(str::to_owned)).collect();
    ids.context("a listed backup has no id")
}

/// A manifest with its own name: one that is still being written has another.
fn is_manifest(name: &str) -> bool {
    name.ends_with(".json") && name.len() == "20261121T214011Z-3f9a1c.json".len()
}

fn named(entry: &std::fs::DirEntry) -> (String, PathBuf) {
    (
        entry.file_name().to_string_lossy().into_owned(),
        entry.path(),
    )
}
