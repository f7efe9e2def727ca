//! The corridor: what is answered when a tool works, fails, hangs, panics or is not wanted any more.

use super::*;
use crate::args::{Argument, Kind};
use crate::config::Config;
use crate::person::Nobody;
use crate::tools::{Run, Toolset, Writes};
use serde_json::{Value, json};
use shared::clock::SystemClock;
use shared::env::Settings;
use shared::paths::Home;
use shared::session::Kind as SessionKind;
use shared::state::Slot;
use shared::telemetry::Telemetry;
use std::future::{pending, ready};

const WORD: &[Argument] = &[Argument::optional("word", Kind::Text, "")];

const fn tool(run: Run) -> Tool {
    Tool {
        name: "server_status",
        title: "",
        description: "",
        arguments: WORD,
        answer: &[],
        toolset: Toolset::Stores,
        effect: Effect::Local,
        endpoints: &[],
        most_tokens: 0,
        run,
    }
}

static PANICS: Tool =
    tool(|_, _, _| async { panic!("rosa@example.com could not be read") }.boxed());
static HANGS: Tool = tool(|_, _, _| pending().boxed());
static ECHOES: Tool = tool(|_, args, _| {
    ready(Ok(
        Reply::ours().with("said", args.text("word").unwrap_or_default())
    ))
    .boxed()
});

/// What the client gets: text, and whether it is an error.
async fn call_with(
    mistakes: &[&str],
    tool: &'static Tool,
    arguments: &Value,
    cancelled: impl Future<Output = ()>,
) -> (String, bool) {
    call_by(&Nobody, mistakes, tool, arguments, cancelled).await
}

async fn call_asking(tool: &'static Tool, arguments: Value, person: &dyn Person) -> (String, bool) {
    call_by(person, &[], tool, &arguments, pending()).await
}

async fn call_by(
    person: &dyn Person,
    mistakes: &[&str],
    tool: &'static Tool,
    arguments: &Value,
    cancelled: impl Future<Output = ()>,
) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    let slot = Slot::new(home.clone());
    let telemetry = Telemetry::start(slot.clone(), SessionKind::McpStdio, "0");
    let mistakes = mistakes
        .iter()
        .map(|mistake| (*mistake).to_owned())
        .collect();
    let config = Config::new(home.clone(), &Settings::defaults(&home), None, mistakes);
    let context = Context::new(config, slot, telemetry.handle(), SystemClock::shared());
    let result = call(tool, &context, arguments.as_object(), person, cancelled).await;
    let text = result.content[0].as_text().unwrap().text.clone();
    (text, result.is_error == Some(true))
}

async fn call_tool(tool: &'static Tool, arguments: &Value) -> (String, bool) {
    call_with(&[], tool, arguments, pending()).await
}

#[tokio::test]
async fn a_tool_that_works_is_answered() {
    assert_eq!(
        call_tool(&ECHOES, &json!({"word": "hi"})).await,
        (r#"{"said":"hi"}"#.to_owned(), false)
    );
}

#[tokio::test]
async fn a_panicking_tool_is_answered_without_the_panics_words() {
    let (text, is_error) = call_tool(&PANICS, &json!({})).await;
    assert!(is_error && text.starts_with("internal: "), "{text}");
    assert!(!text.contains("rosa"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_hangs_is_given_up_before_the_client_gives_up() {
    let (text, is_error) = call_tool(&HANGS, &json!({})).await;
    assert!(is_error && text.starts_with("deadline: "), "{text}");
    assert!(
        DEADLINE > crate::desk::TOTAL_DEADLINE,
        "the desk's own error says more"
    );
    assert!(DEADLINE < Duration::from_secs(60));
}

#[tokio::test]
async fn a_cancelled_call_ends() {
    let (text, is_error) = call_with(&[], &HANGS, &json!({}), ready(())).await;
    assert!(is_error && text.starts_with("cancelled: "), "{text}");
}

#[tokio::test]
async fn a_misspelt_argument_never_reaches_the_tool() {
    let (text, is_error) = call_tool(&PANICS, &json!({"wrod": "hi"})).await;
    assert!(is_error && text.contains("did you mean `word`"), "{text}");
}

#[tokio::test]
async fn with_unusable_settings_no_tool_runs() {
    let (text, is_error) =
        call_with(&["`log`: no; hint: yes"], &PANICS, &json!({}), pending()).await;
    assert!(is_error && text.contains("`log`: no; hint: yes"), "{text}");
}

/// Takes its time to agree.
struct Slow(Duration);

impl Person for Slow {
    fn ask<'a>(&'a self, _: &'a Question, _: &'a str) -> BoxFuture<'a, Decision> {
        async move {
            tokio::time::sleep(self.0).await;
            Decision::Yes
        }
        .boxed()
    }
}

static ASKS_THEN_WORKS: Tool = tool(|_, args, person| {
    async move {
        let question = Question {
            title: String::new(),
            text: String::new(),
        };
        assert_eq!(person.ask(&question, "").await, Decision::Yes);
        let seconds = args.text("word").unwrap_or_default().parse().unwrap();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(Reply::ours())
    }
    .boxed()
});

#[tokio::test(start_paused = true)]
async fn the_time_that_a_person_thinks_is_not_ours() {
    let slow = Slow(Duration::from_secs(44));
    let asked = |seconds: u64| call_asking(&ASKS_THEN_WORKS, json!({"word": seconds}), &slow);
    let (text, is_error) = asked(50).await;
    assert!(!is_error, "{text}");
    let (text, is_error) = asked(56).await;
    assert!(is_error && text.starts_with("deadline: "), "{text}");
}

static WRITES: Tool = Tool {
    effect: Effect::Writes(Writes::Changes),
    ..tool(|_, args, _| {
        let bad = args.text("word") == Some("bad");
        async move {
            if bad {
                return Err(ToolError::NoStore);
            }
            pending().await
        }
        .boxed()
    })
};

#[tokio::test(start_paused = true)]
async fn an_error_of_a_change_says_whether_anything_was_changed() {
    let (text, _) = call_tool(&WRITES, &json!({"word": "bad"})).await;
    assert!(text.contains("\noutcome: not_done\n"), "{text}");
    let (text, _) = call_tool(&WRITES, &json!({"wrod": "bad"})).await;
    assert!(text.contains("\noutcome: not_done\n"), "{text}");
    let (text, _) = call_tool(&WRITES, &json!({})).await;
    assert!(
        text.starts_with("deadline: ") && text.contains("\noutcome: unknown\n"),
        "{text}"
    );
    let (text, _) = call_with(&[], &WRITES, &json!({}), ready(())).await;
    assert!(text.contains("\noutcome: unknown\n"), "{text}");
    let (text, _) = call_tool(&HANGS, &json!({})).await;
    assert!(!text.contains("outcome: "), "{text}");
}

#[tokio::test]
async fn a_masked_value_is_not_written() {
    let (text, is_error) = call_tool(&WRITES, &json!({"word": "r•••@example.com"})).await;
    assert!(
        is_error && text.starts_with("masked_value: `word`"),
        "{text}"
    );
    let (text, is_error) = call_tool(&ECHOES, &json!({"word": "r•••@example.com"})).await;
    assert!(!is_error, "{text}");
}
