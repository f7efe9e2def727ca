//! Broken set-ups, each with its remedy.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use orderdesk_sandbox::{Clock, Options, Sandbox};

use crate::bench::{Bench, SHOP, sibling, skip};

#[test]
fn a_sound_set_up_is_found_sound() {
    let bench = Bench::ready();
    let diagnosis = bench.doctor();
    assert_eq!(diagnosis.report["ok"], true, "{:#}", diagnosis.report);
    diagnosis.warns(&["backup", "sidecar"]);
    assert_eq!(diagnosis.report["waiting"], serde_json::json!([]));
    assert_eq!(
        diagnosis.check("key")["summary"],
        "comes from `master.key` in the home folder"
    );
}

#[test]
fn wrong_permissions() {
    let bench = Bench::ready();
    bench.mode(&bench.master_key(), 0o644);
    let broken = bench.doctor();
    broken.fails("key");
    bench.type_line(broken.remedy("key"), "").ok();
    bench.doctor().is_content_with("key");
}

#[test]
fn a_home_that_others_may_write_into() {
    let bench = Bench::ready();
    bench.mode(&bench.home(), 0o777);
    let broken = bench.doctor();
    broken.fails("home");
    bench.type_line(broken.remedy("home"), "").ok();
    bench.doctor().is_content_with("home");
}

#[test]
fn no_home() {
    let bench = Bench::bare();
    let broken = bench.doctor();
    broken.fails("home");
    assert!(!bench.home().exists(), "looking made something");
    bench.type_line(broken.remedy("home"), "").ok();
    let after = bench.doctor();
    after.is_content_with("home");
    after.warns(&["backup", "sidecar", "vault"]);
}

#[test]
fn no_key() {
    let bench = Bench::bare();
    // A client has started the server before anybody typed `init`.
    bench.run("serve", "").ok();
    let broken = bench.doctor();
    broken.fails("key");
    bench.type_line(broken.remedy("key"), "").ok();
    bench.doctor().is_content_with("key");
}

#[test]
fn a_key_that_was_lost_is_brought_from_an_export() {
    let bench = Bench::ready();
    let words = "six words that nobody will guess";
    bench.run("key export --to my-key.age", words).ok();
    std::fs::remove_file(bench.master_key()).unwrap();
    let broken = bench.doctor();
    broken.fails("key");
    let remedy = broken.remedy("key").replace("FILE", "my-key.age");
    bench.type_line(&remedy, words).ok();
    let after = bench.doctor();
    after.is_content_with("key");
    after.is_content_with("vault");
}

#[test]
fn a_wrong_key() {
    let bench = Bench::ready();
    let others = Bench::ready();
    let import = format!("key import --force '{}'", others.master_key().display());
    bench.run(&import, "").ok();
    let broken = bench.doctor();
    broken.fails("tenant");
    bench.type_line(broken.remedy("tenant"), "").ok();
    let after = bench.doctor();
    after.is_content_with("tenant");
    after.is_content_with("vault");
}

#[test]
fn a_wrong_key_whose_right_one_is_elsewhere() {
    let bench = Bench::ready();
    let others = Bench::ready();
    let kept = bench.folder.path().join("kept.key");
    std::fs::rename(bench.master_key(), &kept).unwrap();
    std::fs::copy(others.master_key(), bench.master_key()).unwrap();
    let broken = bench.doctor();
    broken.fails("tenant");
    let remedy = broken.remedy("tenant").replace("FILE", "kept.key");
    bench.type_line(&remedy, "").ok();
    bench.doctor().is_content_with("vault");
}

#[test]
fn an_api_that_cannot_be_reached_because_the_address_has_changed() {
    let mut bench = Bench::ready();
    let moved = Sandbox::start_blocking(Options::default()).unwrap();
    let old = std::mem::replace(&mut bench.sandbox, moved);
    old.stop();
    let bench = {
        let address = bench.sandbox.base_url();
        bench.set("API_BASE_URL", address)
    };
    let broken = bench.doctor();
    broken.fails("api");
    bench.type_line(broken.remedy("api"), &bench.api_key()).ok();
    let after = bench.doctor();
    after.is_content_with("api");
    after.is_content_with("credentials");
}

#[test]
fn an_api_that_cannot_be_reached_because_the_simulator_is_not_running() {
    let Some(program) = sibling("orderdesk-sandbox") else {
        return skip("orderdesk-sandbox is not built: `cargo build -p orderdesk-sandbox`");
    };
    let mut bench = Bench::ready();
    let elsewhere = Sandbox::start_blocking(Options::default()).unwrap();
    std::mem::replace(&mut bench.sandbox, elsewhere).stop();
    let broken = bench.doctor();
    broken.fails("api");
    let mut folders = vec![parent(&program).to_owned()];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let path = std::env::join_paths(folders).unwrap();
    bench
        .env
        .push(("PATH".to_owned(), path.into_string().unwrap()));
    let _running = Running::start(&bench, broken.remedy("api"));
    until_content_with(&bench, "api");
}

