//! Which folder is meant.
//!
//! Here: from what somebody wrote (an id, or a name in any case) to the one folder of the store, as the store itself writes it. Order
//! Desk compares names exactly, and a name that fits none may be answered with success and no move: so only ids of folders that
//! exist are ever sent. Not here: reading the folders.

use crate::desk::error::DeskError;
use crate::desk::model::{Folder, same_number};
use crate::desk::quote;

/// How many folders an error lists at most; a shop has rarely more than twenty.
const LISTED: usize = 40;

const HINT: &str =
    "give one of these names or ids; only a person can add a folder, in Order Desk itself";

/// The folder that `asked` means: an id first, then the exact name, then the only name that differs in case or outer blanks.
///
/// # Errors
/// [`DeskError::BadRequest`] with the list of folders when none, or more than one, is meant.
pub(super) fn find<'a>(folders: &'a [Folder], asked: &str) -> Result<&'a Folder, DeskError> {
    let asked = asked.trim();
    let digits = !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit());
    let by_id = folders
        .iter()
        .find(|folder| digits && same_number(&folder.id, asked));
    if let Some(folder) = by_id.or_else(|| folders.iter().find(|folder| folder.name == asked)) {
        return Ok(folder);
    }
    let wanted = folded(asked);
    let mut alike = folders
        .iter()
        .filter(|folder| !wanted.is_empty() && folded(&folder.name) == wanted);
    match (alike.next(), alike.next()) {
        (Some(folder), None) => Ok(folder),
        (Some(_), Some(_)) => Err(refusal(
            &format!(
                "more than one folder is called `{}`",
                quote::line(asked, 60)
            ),
            folders,
        )),
        (None, _) => Err(refusal(
            &format!("this store has no folder `{}`", quote::line(asked, 60)),
            folders,
        )),
    }
}

/// The name of folder `id`; the id itself for a folder that the store does not list.
pub(super) fn name(folders: &[Folder], id: &str) -> String {
    folders
        .iter()
        .find(|folder| same_number(&folder.id, id))
        .map_or_else(|| id.to_owned(), |folder| folder.name.clone())
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn refusal(what: &str, folders: &[Folder]) -> DeskError {
    let mut list: Vec<String> = folders
        .iter()
        .take(LISTED)
        .map(|folder| format!("{} ({})", quote::line(&folder.name, 60), folder.id))
        .collect();
    if folders.len() > LISTED {
        list.push(format!("and {} more", folders.len() - LISTED));
    }
    DeskError::BadRequest {
        what: format!("{what}; it has: {}", list.join(", ")),
        hint: HINT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Vec<Folder> {
        let folder = |id: &str, name: &str| Folder {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        vec![
            folder("50101", "New"),
            folder("50102", "Prepared"),
            folder("50103", "2026"),
            folder("2026", "Old"),
            folder("50104", "hold"),
            folder("50105", "Hold"),
            folder("50106", "HOLD "),
        ]
    }

    fn found(asked: &str) -> Option<String> {
        find(&folders(), asked).ok().map(|folder| folder.id.clone())
    }

    #[test]
    fn an_id_comes_first_then_the_exact_name_then_the_name_in_any_case() {
        assert_eq!(found("50102").as_deref(), Some("50102"));
        assert_eq!(found(" prepared ").as_deref(), Some("50102"));
        assert_eq!(
            found("2026").as_deref(),
            Some("2026"),
            "an id before a name"
        );
        assert_eq!(
            found("Hold").as_deref(),
            Some("50105"),
            "exact before alike"
        );
    }

    #[test]
    fn what_fits_none_or_several_is_refused_with_the_list() {
        for asked in ["Shipped", "", "  ", "99", "hOLD"] {
            let error = find(&folders(), asked).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("Prepared (50102)"), "{said}");
            assert!(!error.hint().is_empty());
        }
        assert!(
            find(&folders(), "hOLD")
                .unwrap_err()
                .to_string()
                .contains("more than one")
        );
    }

    #[test]
    fn a_folder_that_is_not_listed_is_called_by_its_id() {
        assert_eq!(name(&folders(), "50101"), "New");
        assert_eq!(name(&folders(), "77"), "77");
    }
}
