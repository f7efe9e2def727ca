//! One line of `config.toml`, changed without touching the others.
//!
//! Here: setting a key so that comments, order and every other line stay as their owner wrote them, and the file appears whole or not at
//! all. Not here: what the keys mean.

use std::io;
use std::path::{Path, PathBuf};

use shared::fsx::{Mode, write_atomic};
use toml_edit::{DocumentMut, value};

use crate::cli::failure::{Failure, Outcome};

/// Sets `key` to the text `wanted`; gives whether that changed anything. A missing file is made, for its owner only.
///
/// # Errors
/// When the file cannot be read, is not TOML, or cannot be written; it is then as it was.
pub(super) fn set(path: &Path, key: &str, wanted: &str) -> Outcome<bool> {
    let path = behind_links(path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::file("reading", &path, &error)),
    };
    let mut document: DocumentMut = text.parse().map_err(|_| {
        Failure::usage(
            format!("`{}` is not valid TOML", path.display()),
            "`mcp-stdio config` says in which line",
        )
    })?;
    if document.get(key).and_then(|item| item.as_str()) == Some(wanted) {
        return Ok(false);
    }
    match document.get_mut(key).and_then(|item| item.as_value_mut()) {
        // What stands around the value, a comment behind it say, belongs to the person.
        Some(old) => {
            let around = old.decor().clone();
            *old = wanted.into();
            *old.decor_mut() = around;
        }
        None => document[key] = value(wanted),
    }
    write_atomic(&path, document.to_string().as_bytes(), Mode::Private)
        .map_err(|error| Failure::file("writing", &path, &error))?;
    Ok(true)
}

/// Settings are often kept elsewhere and linked to: the file behind the link is the one to change.
fn behind_links(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, before).unwrap();
        assert!(set(&path, "key_source", "keyring").unwrap());
        assert!(!set(&path, "key_source", "keyring").unwrap());
        std::fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn a_new_line_is_added_and_every_other_stays() {
        let before = "# mine\nlog = \"info\" # loud\n\nhttp_timeout = '5s'\n";
        assert_eq!(
            changed(before),
            format!("{before}key_source = \"keyring\"\n")
        );
        assert_eq!(changed(""), "key_source = \"keyring\"\n");
    }

    #[test]
    fn a_line_that_is_there_is_changed_in_place() {
        assert_eq!(
            changed("key_source = \"auto\" # for now\nlog = \"info\"\n"),
            "key_source = \"keyring\" # for now\nlog = \"info\"\n"
        );
    }

    #[test]
    fn a_missing_file_is_made_and_a_broken_one_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert!(set(&path, "key_source", "keyring").unwrap());
        std::fs::write(&path, "log = [").unwrap();
        let told = set(&path, "key_source", "keyring").unwrap_err().to_string();
        assert!(told.contains("is not valid TOML\nhint: "), "{told}");
        assert_eq!(std::fs::read(&path).unwrap(), b"log = [");
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_file_is_changed_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (
            folder.path().join("real.toml"),
            folder.path().join("config.toml"),
        );
        std::fs::write(&real, "log = \"info\"\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set(&link, "key_source", "keyring").unwrap();
        assert!(link.is_symlink());
        assert!(std::fs::read_to_string(&real).unwrap().contains("keyring"));
    }
}
