//! Asking a person, or a pipe.
//!
//! Here: secrets without echo on a terminal and one line from stdin otherwise, and yes-or-no questions. Prompts go to the terminal or
//! to stderr, never to stdout, which is the result's. Not here: what a good answer is. A secret is never an argument: arguments stand in
//! the shell's history and in every list of processes.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use shared::secret::Secret;
use zeroize::Zeroizing;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::interrupt;
use crate::pasted;
use crate::vault::{VaultError, check_passphrase};

/// The longest line that is taken for a secret: keys have some forty characters, nobody types a thousand.
const MOST_BYTES: u64 = 4096;

/// Asks for a secret: without echo on a terminal, else one line of stdin. Blanks around it are dropped.
///
/// # Errors
/// When there is nobody to ask or nothing to read, and on Ctrl-C.
pub(super) fn secret(what: &str) -> Outcome<Secret> {
    let text = if io::stdin().is_terminal() {
        typed(&format!("{what}: "))?
    } else {
        line_of(what, io::stdin())?
    };
    some(what, &text)
}

/// Asks for a secret on the terminal, for a command whose stdin holds something else.
///
/// # Errors
/// As [`secret`].
pub(super) fn secret_at_terminal(what: &str) -> Outcome<Secret> {
    let text = typed(&format!("{what}: ")).map_err(|failure| match failure.is_interruption() {
        true => failure,
        false => failure.or("name a file that holds it with `--passphrase-file`"),
    })?;
    some(what, &text)
}

/// Asks for a new passphrase, twice on a terminal, because nobody sees what is typed. A pipe says it once.
///
/// # Errors
/// As [`secret`]; when it could be guessed, which is said before it is asked for again; and when the two are not the same.
pub(super) fn new_passphrase(what: &str) -> Outcome<Secret> {
    let first = secret(what)?;
    check_passphrase(first.expose())
        .map_err(|weak| Failure::from(VaultError::from(weak)).so("nothing was changed"))?;
    if io::stdin().is_terminal() {
        let again = typed(&format!("{what}, again: "))?;
        if again.trim() != first.expose() {
            return Err(Failure::usage(
                "the two are not the same; nothing was changed",
                "run the command again",
            ));
        }
    }
    Ok(first)
}

/// The secret that is the only line of a file; `-` is stdin.
///
/// # Errors
/// When the file cannot be read or holds no line, or more than one.
pub(super) fn secret_in(what: &str, path: &Path) -> Outcome<Secret> {
    if path == Path::new("-") {
        let text = line_of(what, io::stdin())?;
        return some(what, &text);
    }
    refuse_secret_as_path(path)?;
    let file = std::fs::File::open(path).map_err(|error| Failure::file("reading", path, &error))?;
    let text = whole(what, file).map_err(|failure| failure.so("nothing was changed"))?;
    some(what, &text)
}

/// Refuses a secret that was given where a file's name belongs, before a complaint about a missing file repeats it, or a file is made
/// that is called so.
///
/// # Errors
/// When there is no such file and its name looks like a key.
pub(super) fn refuse_secret_as_path(path: &Path) -> Outcome {
    let text = path.to_string_lossy();
    let is_secret = text.starts_with("passphrase:") || pasted::looks_like_a_key(&text);
    if is_secret && path.components().count() == 1 && path.symlink_metadata().is_err() {
        return Err(Failure::usage(
            "a key stands where the name of a file belongs; nothing was changed",
            "write it into a file that only you can read, or hand it in on stdin; what was typed into a command line is better replaced",
        ));
    }
    Ok(())
}

/// Asks before something that cannot be undone; `yes` is the answer of a script.
///
/// # Errors
/// When the answer is no, and when there is no terminal to ask on.
pub(super) fn confirm(question: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    refuse_without_terminal(question)?;
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        _ => Err(Failure::failed(
            "nothing was changed",
            "answer `y`, or repeat the command with `--yes`",
        )),
    }
}

