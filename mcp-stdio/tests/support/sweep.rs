//! Looking for words where they must not be: in every file below a folder, as bytes.

use std::path::Path;

/// Whether `bytes` hold `word`.
pub fn holds(bytes: &[u8], word: &[u8]) -> bool {
    // Two steps, since most places differ in the first byte: a sweep goes through megabytes.
    word.first().is_some_and(|first| {
        bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| *byte == first)
            .any(|(at, _)| bytes[at..].starts_with(word))
    })
}

/// Fails on the first file below `folder` that holds one of these words; files named in `but` are not looked at. Gives how many
/// bytes it has seen.
pub fn sweep(folder: &Path, words: &[impl AsRef<[u8]>], but: &[&str]) -> usize {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            seen += sweep(&path, words, but);
            continue;
        }
        if but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for word in words {
            assert!(
                !holds(&bytes, word.as_ref()),
                "`{}` is in {}",
                String::from_utf8_lossy(word.as_ref()),
                path.display()
            );
        }
        seen += bytes.len();
    }
    seen
}
