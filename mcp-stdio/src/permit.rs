//! What this server's owner lets a model do.
//!
//! Here: which tools there are for the client, out of the settings `toolsets`, `tools`, `exclude_tools` and `read_only`, and why another one
//! is not among them. The same answer serves the list of tools and every call, so that what is hidden cannot be called either. Not
//! here: whether a person has to agree to a single change (`tools::writing`).

use shared::env::{PREFIX, Settings, Source, nearest};

use crate::error::{ToolError, quoted};
use crate::tools::{self, Effect, Tool};

/// A group of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolset {
    /// The shops themselves: their list, settings and folders.
    Stores,
    /// Orders.
    Orders,
    /// What is in an order.
    Items,
    /// Shipments.
    Shipments,
    /// Stock.
    Inventory,
    /// Sums over many orders.
    Reports,
}

impl Toolset {
    /// Every toolset.
    pub const ALL: [Toolset; 6] = [
        Toolset::Stores,
        Toolset::Orders,
        Toolset::Items,
        Toolset::Shipments,
        Toolset::Inventory,
        Toolset::Reports,
    ];

    /// Its name in the settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Toolset::Stores => "stores",
            Toolset::Orders => "orders",
            Toolset::Items => "items",
            Toolset::Shipments => "shipments",
            Toolset::Inventory => "inventory",
            Toolset::Reports => "reports",
        }
    }
}

/// The word that stands for all toolsets.
const EVERYTHING: &str = "all";

/// The tools of a server that nobody has configured: what most people ask for, at a price in tokens that every conversation can bear.
pub const USUAL: [&str; 20] = [
    "server_status",
    "stores_list",
    "stores_use",
    "stores_register",
    "folders_list",
    "store_settings",
    "orders_list",
    "orders_find",
    "orders_get",
    "orders_history",
    "orders_summary",
    "orders_update",
    "orders_add_note",
    "orders_move",
    "shipments_list",
    "shipments_add",
    "inventory_list",
    "inventory_get",
    "inventory_adjust",
    "inventory_low_stock",
];

/// Why a tool is not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `READ_ONLY`, and the tool changes something.
    ReadOnly,
    /// `EXCLUDE_TOOLS` names it.
    Excluded,
    /// It is neither among the usual tools nor in a toolset or list that was asked for.
    NotChosen(Toolset),
}

/// Which tools there are for the client.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    read_only: bool,
    /// `None` for the usual tools.
    toolsets: Option<Vec<Toolset>>,
    added: Vec<String>,
    excluded: Vec<String>,
}

impl Permissions {
    /// Reads the settings, and says what is wrong with them, a line for each mistake.
    #[must_use]
    pub fn of(settings: &Settings) -> (Permissions, Vec<String>) {
        let mut mistakes = Vec::new();
        let words = settings.list("toolsets");
        let toolsets = (!words.is_empty()).then(|| toolsets(settings, &words, &mut mistakes));
        let permissions = Permissions {
            read_only: settings.flag("read_only"),
            toolsets,
            added: known(settings, "tools", settings.list("tools"), &mut mistakes),
            excluded: known(
                settings,
                "exclude_tools",
                settings.list("exclude_tools"),
                &mut mistakes,
            ),
        };
        (permissions, mistakes)
    }

    /// Whether everything that changes a shop is switched off.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// Whether the tool is there for the client.
    #[must_use]
    pub fn allows(&self, tool: &Tool) -> bool {
        self.reason_against(tool).is_none()
    }

    /// The tools that are there, in the order of [`tools::ALL`].
    pub fn allowed(&self) -> impl Iterator<Item = &'static Tool> {
        tools::ALL.into_iter().filter(|tool| self.allows(tool))
    }

    /// Why the tool is not there, as an error; `None` if it is.
    #[must_use]
    pub fn why_not(&self, tool: &'static Tool) -> Option<ToolError> {
        let reason = self.reason_against(tool)?;
        Some(ToolError::Disabled {
            tool: tool.name,
            reason,
        })
    }

    fn reason_against(&self, tool: &Tool) -> Option<Reason> {
        if self.read_only && changes_something(tool.effect) {
            return Some(Reason::ReadOnly);
        }
        if self.excluded.iter().any(|name| name == tool.name) {
            return Some(Reason::Excluded);
        }
        let chosen = match &self.toolsets {
            Some(toolsets) => toolsets.contains(&tool.toolset),
            None => USUAL.contains(&tool.name),
        };
        let chosen = chosen || self.added.iter().any(|name| name == tool.name);
        (!chosen).then_some(Reason::NotChosen(tool.toolset))
    }
}

/// Whether a call may change a shop, or what this server keeps of one.
fn changes_something(effect: Effect) -> bool {
    match effect {
        Effect::Local | Effect::Session | Effect::Reads => false,
        Effect::Destroys | Effect::Writes(_) => true,
    }
}

fn toolsets(settings: &Settings, words: &[String], mistakes: &mut Vec<String>) -> Vec<Toolset> {
    let mut found = Vec::new();
    for word in words {
        match Toolset::ALL.into_iter().find(|set| set.name() == word) {
            Some(set) => found.push(set),
            None if word == EVERYTHING => found.extend(Toolset::ALL),
            None => {
                let known = Toolset::ALL.map(Toolset::name);
                let hint = match nearest(word, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are `{}` and `{EVERYTHING}`", known.join("`, `")),
                };
                mistakes.push(mistake(settings, "toolsets", word, "toolset", &hint));
            }
        }
    }
    found
}

/// The tools that a setting names; those that do not exist are mistakes.
fn known(
    settings: &Settings,
    key: &str,
    names: Vec<String>,
    mistakes: &mut Vec<String>,
) -> Vec<String> {
    for name in &names {
        if tools::find(name).is_none() {
            let hint = match nearest(name, tools::ALL.iter().map(|tool| tool.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`mcp-stdio tools --all` lists them".to_owned(),
            };
            mistakes.push(mistake(settings, key, name, "tool", &hint));
        }
    }
    names
}

fn mistake(settings: &Settings, key: &str, word: &str, what: &str, hint: &str) -> String {
    let place = match settings.source(key) {
        Source::Environment => format!("`{PREFIX}{}`", key.to_uppercase()),
        other => format!("`{key}` ({other})"),
    };
    format!("{place}: {} is no {what}; hint: {hint}", quoted(word))
}

#[cfg(test)]
mod tests;
