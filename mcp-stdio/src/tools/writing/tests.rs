//! The one way of every change: shown, agreed to, carried out, told.

mod kit;

use std::time::Duration;

use super::*;
use crate::config::Confirm;
use crate::confirm::BadToken;
use crate::person::{Decision, Nobody};
use kit::{Bench, Fake, Says, bench, bench_of, fake, token_of, with_token};

#[tokio::test]
async fn what_can_be_undone_is_done_and_what_cannot_is_shown_first() {
    let bench = bench(Confirm::Auto);
    let light = fake(Weight::Light);
    let done = bench.call(&light, json!({}), &Nobody).await.unwrap();
    assert_eq!((&done["outcome"], light.times_done()), (&json!("done"), 1));
    for weight in [Weight::Bulk(2), Weight::Destroys] {
        let change = fake(weight);
        let shown = bench.call(&change, json!({}), &Nobody).await.unwrap();
        token_of(&shown);
        assert_eq!(change.times_done(), 0);
    }
}

#[tokio::test]
async fn the_setting_decides_when_somebody_is_asked() {
    let change = fake(Weight::Light);
    let shown = bench(Confirm::Always)
        .call(&change, json!({}), &Nobody)
        .await
        .unwrap();
    token_of(&shown);
    let change = fake(Weight::Destroys);
    let done = bench(Confirm::Never)
        .call(&change, json!({}), &Nobody)
        .await
        .unwrap();
    assert_eq!(done["outcome"], "done");
}

#[tokio::test]
async fn a_dry_run_only_shows_and_its_token_does_exactly_that() {
    let bench = bench(Confirm::Never);
    let change = fake(Weight::Light);
    let arguments = json!({"order_id": "7"});
    let dry = json!({"order_id": "7", "dry_run": true});
    let shown = bench.call(&change, dry, &Says::that(Decision::Yes)).await;
    let shown = shown.unwrap();
    assert_eq!(shown["diff"][0]["before"], "Ljubljana");
    assert_eq!(change.times_done(), 0);
    let confirmed = with_token(&arguments, &token_of(&shown));
    bench.call(&change, confirmed, &Nobody).await.unwrap();
    let agreed = change.agreed.lock().clone().unwrap();
    assert_eq!(
        (agreed.basis.as_str(), change.times_done()),
        ("Ljubljana", 1)
    );
}

