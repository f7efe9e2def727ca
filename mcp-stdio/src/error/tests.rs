//! Every error says what happened, under a code of its own, and what to do.

use super::*;

fn one_of_each() -> Vec<ToolError> {
    vec![
        ToolError::Arguments(vec!["`x` is missing".into()]),
        ToolError::Settings(vec!["a: b; hint: c".into()]),
        ToolError::NoStore,
        ToolError::NoStoreYet,
        ToolError::NoActiveStore(vec!["A".into(), "B".into()]),
        ToolError::UnknownStore {
            given: "x".into(),
            known: vec!["4242".into()],
            nearest: None,
            by: NamedBy::Argument,
        },
        ToolError::EnvStore,
        ToolError::Vault(VaultError::NoKey),
        ToolError::KeyRefused,
        ToolError::NoChance,
        ToolError::Confirmation(BadToken::Expired),
        ToolError::Disabled {
            tool: "orders_update",
            reason: Reason::ReadOnly,
        },
        ToolError::Masked("changes.email".into()),
        ToolError::Cursor,
        ToolError::Fields(vec!["`x` is no field".into()]),
        ToolError::TooLarge { bytes: 2, limit: 1 },
        ToolError::Desk(DeskError::Auth),
        ToolError::Deadline(Duration::from_secs(1)),
        ToolError::Cancelled,
        ToolError::Panicked,
    ]
}

#[test]
fn every_error_has_a_code_of_its_own_and_says_what_to_do() {
    let mut codes: Vec<&str> = one_of_each().iter().map(ToolError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), one_of_each().len());
    for error in one_of_each() {
        let text = error.to_text();
        assert!(
            text.starts_with(error.code()) && text.contains("\nhint: "),
            "{text}"
        );
        assert!(error.hint().len() > 15, "{text}");
        assert!(!error.to_string().ends_with('.'), "{text}");
    }
}

#[test]
fn of_many_stores_a_hint_names_some() {
    let names: Vec<String> = (0..100).map(|number| format!("Shop {number}")).collect();
    let hint = ToolError::NoActiveStore(names).hint();
    assert!(
        hint.ends_with("`Shop 19` and 80 more (see stores_list)"),
        "{hint}"
    );
}

#[test]
fn a_wait_that_is_known_is_said() {
    let error = ToolError::Desk(DeskError::TooBusy {
        wait: Duration::from_millis(1200),
    });
    assert!(
        error.to_text().contains("retry after: 2 s"),
        "{}",
        error.to_text()
    );
}

#[test]
fn what_the_caller_wrote_is_repeated_short_and_clean() {
    assert_eq!(quoted("a\u{202E}b`c\nd"), "`ab c d`");
    assert!(quoted(&"x".repeat(1000)).chars().count() < 70);
    assert_eq!(quoted("9f86d081884c7d659a2feaa0c55ad015"), "`…`");
}

#[test]
fn thousands_of_mistakes_are_not_all_told_and_what_to_do_always_is() {
    let mistakes = (0..5000).map(|number| format!("`argument{number}` is not known"));
    let text = ToolError::Arguments(mistakes.collect()).to_text_of_a_change();
    assert!(text.len() < 8_500, "{}", text.len());
    assert!(text.contains(" … (and ") && text.contains("\noutcome: not_done\nhint: "));
    let unbroken = ToolError::Arguments(vec!["é".repeat(10_000)]).to_text();
    assert!(unbroken.len() < 8_500 && unbroken.contains("\nhint: "));
}