#[test]
fn a_key_that_order_desk_refuses() {
    let bench = Bench::ready();
    let id = bench.sandbox.store(0).store_id;
    let words = format!(
        "store add --replace --no-verify --name '{SHOP}' --id {id} --api-base-url {}",
        bench.sandbox.base_url()
    );
    bench.run(&words, "an-old-key").ok();
    let broken = bench.doctor();
    broken.fails("credentials");
    bench
        .type_line(broken.remedy("credentials"), &bench.api_key())
        .ok();
    bench.doctor().is_content_with("credentials");
}

#[test]
fn a_clock_that_is_off() {
    const OFF: Duration = Duration::from_secs(3600);
    let clock = Clock::manual(Timestamp::now() - OFF);
    let options = Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let bench = Bench::with(options).set_up();
    let broken = bench.doctor();
    broken.fails("clock");
    let expected = if cfg!(target_os = "macos") {
        "sntp -sS time.apple.com"
    } else {
        "timedatectl set-ntp true"
    };
    // Not typed: it would set the clock of the machine that runs the tests. What it does, the sandbox's clock does instead.
    let remedy = broken.remedy("clock");
    assert_eq!(remedy.strip_prefix("sudo ").unwrap_or(remedy), expected);
    clock.advance(OFF);
    bench.doctor().is_content_with("clock");
}

#[test]
fn a_full_disk() {
    let mut bench = Bench::bare();
    let Some(_disk) = Mounted::on(&bench.home()) else {
        return skip("a small disk can be mounted only by root");
    };
    bench = bench.set_up();
    bench.doctor().is_content_with("disk");
    let culprit = bench.home().join("logs").join("somebody's dump");
    std::fs::write(&culprit, vec![1; 60 << 20]).unwrap();
    let broken = bench.doctor();
    broken.fails("disk");
    let said = bench.type_line(broken.remedy("disk"), "").ok();
    assert!(said.stdout.contains("somebody's dump"), "{said:?}");
    std::fs::remove_file(culprit).unwrap();
    bench.doctor().is_content_with("disk");
}

#[test]
fn a_disk_that_became_read_only() {
    let bench = Bench::bare();
    let Some(disk) = Mounted::on(&bench.home()) else {
        return skip("a disk can be mounted only by root");
    };
    let bench = bench.set_up();
    disk.remount("ro");
    let broken = bench.doctor();
    broken.fails("home");
    let said = bench.type_line(broken.remedy("home"), "").ok();
    assert!(said.stdout.contains("tmpfs"), "{said:?}");
    disk.remount("rw");
    bench.doctor().is_content_with("home");
}

#[test]
fn a_state_file_that_may_not_be_written() {
    let bench = Bench::ready();
    bench.mode(&bench.home().join("state.db"), 0o400);
    if bench.type_line("id -u", "").stdout == "0\n" {
        return skip("root may write everything");
    }
    let broken = bench.doctor();
    broken.fails("state");
    bench.type_line(broken.remedy("state"), "").ok();
    bench.doctor().is_content_with("state");
}

