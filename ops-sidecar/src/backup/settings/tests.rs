//! What a person may ask for, and what is said about what they may not.

use shared::env::Vars;
use shared::paths::HOME_VARIABLE;

use super::*;
use crate::config::{Config, Flags};

const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

fn load(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    let mut vars = vec![(HOME_VARIABLE.to_owned(), home.path().display().to_string())];
    for (key, value) in pairs {
        vars.push((format!("ORDERDESK_MCP_{key}"), (*value).to_owned()));
    }
    let vars = Vars::from_pairs(
        vars.iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    );
    let (config, mistakes) = Config::load_anyway(&Flags::default(), &vars).unwrap();
    let mistakes = mistakes.iter().map(ToString::to_string).collect();
    (config.backup, mistakes)
}

fn names(settings: &Settings) -> Vec<&str> {
    settings.targets.iter().map(TargetSpec::name).collect()
}

#[test]
fn nothing_set_backs_up_to_the_home_folder_every_hour() {
    let (settings, mistakes) = load(&[]);
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(names(&settings), ["local"]);
    assert!(settings.recipients.is_empty() && settings.identity_file.is_none());
    assert!(
        matches!(settings.schedule, Schedule::Every(span) if span == Duration::from_secs(3600))
    );
    assert_eq!(settings.keep.hourly, 24);
    assert_eq!(
        settings.pitr.unwrap().remote_interval,
        Duration::from_secs(10)
    );
}

#[test]
fn what_is_kept_is_set_each_by_its_own_name() {
    let (settings, mistakes) = load(&[
        ("BACKUP_KEEP_LAST", "1"),
        ("BACKUP_KEEP_HOURLY", "2"),
        ("BACKUP_KEEP_DAILY", "3"),
        ("BACKUP_KEEP_WEEKLY", "4"),
        ("BACKUP_KEEP_MONTHLY", "5"),
        ("PITR_REMOTE_INTERVAL", "20s"),
        ("PITR_KEEP_SECONDS", "2h"),
        ("PITR_KEEP_MINUTES", "3h"),
        ("PITR_KEEP_HOURS", "48h"),
        ("PITR_SPOOL_MAX", "100MiB"),
    ]);
    assert_eq!(mistakes, Vec::<String>::new());
    let keep = Keep {
        last: 1,
        hourly: 2,
        daily: 3,
        weekly: 4,
        monthly: 5,
    };
    assert_eq!(settings.keep, keep);
    let hours = |count: u64| Duration::from_secs(count * 3600);
    let pitr = Pitr {
        remote_interval: Duration::from_secs(20),
        keep_seconds: hours(2),
        keep_minutes: hours(3),
        keep_hours: hours(48),
        spool_max_bytes: 100 << 20,
    };
    assert_eq!(settings.pitr, Some(pitr));
}

#[test]
fn recovery_to_a_moment_can_be_switched_off() {
    let (settings, _) = load(&[("PITR", "off"), ("BACKUP_SCHEDULE", "off")]);
    assert!(settings.pitr.is_none());
    assert!(matches!(settings.schedule, Schedule::Off));
}

#[test]
fn another_machine_gets_nothing_in_the_clear_unless_somebody_says_so() {
    let remote = ("BACKUP_TARGETS", "local,s3://shop/backups");
    let (_, mistakes) = load(&[remote]);
    assert_eq!(mistakes.len(), 1);
    assert!(
        mistakes[0].contains("s3://shop/backups") && mistakes[0].contains("backup_recipients"),
        "{mistakes:?}"
    );
    for consent in [
        ("BACKUP_RECIPIENTS", KEY),
        ("BACKUP_ALLOW_UNENCRYPTED", "yes"),
    ] {
        let (settings, mistakes) = load(&[remote, consent]);
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!(names(&settings), ["local", "s3://shop/backups"]);
    }
}

#[test]
fn all_mistakes_come_at_once_and_what_was_wrong_has_its_default() {
    let typo = KEY.replace("ql3z", "ql3q");
    let (settings, mistakes) = load(&[
        ("BACKUP_TARGETS", "locl://x,file:///srv/backups"),
        ("BACKUP_RECIPIENTS", &format!("{KEY},{typo}")),
        ("BACKUP_SCHEDULE", "61 3 * * *"),
        ("BACKUP_KEEP_DAILY", "-1"),
    ]);
    assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
    let about = |key: &str| mistakes.iter().find(|text| text.contains(key)).unwrap();
    assert!(about("backup_recipients").contains("recipient 2"));
    assert!(about("backup_schedule").contains("61 3 * * *"));
    assert!(mistakes.iter().all(|text| text.contains("hint: ")));
    assert_eq!(names(&settings), ["file:///srv/backups"]);
}

#[test]
fn a_secret_key_in_place_of_a_public_one_is_shown_nowhere() {
    let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    for text in [
        secret.to_owned(),
        secret.to_lowercase(),
        format!("{KEY}, {secret}"),
    ] {
        let (settings, mistakes) = load(&[("BACKUP_RECIPIENTS", &text)]);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        let shown = format!("{mistakes:?} {settings:?}").to_uppercase();
        assert!(!shown.contains("GFPYYSJZ"), "{shown}");
    }
}

#[test]
fn a_target_that_is_named_twice_is_one() {
    let (settings, _) = load(&[("BACKUP_TARGETS", "file:///srv/b,file:///srv/b/,local")]);
    assert_eq!(names(&settings), ["file:///srv/b", "local"]);
}

#[test]
fn more_moments_than_a_bucket_can_list_are_refused() {
    let bucket = ("BACKUP_TARGETS", "s3://shop/backups");
    let key = ("BACKUP_RECIPIENTS", KEY);
    for fine in [("PITR_KEEP_SECONDS", "31d"), ("PITR_KEEP_MINUTES", "290d")] {
        assert_eq!(load(&[bucket, key, fine]).1, Vec::<String>::new());
    }
    for too_many in [("PITR_KEEP_SECONDS", "60d"), ("PITR_KEEP_MINUTES", "365d")] {
        let (_, mistakes) = load(&[bucket, key, too_many]);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains("500000 can be listed"), "{mistakes:?}");
        assert_eq!(load(&[too_many]).1, Vec::<String>::new());
        let off = ("PITR", "off");
        assert_eq!(load(&[bucket, key, too_many, off]).1, Vec::<String>::new());
    }
}
