//! Which folders count as open.
//!
//! Here: the folder is an order's status, but its name is the shop's own; the names that usually mean "over" are the guess, and a caller may say
//! otherwise. Every report that uses it names the folders it counted. Not here: asking for the folders (`shop`).

use crate::desk::model::{Folder, same_number};

/// Names of folders, without case, whose orders need nothing more. The first three come with every store or are their other spelling.
const OVER: [&str; 21] = [
    "closed",
    "canceled",
    "cancelled",
    "shipped",
    "completed",
    "complete",
    "archived",
    "archive",
    "delivered",
    "fulfilled",
    "refunded",
    "returned",
    "returns",
    "void",
    "voided",
    "done",
    "deleted",
    "trash",
    "rejected",
    "fraud",
    "test",
];

/// Names of folders whose orders were not sold after all.
const NOT_SOLD: [&str; 6] = [
    "canceled",
    "cancelled",
    "void",
    "voided",
    "rejected",
    "fraud",
];

/// The folders of a store, and which of them are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    all: Vec<Folder>,
    open: Vec<Folder>,
}

impl Folders {
    /// All folders but those whose name says that they are over; or, if `wanted` has any, exactly those (by name without case, or by id).
    ///
    /// # Errors
    /// The entries of `wanted` that no folder answers to.
    pub fn choose<'w>(all: Vec<Folder>, wanted: &[&'w str]) -> Result<Folders, Vec<&'w str>> {
        let open = if wanted.is_empty() {
            all.iter()
                .filter(|folder| !OVER.contains(&plain(&folder.name).as_str()))
                .cloned()
                .collect()
        } else {
            named(&all, wanted)?
        };
        Ok(Folders { all, open })
    }

    /// The open ones, in the shop's order.
    #[must_use]
    pub fn open(&self) -> &[Folder] {
        &self.open
    }

    /// All of them, in the shop's order.
    #[must_use]
    pub fn all(&self) -> &[Folder] {
        &self.all
    }

    /// Whether orders in the folder of that id are open.
    #[must_use]
    pub fn is_open(&self, id: &str) -> bool {
        self.open.iter().any(|folder| same_number(&folder.id, id))
    }

    /// Whether orders in the folder of that id were canceled or the like.
    #[must_use]
    pub fn is_not_sold(&self, id: &str) -> bool {
        self.name(id)
            .is_some_and(|name| NOT_SOLD.contains(&plain(name).as_str()))
    }

    /// The name of a folder.
    #[must_use]
    pub fn name(&self, id: &str) -> Option<&str> {
        let folder = self.all.iter().find(|folder| same_number(&folder.id, id));
        folder.map(|folder| folder.name.as_str())
    }
}

fn named<'w>(all: &[Folder], wanted: &[&'w str]) -> Result<Vec<Folder>, Vec<&'w str>> {
    let is = |folder: &Folder, text: &str| {
        same_number(&folder.id, text.trim()) || plain(&folder.name) == plain(text)
    };
    let unknown: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|text| !all.iter().any(|folder| is(folder, text)))
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    Ok(all
        .iter()
        .filter(|folder| wanted.iter().any(|text| is(folder, text)))
        .cloned()
        .collect())
}

/// Without case and without the blanks that nobody sees.
fn plain(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: u32, name: &str) -> Folder {
        Folder {
            id: id.to_string(),
            name: name.to_owned(),
        }
    }

    fn all() -> Vec<Folder> {
        let names = [
            "New",
            "Prepared",
            " CLOSED ",
            "Cancelled",
            "Hold",
            "Closed loop",
            "Shipped",
        ];
        (1..)
            .zip(names)
            .map(|(id, name)| folder(id, name))
            .collect()
    }

    fn open(wanted: &[&str]) -> Vec<String> {
        let folders = Folders::choose(all(), wanted).unwrap();
        folders
            .open()
            .iter()
            .map(|folder| folder.name.clone())
            .collect()
    }

    #[test]
    fn what_is_closed_shipped_or_canceled_is_not_open_unless_its_name_only_begins_so() {
        assert_eq!(open(&[]), ["New", "Prepared", "Hold", "Closed loop"]);
    }

    #[test]
    fn a_caller_may_say_which_folders_are_open_by_name_or_id() {
        assert_eq!(
            open(&["hold", "7", "closed"]),
            [" CLOSED ", "Hold", "Shipped"]
        );
        assert_eq!(
            Folders::choose(all(), &["Hodl", "9", "New"]),
            Err(vec!["Hodl", "9"])
        );
    }

    #[test]
    fn an_order_is_open_by_its_folders_id_and_in_an_unknown_folder_it_is_not() {
        let folders = Folders::choose(all(), &[]).unwrap();
        assert!(folders.is_open("1") && folders.is_open("01"));
        assert!(!folders.is_open("3") && !folders.is_open("") && !folders.is_open("99"));
        assert!(
            folders.is_not_sold("4") && !folders.is_not_sold("3") && !folders.is_not_sold("99")
        );
        assert_eq!(
            (folders.name("5"), folders.name("99")),
            (Some("Hold"), None)
        );
    }
}