/// Gets a token, changes something, and gives why the token does not count.
async fn refused(
    arguments: Value,
    meanwhile: impl FnOnce(&Bench, &Fake, &mut Value),
) -> (BadToken, usize) {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let shown = bench.call(&change, arguments.clone(), &Nobody).await;
    let mut confirmed = with_token(&arguments, &token_of(&shown.unwrap()));
    meanwhile(&bench, &change, &mut confirmed);
    match bench.call(&change, confirmed, &Nobody).await {
        Err(ToolError::Confirmation(bad)) => (bad, change.times_done()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_stands_for_these_arguments_this_state_and_five_minutes() {
    let arguments = json!({"order_id": "7", "changes": {"a": 1, "b": {"c": 2, "d": 3}}});
    let other = refused(arguments.clone(), |_, _, call| call["order_id"] = 8.into()).await;
    assert_eq!(other, (BadToken::NotForThis, 0));
    let deeper = refused(arguments.clone(), |_, _, call| {
        call["changes"]["b"]["d"] = 4.into();
    });
    assert_eq!(deeper.await, (BadToken::NotForThis, 0));
    let state = refused(arguments.clone(), |_, change, _| {
        *change.city.lock() = "Koper";
    })
    .await;
    assert_eq!(state, (BadToken::NotForThis, 0));
    let late = refused(arguments.clone(), |bench, _, _| {
        bench.clock.advance(Duration::from_secs(301));
    });
    assert_eq!(late.await, (BadToken::Expired, 0));
    let forged = refused(arguments, |_, _, call| {
        call["confirm"] = "00".repeat(32).into();
    })
    .await;
    assert_eq!(forged, (BadToken::NotForThis, 0));
}

#[tokio::test]
async fn a_token_is_good_once_and_however_the_same_call_is_written() {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let first = json!({"order_id": "7", "changes": {"a": 1, "b": {"c": 2, "d": 3}}});
    let token = token_of(&bench.call(&change, first, &Nobody).await.unwrap());
    let again = json!({"changes": {"b": {"d": 3, "c": 2}, "a": 1}, "confirm": token, "order_id": 7, "store": "4242"});
    bench.call(&change, again.clone(), &Nobody).await.unwrap();
    let twice = bench.call(&change, again, &Nobody).await;
    assert!(
        matches!(twice, Err(ToolError::Confirmation(BadToken::Used))),
        "{twice:?}"
    );
    assert_eq!(change.times_done(), 1);
}

#[tokio::test]
async fn what_one_process_has_acted_on_no_other_does() {
    let first = bench(Confirm::Auto);
    first.context.slot.open_now().unwrap();
    let second = Bench {
        context: first.another(),
        clock: Arc::clone(&first.clock),
        folder: Arc::clone(&first.folder),
    };
    let change = fake(Weight::Destroys);
    let asked = Says::that(Decision::Later);
    first.call(&change, json!({}), &asked).await.unwrap();
    let token = asked.asked.lock()[0].1.clone();
    let yes = Says::brings(&token, Decision::Yes);
    first.call(&change, json!({}), &yes).await.unwrap();
    let again = second.call(&change, json!({}), &yes).await;
    assert!(
        matches!(again, Err(ToolError::Confirmation(BadToken::Used))),
        "{again:?}"
    );
    assert_eq!(change.times_done(), 1);
}

#[tokio::test]
async fn who_has_said_no_does_not_say_yes_to_the_same_question() {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let asked = Says::that(Decision::Later);
    bench.call(&change, json!({}), &asked).await.unwrap();
    let token = asked.asked.lock()[0].1.clone();
    let no = Says::brings(&token, Decision::No);
    bench.call(&change, json!({}), &no).await.unwrap();
    let yes = bench
        .call(&change, json!({}), &Says::brings(&token, Decision::Yes))
        .await;
    assert!(
        matches!(yes, Err(ToolError::Confirmation(BadToken::Used))),
        "{yes:?}"
    );
    assert_eq!(change.times_done(), 0);
}

#[tokio::test]
async fn a_token_for_one_store_is_nothing_for_another() {
    let change = fake(Weight::Destroys);
    let ours = bench_of("4242", Confirm::Auto);
    let token = token_of(&ours.call(&change, json!({}), &Nobody).await.unwrap());
    // The same key on purpose: what keeps them apart is the store.
    let theirs = bench_of("4343", Confirm::Auto);
    let answer = theirs
        .call(&change, json!({"confirm": token}), &Nobody)
        .await;
    assert!(
        matches!(answer, Err(ToolError::Confirmation(BadToken::NotForThis))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_person_who_agrees_lets_it_happen_and_one_who_does_not_stops_it() {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let yes = Says::that(Decision::Yes);
    let done = bench.call(&change, json!({"order_id": "7"}), &yes).await;
    assert_eq!(done.unwrap()["outcome"], "done");
    assert!(change.agreed.lock().is_some(), "bound to what was shown");
    let (question, _) = yes.asked.lock()[0].clone();
    assert!(
        question.text.contains("order_id: `7`")
            && question
                .text
                .contains("shipping.city: \"Ljubljana\" → \"Maribor\""),
        "{question:?}"
    );

    let no = bench
        .call(&change, json!({}), &Says::that(Decision::No))
        .await;
    let no = no.unwrap();
    assert_eq!(
        (&no["outcome"], &no["diff"]),
        (&json!("not_done"), &json!([]))
    );
    assert_eq!(change.times_done(), 1);
}

#[tokio::test]
async fn where_nobody_answers_a_preview_takes_the_questions_place() {
    let bench = bench(Confirm::Auto);
    for decision in [Decision::Silent, Decision::Later] {
        let change = fake(Weight::Destroys);
        let person = Says::that(decision);
        let shown = bench.call(&change, json!({}), &person).await.unwrap();
        assert_eq!(token_of(&shown), person.asked.lock()[0].1);
        assert_eq!(change.times_done(), 0);
    }
}

#[tokio::test]
async fn a_call_that_brings_back_an_answer_is_held_to_its_token() {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let asked = Says::that(Decision::Later);
    bench.call(&change, json!({}), &asked).await.unwrap();
    let token = asked.asked.lock()[0].1.clone();

    let forger = Says::brings("no token", Decision::Yes);
    let forged = bench.call(&change, json!({}), &forger).await;
    assert!(matches!(forged, Err(ToolError::Confirmation(_))));
    let no = bench
        .call(&change, json!({}), &Says::brings("another", Decision::No))
        .await;
    assert_eq!(no.unwrap()["outcome"], "not_done");
    let silent = Says::brings(&token, Decision::Silent);
    token_of(&bench.call(&change, json!({}), &silent).await.unwrap());
    assert!(silent.asked.lock().is_empty(), "nobody is asked twice");
    assert_eq!(change.times_done(), 0);

    let yes = Says::brings(&token, Decision::Yes);
    let done = bench.call(&change, json!({}), &yes).await.unwrap();
    assert_eq!((&done["outcome"], change.times_done()), (&json!("done"), 1));
    let replayed = bench.call(&change, json!({}), &yes).await;
    assert!(
        matches!(replayed, Err(ToolError::Confirmation(BadToken::Used))),
        "{replayed:?}"
    );
    assert_eq!(change.times_done(), 1);
}

#[tokio::test]
async fn a_change_that_needs_no_question_still_honours_an_answer() {
    let bench = bench(Confirm::Never);
    let change = fake(Weight::Light);
    let no = Says::brings("any", Decision::No);
    let answer = bench.call(&change, json!({}), &no).await.unwrap();
    assert_eq!(
        (&answer["outcome"], change.times_done()),
        (&json!("not_done"), 0)
    );
}

#[tokio::test]
async fn a_token_that_a_model_made_itself_is_no_substitute_for_a_person_who_can_be_asked() {
    let bench = bench(Confirm::Auto);
    let change = fake(Weight::Destroys);
    let token = async || {
        let dry = json!({"dry_run": true});
        token_of(&bench.call(&change, dry, &Nobody).await.unwrap())
    };
    let no = Says::that(Decision::No);
    let confirmed = json!({"confirm": token().await});
    let answer = bench.call(&change, confirmed, &no).await.unwrap();
    assert_eq!(answer["outcome"], "not_done");
    let silent = Says::that(Decision::Silent);
    let confirmed = json!({"confirm": token().await});
    token_of(&bench.call(&change, confirmed, &silent).await.unwrap());
    assert_eq!(change.times_done(), 0);
    let yes = Says::that(Decision::Yes);
    let confirmed = json!({"confirm": token().await});
    let answer = bench.call(&change, confirmed, &yes).await.unwrap();
    assert_eq!(
        (&answer["outcome"], yes.asked.lock().len()),
        (&json!("done"), 1)
    );

    // What needs no question is done with its token alone.
    let light = fake(Weight::Light);
    let shown = bench.call(&light, json!({"dry_run": true}), &Nobody).await;
    let confirmed = json!({"confirm": token_of(&shown.unwrap())});
    let answer = bench.call(&light, confirmed, &no).await.unwrap();
    assert_eq!(answer["outcome"], "done");
}