/// The schema number stands at byte 60 of the file's header: what a version of the future would leave there.
#[test]
fn a_state_file_of_a_newer_version() {
    let bench = Bench::ready();
    let file = bench.home().join("state.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    std::fs::write(&file, &bytes).unwrap();
    replace_in_state(&bench, "compatible_from", "compatible_with");
    let bytes = std::fs::read(&file).unwrap();

    let broken = bench.doctor();
    broken.fails("state");
    assert!(broken.hint("state").starts_with("update this program"));
    bench.type_line(broken.remedy("state"), "").ok();
    let after = bench.doctor();
    after.is_content_with("state");
    after.warns(&["backup", "sidecar", "vault"]);
    let aside = std::fs::read_dir(bench.home()).unwrap().find_map(|entry| {
        let entry = entry.unwrap();
        let is_aside = entry.file_name().to_string_lossy().starts_with("state-");
        is_aside.then(|| entry.path().join("state.db"))
    });
    assert_eq!(
        std::fs::read(aside.unwrap()).unwrap(),
        bytes,
        "nothing is lost"
    );
}

#[test]
fn no_backup() {
    let bench = Bench::ready();
    let broken = bench.doctor();
    broken.warns(&["backup", "sidecar"]);
    if sibling("ops-sidecar").is_none() {
        return skip("ops-sidecar is not built: `cargo build -p ops-sidecar`");
    }
    bench.type_line(broken.remedy("backup"), "").ok();
    let after = bench.doctor();
    after.is_content_with("backup");
    // What it cannot give back is said, with the command for that.
    let key = after.check("tenant")["summary"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = key.split('`').nth(3).unwrap();
    let said = after.check("backup")["summary"].as_str().unwrap();
    assert!(
        said.contains(&format!("only with master key `{id}`")),
        "{said}"
    );
    bench
        .type_line(after.remedy("backup"), "six words that nobody will guess")
        .ok();
    assert!(bench.folder.path().join("my-key.age").exists());
}

#[test]
fn a_missing_sidecar() {
    let bench = Bench::ready();
    let broken = bench.doctor();
    broken.warns(&["backup", "sidecar"]);
    assert_eq!(broken.report["ok"], true);
    if sibling("ops-sidecar").is_none() {
        return skip("ops-sidecar is not built: `cargo build -p ops-sidecar`");
    }
    let bench = bench.set("LISTEN", "127.0.0.1:0");
    let running = Running::start(&bench, broken.remedy("sidecar"));
    until_content_with(&bench, "sidecar");
    drop(running);
    assert_eq!(bench.doctor().check("sidecar")["ok"], false);
}

#[test]
fn a_client_that_starts_a_program_that_was_moved() {
    let mut bench = Bench::ready();
    let program = |folder: &str| bench.folder.path().join(folder).join("mcp-stdio");
    let (old, new) = (program("old bin"), program("new bin"));
    for folder in [parent(&old), parent(&new)] {
        std::fs::create_dir(folder).unwrap();
    }
    std::fs::copy(&bench.program, &old).unwrap();
    bench.program.clone_from(&old);
    bench.run("install --client claude-code", "").ok();
    bench.doctor().is_content_with("clients");

    std::fs::rename(&old, &new).unwrap();
    bench.program.clone_from(&new);
    let broken = bench.doctor();
    broken.fails("clients");
    bench.type_line(broken.remedy("clients"), "").ok();
    bench.doctor().is_content_with("clients");
    let config = std::fs::read_to_string(bench.user_home().join(".claude.json")).unwrap();
    assert!(config.contains("new bin/mcp-stdio"), "{config}");
}

#[test]
fn a_rotation_that_was_interrupted_before_it_was_committed() {
    let bench = Bench::ready();
    let others = Bench::ready();
    let next = bench.home().join("master.key.next");
    std::fs::copy(others.master_key(), &next).unwrap();
    let broken = bench.doctor();
    broken.warns(&["backup", "sidecar", "leftover"]);
    bench.type_line(broken.remedy("leftover"), "").ok();
    assert!(!next.exists());
    bench.doctor().is_content_with("leftover");
}

/// In the place where nobody would look: the address to which the key would be sent.
#[test]
fn a_seal_that_does_not_open() {
    let bench = Bench::ready();
    let address = bench.sandbox.base_url();
    let evil = address.replace("127.0.0.1", "127.0.0.2");
    replace_in_state(&bench, &address, &evil);
    let bench = bench.set("API_BASE_URL", address);
    let broken = bench.doctor();
    broken.fails("vault");
    let remedy = broken.remedy("vault");
    assert!(!remedy.contains("127.0.0.2"), "{remedy}");
    let remedy = remedy.replace("STORE_ID", &bench.sandbox.store(0).store_id);
    bench.type_line(&remedy, &bench.api_key()).ok();
    bench.doctor().is_content_with("vault");
}

#[test]
fn a_record_that_was_changed() {
    let bench = Bench::ready();
    replace_in_state(&bench, "store.added", "store.addex");
    let broken = bench.doctor();
    broken.fails("audit");
    // Nothing mends a history; the remedy shows where it is broken.
    let said = bench.type_line(broken.remedy("audit"), "");
    assert_eq!(said.code, Some(1), "{said:?}");
}

/// As somebody would who can write the file, with every process of this home ended.
fn replace_in_state(bench: &Bench, old: &str, new: &str) {
    assert_eq!(old.len(), new.len());
    let file = bench.home().join("state.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let places: Vec<usize> = (0..bytes.len() - old.len())
        .filter(|at| bytes[*at..].starts_with(old.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "`{old}` is not in the file");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    std::fs::write(&file, &bytes).unwrap();
}

fn parent(file: &Path) -> &Path {
    file.parent().unwrap()
}

#[track_caller]
fn until_content_with(bench: &Bench, id: &str) {
    let began = Instant::now();
    while bench.doctor().check(id)["ok"] != true {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "never content with `{id}`"
        );
    }
    bench.doctor().is_content_with(id);
}

/// A command that stays. Killed when dropped.
struct Running(Child);

impl Running {
    fn start(bench: &Bench, line: &str) -> Running {
        // In place of the shell, so that ending it ends the program.
        Running(bench.shell(&format!("exec {line}")).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A disk of a hundred megabytes. Taken away when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn on(folder: &Path) -> Option<Mounted> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=100m,mode=700", "tmpfs"])
            .arg(folder)
            .output();
        let done = mounted.is_ok_and(|output| output.status.success());
        done.then(|| Mounted(folder.to_owned()))
    }
}

impl Mounted {
    fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
