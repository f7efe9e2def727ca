//! What the settings of backups may look like.
//!
//! Here: shapes, and keeping secrets out of settings that are shown. Not here: whether a bucket or a key exists, and the fine print of
//! targets, keys and cron expressions, which the sidecar reads. No refusal shows the text: a credential in a URL and a secret key pasted in
//! place of the public one are the likely slips.

use std::time::Duration;

use super::kind::Refusal;
use super::units;

/// More than anybody has, and few enough to write to all at once.
const MOST: usize = 16;

/// Longer than any bucket, prefix or key.
const MOST_CHARACTERS: usize = 500;

/// How every secret key of `age` begins.
const SECRET_KEY: &str = "AGE-SECRET-KEY-";

/// A backup costs a read of the whole state file: more often is what recovery to a moment is for.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// `local` and URLs. Credentials, queries and fragments are refused: a URL is shown in logs and metrics.
pub(super) fn targets(text: &str) -> Result<Vec<String>, Refusal> {
    let targets = items(text)?;
    for target in targets.iter().filter(|target| *target != "local") {
        let Some((scheme, place)) = target.split_once("://") else {
            return Err(Refusal::silent("is neither `local` nor a URL"));
        };
        if has_more_than_a_place(scheme, place) {
            return Err(Refusal::silent(
                "holds a user, a password, `?` or `#`: credentials and options do not belong into the URL, clouds take them from their own variables",
            ));
        }
    }
    Ok(targets)
}

/// In front of the `@` of an `abfss://container@account…` stands no user.
fn has_more_than_a_place(scheme: &str, place: &str) -> bool {
    let host = place.split('/').next().unwrap_or_default();
    let has_user = match host.split_once('@') {
        Some((container, _)) => scheme != "abfss" || container.contains(':'),
        None => false,
    };
    has_user || place.contains(['?', '#'])
}

/// Public keys; whether each is one that can be encrypted to is for the sidecar to say.
pub(super) fn recipients(text: &str) -> Result<Vec<String>, Refusal> {
    let keys = items(text)?;
    for (place, key) in keys.iter().enumerate() {
        if !key.starts_with("age1") || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Refusal::silent(format!(
                "has something in place {} that is no public key",
                place + 1
            )));
        }
    }
    Ok(keys)
}

/// A time span, something with five fields, or `off`.
pub(super) fn schedule(text: &str) -> Result<String, Refusal> {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.eq_ignore_ascii_case("off") {
        return Ok("off".to_owned());
    }
    if one_line.split(' ').count() == 5 {
        return Ok(one_line);
    }
    let span = units::duration(&one_line)
        .map_err(|_| Refusal::new("is neither a time span, nor five fields of cron, nor `off`"))?;
    if !(SHORTEST..=LONGEST).contains(&span) {
        return Err(Refusal::new("is not from 1s to 31d"));
    }
    Ok(one_line)
}

/// What stands between commas, without white space; said twice counts once.
fn items(text: &str) -> Result<Vec<String>, Refusal> {
    if text.to_ascii_uppercase().contains(SECRET_KEY) {
        return Err(Refusal::silent(
            "holds a secret key, which belongs to whoever restores and not here: the public one begins with `age1`",
        ));
    }
    let mut items: Vec<String> = Vec::new();
    for item in text.split(',').map(str::trim) {
        if !item.bytes().all(|byte| byte.is_ascii_graphic()) || item.len() > MOST_CHARACTERS {
            return Err(Refusal::silent(
                "holds a space, a line break, a character that is not ASCII, or something very long",
            ));
        }
        if !item.is_empty() && !items.iter().any(|known| known == item) {
            items.push(item.to_owned());
        }
    }
    match items.len() {
        0 => Err(Refusal::silent("names nothing")),
        1..=MOST => Ok(items),
        _ => Err(Refusal::silent(format!("names more than {MOST}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    #[test]
    fn targets_stand_between_commas_and_count_once() {
        let read = targets(" local, s3://shop/backups ,local,").unwrap();
        assert_eq!(read, ["local", "s3://shop/backups"]);
        targets("abfss://container@account.dfs.core.windows.net/p,file:///a@b").unwrap();
    }

    #[test]
    fn a_credential_in_a_url_is_refused_and_not_shown() {
        for url in [
            "s3://user:hunter2@bucket/x",
            "az://c/p?sig=hunter2",
            "gs://b/p#hunter2",
            "abfss://c:hunter2@account.dfs.core.windows.net/p",
            "backups",
            "/srv/backups",
        ] {
            let refusal = targets(url).unwrap_err();
            assert!(
                !refusal.may_echo && !refusal.why.contains("hunter2"),
                "{url}"
            );
        }
    }

    #[test]
    fn a_secret_key_among_the_public_ones_is_refused_and_not_shown() {
        let secret = "age-secret-key-1QQPQQPQQPQQPQQPQQPQQPQQPQ";
        for text in [
            secret.to_owned(),
            secret.to_uppercase(),
            format!("{KEY},{secret}"),
        ] {
            let refusal = recipients(&text).unwrap_err();
            assert!(!refusal.may_echo && refusal.why.contains("secret key"));
            assert!(!refusal.why.contains("QQPQ"));
        }
    }

    #[test]
    fn what_is_no_public_key_is_named_by_its_place() {
        assert_eq!(recipients(KEY).unwrap(), [KEY]);
        let refusal = recipients(&format!("{KEY},ssh-ed25519")).unwrap_err();
        assert!(refusal.why.contains("place 2"), "{}", refusal.why);
    }

    #[test]
    fn a_schedule_is_a_span_five_fields_or_off() {
        for (text, expected) in [
            ("6h", "6h"),
            ("OFF", "off"),
            ("0  3 * * *", "0 3 * * *"),
            ("90m", "90m"),
        ] {
            assert_eq!(schedule(text).unwrap(), expected);
        }
        for wrong in ["", "daily", "500ms", "32d", "0 3 * *", "0 0 3 * * *"] {
            schedule(wrong).unwrap_err();
        }
    }
}
