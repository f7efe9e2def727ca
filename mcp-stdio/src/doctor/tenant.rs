//! Whose key it is, and whether everything sealed with it opens.

use super::key::plain;
use super::lost::Lost;
use super::typed::flag;
use super::{Check, Hint, Typed};
use crate::vault::{self, StoreInfo, Tenant, Vault, VaultError};

const ID: &str = "tenant";
const VAULT: &str = "vault";

/// One store, and what its seal said.
pub(super) struct Opened {
    pub(super) store: StoreInfo,
    pub(super) key: Result<shared::secret::Secret, VaultError>,
}

/// Opens every seal of the tenant.
pub(super) fn open_all(vault: &Vault) -> Result<Vec<Opened>, VaultError> {
    let stores = vault.stores()?;
    let opened = stores.into_iter().map(|store| Opened {
        key: vault.open(&store),
        store,
    });
    Ok(opened.collect())
}

/// `lost` as for the key.
pub(super) fn judge(tenant: &Result<Tenant, VaultError>, lost: &Lost, typed: &Typed) -> Check {
    let error = match tenant {
        Ok(tenant) => {
            let summary = format!(
                "`{}` (key `{}`, version {})",
                tenant.name, tenant.key_id, tenant.key_version
            );
            return Check::fine(ID, summary);
        }
        Err(error) => error,
    };
    let hint = match error {
        VaultError::NoTenant { source, .. } if lost.in_use && source.is_ours() => {
            lost.bring(true, typed)
        }
        VaultError::NoTenant { source, .. } if lost.in_use => Hint::run(
            format!(
                "this home was set up with another key: put that one into {}, then look again; or, for a new tenant beside the old one, type init",
                plain(&source.to_string())
            ),
            typed.command("doctor"),
        ),
        VaultError::NoTenant { .. } => Hint::run(
            "set this home up with it; if its `state.db` was deleted or moved, put that back or restore it instead (ops-sidecar backup restore)",
            typed.command("init"),
        ),
        VaultError::KeyLocked { .. } => {
            let hint = Hint::run(
                "wait until it has ended, then look again",
                typed.command("doctor"),
            );
            return Check::warning(ID, error.to_string(), hint);
        }
        VaultError::SealBroken { .. } => {
            Hint::run(plain(&error.hint()), typed.command("audit verify"))
        }
        _ => Hint::run(
            format!("{}; then look again", plain(&error.hint())),
            typed.command("doctor"),
        ),
    };
    Check::error(ID, error.to_string(), hint)
}

/// A broken seal is a row that somebody edited: of such a row neither the address nor the id is believed.
/// `wanted` is the store that the setting `STORE` names.
pub(super) fn judge_seals(
    opened: &Result<Vec<Opened>, VaultError>,
    wanted: Option<&str>,
    typed: &Typed,
) -> Check {
    let all = match opened {
        Ok(all) => all,
        Err(error) => {
            let hint = Hint::run(plain(&error.hint()), typed.command("audit verify"));
            return Check::error(VAULT, error.to_string(), hint);
        }
    };
    let broken = |one: &&Opened| one.key.is_err();
    let Some(first) = all.iter().find(broken) else {
        return sound(all, wanted, typed);
    };
    let Err(error) = &first.key else {
        return sound(all, wanted, typed);
    };
    let more = match all.iter().filter(broken).count() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Check::error(
        VAULT,
        format!("{error}{more}"),
        Hint::run(
            "add the store again with its id (STORE_ID) and API key, which is asked for; and find out who changed the file: audit verify",
            typed.command(&format!(
                "store add --replace {} --id STORE_ID",
                flag("--name", &first.store.name)
            )),
        ),
    )
}

fn sound(all: &[Opened], wanted: Option<&str>, typed: &Typed) -> Check {
    let stores: Vec<StoreInfo> = all.iter().map(|one| one.store.clone()).collect();
    if stores.is_empty() {
        let hint = Hint::run(
            "add one; its API key is asked for",
            typed.command("store add --name NAME --id STORE_ID"),
        );
        return Check::warning(VAULT, "no store yet", hint);
    }
    if let Some(Err(error)) = wanted.map(|wanted| vault::find(&stores, wanted)) {
        let hint = Hint::run(
            "correct the setting STORE; the stores there are",
            typed.command("store list"),
        );
        return Check::error(VAULT, format!("the setting STORE: {error}"), hint);
    }
    match stores.len() {
        1 => Check::fine(VAULT, "the one store's seal opens"),
        many => Check::fine(VAULT, format!("the seals of {many} stores open")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use shared::paths::Home;
    use shared::secret::Secret;

    use super::super::Level;
    use super::*;
    use crate::desk::StoreId;
    use crate::vault::{KeySource, Row};

    fn typed() -> Typed {
        Typed::new(None, Path::new("/exe"), &Home::at("/h"), None)
    }

    fn command(check: Check) -> String {
        check.hint.unwrap().command.unwrap()
    }

    fn nobody(source: KeySource, in_use: bool) -> Check {
        let error = VaultError::NoTenant {
            source,
            key_id: None,
        };
        let lost = Lost { in_use, kept: None };
        judge(&Err(error), &lost, &typed())
    }

    #[test]
    fn a_key_without_a_tenant_is_replaced_or_set_up_depending_on_whose_home_it_is() {
        assert_eq!(command(nobody(KeySource::HomeFile, false)), "/exe init");
        assert_eq!(
            command(nobody(KeySource::HomeFile, true)),
            "/exe key import --force FILE"
        );
        // Importing would not help: the environment goes before the file.
        let elsewhere = nobody(KeySource::File(PathBuf::from("/run/key")), true);
        assert!(elsewhere.hint.as_ref().unwrap().say.contains("/run/key"));
        assert_eq!(command(elsewhere), "/exe doctor");
    }

    fn opened(name: &str, is_sound: bool) -> Opened {
        let broken = VaultError::SealBroken {
            row: Row::Store(name.to_owned()),
        };
        Opened {
            store: StoreInfo {
                id: "r".to_owned(),
                name: name.to_owned(),
                store_id: StoreId::parse("666").unwrap(),
                base_url: "https://evil.example/api".parse().unwrap(),
                created_ms: 0,
                is_default: false,
            },
            key: if is_sound {
                Ok(Secret::new("KEY".to_owned()))
            } else {
                Err(broken)
            },
        }
    }

    #[test]
    fn nothing_of_a_row_whose_seal_is_broken_is_believed_but_the_name() {
        let all = vec![opened("a", true), opened("b", false), opened("c", false)];
        let check = judge_seals(&Ok(all), None, &typed());
        assert!(check.summary.starts_with("the seal of store `b` is broken"));
        assert!(check.summary.ends_with("(and 1 more)"), "{check:?}");
        assert_eq!(
            command(check),
            "/exe store add --replace --name b --id STORE_ID"
        );
    }

    #[test]
    fn a_vault_without_stores_is_only_a_warning() {
        let none = judge_seals(&Ok(Vec::new()), Some("a"), &typed());
        assert_eq!((none.ok, none.level), (false, Level::Warning));
        assert!(judge_seals(&Ok(vec![opened("a", true)]), None, &typed()).ok);
    }

    #[test]
    fn the_store_to_begin_with_must_be_one_of_them() {
        let judged = |wanted| judge_seals(&Ok(vec![opened("Main", true)]), Some(wanted), &typed());
        assert!(judged("main").ok && judged("666").ok);
        let unknown = judged("mian");
        assert!(
            unknown.summary.contains("did you mean `Main`?"),
            "{unknown:?}"
        );
        assert_eq!(command(unknown), "/exe store list");
    }
}
