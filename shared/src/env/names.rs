//! Which names in the environment are typos.
//!
//! Here: every variable that begins like ours, or nearly so, and is none. A misspelt setting that is ignored in silence is the worst
//! kind: the person believes it holds. Not here: names in `config.toml`.

use strsim::damerau_levenshtein;

use super::PREFIX;
use super::catalogue::SETTINGS;
use super::mistake::Mistake;
use super::nearest::nearest;
use super::setting::Owner;
use super::vars::Vars;

/// How many slips still make a name without our exact prefix one of ours (`ORDERDESK_MPC_STORE_ID`). Names with other prefixes,
/// also `ORDERDESK_API_KEY`, belong to other programs.
const SLIPS: usize = 2;

/// Reports every unknown name that was meant for us.
pub(super) fn check(env: &Vars, mistakes: &mut Vec<Mistake>) {
    let known: Vec<String> = SETTINGS
        .iter()
        .flat_map(|setting| [Some(setting.variable()), setting.file_variable()])
        .flatten()
        .collect();
    for name in env.names() {
        if known.iter().any(|known| known == name) || !is_meant_for_us(name, &known) {
            continue;
        }
        mistakes.push(Mistake::new(
            Owner::Both,
            format!("`{name}` in the environment"),
            "is not a setting",
            hint(name, &known),
        ));
    }
}

fn is_meant_for_us(name: &str, known: &[String]) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with(PREFIX)
        || (name.starts_with("ORDER")
            && known
                .iter()
                .any(|known| damerau_levenshtein(&name, known) <= SLIPS))
}

fn hint(name: &str, known: &[String]) -> String {
    if is_a_file_of_no_secret(name) {
        return "only secrets can be read from a file".to_owned();
    }
    let name = name.to_ascii_uppercase();
    // Where the prefix is right it is left out of the measure: fourteen equal characters would make every name look near.
    let meant = match name.strip_prefix(PREFIX) {
        Some(rest) => nearest(
            rest,
            known.iter().filter_map(|name| name.strip_prefix(PREFIX)),
        )
        .map(|word| format!("{PREFIX}{word}")),
        None => nearest(&name, known.iter().map(String::as_str)).map(str::to_owned),
    };
    match meant {
        Some(name) => format!("did you mean `{name}`?"),
        None => "remove it; `config` prints the settings there are".to_owned(),
    }
}

fn is_a_file_of_no_secret(name: &str) -> bool {
    name.strip_suffix("_FILE")
        .is_some_and(|bare| SETTINGS.iter().any(|setting| setting.variable() == bare))
}