/// Refuses what will have to be asked where nobody can be.
///
/// # Errors
/// When stdin is no terminal.
pub(super) fn refuse_without_terminal(question: &str) -> Outcome {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{question} Nobody is there to be asked; nothing was changed"),
        "repeat the command with `--yes`",
    ))
}

fn typed(prompt: &str) -> Outcome<Zeroizing<String>> {
    match interrupt::held(|| rpassword::prompt_password(prompt)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(Failure::interrupted()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Failure::interrupted()),
        Err(error) => Err(Failure::usage(
            format!("the terminal cannot be asked without echo: {error}"),
            "hand it in on stdin, from a file or a password manager",
        )),
    }
}

/// The first line. It does not wait for more; but more that has come with it is a key that was torn in two, or several, and no half of
/// it is taken for the whole.
fn line_of(what: &str, input: impl io::Read) -> Outcome<Zeroizing<String>> {
    let mut input = BufReader::new(input);
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = input.by_ref().take(MOST_BYTES + 1).read_line(&mut text);
    checked(what, read, &text)?;
    if !input.buffer().trim_ascii().is_empty() {
        return Err(broken(what));
    }
    Ok(text)
}

/// All there is, which must be one line.
fn whole(what: &str, input: impl io::Read) -> Outcome<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = input.take(MOST_BYTES + 1).read_to_string(&mut text);
    checked(what, read, &text)?;
    Ok(text)
}

fn checked(what: &str, read: io::Result<usize>, text: &str) -> Outcome {
    let why = match read {
        Ok(_) if text.len() as u64 > MOST_BYTES => "is longer than 4096 bytes".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => "is not text".to_owned(),
        Err(error) => format!("could not be read: {error}"),
    };
    Err(Failure::failed(
        format!("the {what} {why}"),
        "give it as one line of text",
    ))
}

/// Not empty, and nothing in it that a header or a line cannot hold. Never shown.
fn some(what: &str, text: &str) -> Outcome<Secret> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::usage(
            format!("the {what} is empty; nothing was changed"),
            "type it at the prompt, or hand it in on stdin as one line",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Failure::usage(
            format!(
                "the {what} has a line break or another control character inside; nothing was changed"
            ),
            "copy it again, without what stands around it",
        ));
    }
    Ok(Secret::new(text.to_owned()))
}

fn broken(what: &str) -> Failure {
    Failure::usage(
        format!(
            "the {what} has a line break or another control character inside; nothing was changed"
        ),
        "copy it again, without what stands around it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Result<String, String> {
        let read = line_of("API key", bytes).and_then(|text| some("API key", &text));
        read.map(|secret| secret.expose().to_owned())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_pipe_gives_its_first_line_without_the_blanks_around_it() {
        assert_eq!(line(b"  abc def \r\n \n").unwrap(), "abc def");
        assert_eq!(line(b"abc").unwrap(), "abc");
    }

    #[test]
    fn what_is_empty_binary_or_endless_is_refused_without_being_shown() {
        for (bytes, why) in [
            (&b""[..], "is empty"),
            (b" \n", "is empty"),
            (b"hunter2\x1b[31m\n", "control character"),
            (b"hunter2\xff\n", "is not text"),
            (b"hunter2\nhunter2\n", "line break"),
            (&[b'h'; 5000], "longer than 4096"),
        ] {
            let told = line(bytes).unwrap_err();
            assert!(told.contains(why) && told.contains("\nhint: "), "{told}");
            assert!(!told.contains("hunter2") && !told.contains("hhh"), "{told}");
        }
    }

    #[test]
    fn a_file_holds_one_line_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(secret_in("API key", &path).unwrap().expose(), "hunter2");
        std::fs::write(&path, "hunter2\nhunter3\n").unwrap();
        let told = secret_in("API key", &path).unwrap_err().to_string();
        assert!(
            told.contains("line break") && !told.contains("hunter"),
            "{told}"
        );
        let told = secret_in("API key", &folder.path().join("none"));
        assert!(
            told.unwrap_err()
                .to_string()
                .contains("hint: check the path")
        );
    }

    #[test]
    fn who_said_yes_is_not_asked() {
        confirm("Remove it?", true).unwrap();
    }
}
