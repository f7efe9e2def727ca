//! Completions: what a client offers while a name is typed.
//!
//! Here: names of stores and of folders. A help, so it never fails and never waits long: what cannot be had now is simply not offered. Nothing is offered that
//! the owner has switched off. Not here: orders and SKUs, of which there are too many to guess from a few letters.

use std::time::Duration;

use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use super::{prompts, resources};
use crate::clean;
use crate::context::Context;
use crate::tools;

/// How long a shop may take to tell its folders when they are not in the cache, or the vault to open. Nobody waits longer for a menu.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a name of an argument or of a template's variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Stores,
    Folders,
}

/// What begins with, or else contains, what was typed so far.
pub async fn complete(context: &Context, request: &CompleteRequestParams) -> CompleteResult {
    let names = match names_for(request) {
        Some(names) if context.config.mistakes.is_empty() => {
            let given = request.context.as_ref();
            let store = given.and_then(|given| given.get_argument("store"));
            let found = tokio::time::timeout(PATIENCE, all(context, names, store)).await;
            found.unwrap_or_default()
        }
        _ => Vec::new(),
    };
    CompleteResult::new(offer(names, &request.argument.value))
}

fn names_for(request: &CompleteRequestParams) -> Option<Names> {
    let argument = request.argument.name.as_str();
    let is_ours = match &request.r#ref {
        Reference::Prompt(prompt) => prompts::ALL
            .iter()
            .find(|recipe| recipe.name == prompt.name)
            .is_some_and(|recipe| recipe.slots().any(|slot| slot.name == argument)),
        Reference::Resource(template) => {
            resources::is_template(&template.uri)
                && template.uri.contains(&format!("{{{argument}}}"))
        }
        _ => false,
    };
    match argument {
        "store" if is_ours => Some(Names::Stores),
        "folder" if is_ours => Some(Names::Folders),
        _ => None,
    }
}

/// All names there are, of those that the owner has not switched off.
async fn all(context: &Context, names: Names, store: Option<&String>) -> Vec<String> {
    match names {
        Names::Stores if is_allowed(context, "stores_list") => stores(context).await,
        Names::Folders if is_allowed(context, "folders_list") => {
            let named = store.map(String::as_str);
            folders(context, named.filter(|name| !name.trim().is_empty())).await
        }
        _ => Vec::new(),
    }
}

async fn stores(context: &Context) -> Vec<String> {
    let stores = context.stores.list().await.unwrap_or_default();
    let name =
        |store: crate::stores::Listed| store.name.unwrap_or_else(|| store.store_id.to_string());
    stores.into_iter().map(name).collect()
}

/// The folders of the store that was named, else of the active one.
async fn folders(context: &Context, named: Option<&str>) -> Vec<String> {
    let Ok(shop) = context.shop(named).await else {
        return Vec::new();
    };
    match shop.settings(false).await {
        Ok(store) => store
            .value
            .folders()
            .into_iter()
            .map(|folder| folder.name)
            .collect(),
        Err(_) => Vec::new(),
    }
}

fn is_allowed(context: &Context, tool: &str) -> bool {
    tools::find(tool).is_some_and(|tool| context.config.permissions.allows(tool))
}

/// As many as the protocol allows, those that begin with the typed letters first.
fn offer(names: Vec<String>, typed: &str) -> CompletionInfo {
    let typed = typed.trim().to_lowercase();
    let names = names
        .into_iter()
        .map(|name| clean::text(&name).into_owned());
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for name in names {
        let plain = name.to_lowercase();
        if plain.starts_with(&typed) {
            first.push(name);
        } else if plain.contains(&typed) {
            then.push(name);
        }
    }
    first.append(&mut then);
    let total = u32::try_from(first.len()).ok();
    let more = first.len() > CompletionInfo::MAX_VALUES;
    first.truncate(CompletionInfo::MAX_VALUES);
    CompletionInfo::with_pagination(first, total, more).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(names: &[&str], typed: &str) -> Vec<String> {
        offer(names.iter().map(|name| (*name).to_owned()).collect(), typed).values
    }

    #[test]
    fn names_that_begin_so_come_before_those_that_contain_it() {
        let names = ["Needs Attention", "On Hold", "Hold", "New\u{202E}"];
        assert_eq!(offered(&names, " ho "), ["Hold", "On Hold"]);
        assert_eq!(
            offered(&names, ""),
            ["Needs Attention", "On Hold", "Hold", "New"]
        );
        assert_eq!(offered(&names, "zzz"), Vec::<String>::new());
    }

    #[test]
    fn no_more_are_offered_than_the_protocol_allows() {
        let names: Vec<String> = (0..250).map(|number| format!("Shop {number}")).collect();
        let info = offer(names, "shop");
        assert_eq!(
            (info.values.len(), info.total, info.has_more),
            (100, Some(250), Some(true))
        );
    }
}
