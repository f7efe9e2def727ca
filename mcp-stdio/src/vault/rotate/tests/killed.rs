//! A process that rotates its key again and again, killed at any moment: whatever it was doing, one key works.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use shared::clock::SystemClock;
use shared::env::Vars;
use shared::paths::Home;
use shared::state::Slot;

use super::*;

/// Tells the child whose key to rotate.
const HOME_OF_CHILD: &str = "VAULT_TEST_HOME";

/// How many times a process is killed; each time somewhere else.
const KILLS: usize = 24;

#[test]
#[ignore = "the child of the test below"]
fn child_that_rotates_until_it_is_killed() {
    let env = Vars::from_process();
    let home = Home::at(env.get(HOME_OF_CHILD).expect("the parent names a home"));
    let sources = Sources::of_test(&home, None, None);
    loop {
        let slot = Slot::new(home.clone());
        let vault = Vault::new(slot, sources.clone(), SystemClock::shared());
        let prepared = prepare(&vault, NewKey::Random, "test").unwrap();
        println!("\nstep: prepared");
        let committed = commit(prepared, &actor()).unwrap();
        println!("\nstep: committed");
        finish(committed).unwrap();
        println!("\nstep: finished");
    }
}

fn rotating(home: &Home) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "vault::rotate::tests::killed::child_that_rotates_until_it_is_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(HOME_OF_CHILD, home.root())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets the child take so many steps, and then a little of the next one.
fn kill_after(mut child: Child, steps: usize, then: Duration) {
    // Kept until the end: a child whose pipe is closed dies of that.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let taken = lines
        .by_ref()
        .map_while(Result::ok)
        .filter(|line| line.starts_with("step: "))
        .take(steps)
        .count();
    assert_eq!(taken, steps, "the child died by itself");
    let until = Instant::now() + then;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_at_any_moment_one_key_works_and_only_one() {
    let shop = Shop::new(Kind::HomeFile);
    let mut chance = fastrand::Rng::with_seed(7);
    let mut interrupted = 0;
    for round in 0..KILLS {
        let then = Duration::from_micros(chance.u64(0..6_000));
        kill_after(rotating(&shop.world.home), 1 + round % 3, then);

        let left = shop.sources.find().unwrap();
        let keys: Vec<Secret> = left.candidates.iter().map(KeyText::to_text).collect();
        let working = keys
            .iter()
            .filter(|key| shop.opens_with(shop.world.at_environment(key)))
            .count();
        assert_eq!(working, 1, "round {round} left {} keys", keys.len());
        interrupted += keys.len() - 1;
        assert!(shop.opens_with(shop.sources.clone()), "round {round}");
    }
    assert!(
        interrupted > 0,
        "no kill came in between: {KILLS} rounds prove nothing"
    );
    let key = shop.sources.find().unwrap().candidates[0].to_text();
    shop.audit_is_sound(&key);
}
