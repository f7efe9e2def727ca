//! How doctor behaves: quick, discreet, and without touching anything.

use std::time::{Duration, Instant};

use orderdesk_sandbox::{Fault, Options, Rule};

use crate::bench::{Bench, SHOP};
use crate::support::golden;

/// What the documentation promises.
const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn an_api_that_hangs_is_named_in_time() {
    let bench = Bench::ready();
    bench
        .sandbox
        .faults()
        .add(Rule::new(Fault::HangBefore).on("GET", "/*"));
    let began = Instant::now();
    bench.doctor().fails("api");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
}

/// A restore holds the gate for seconds: that is no reason to mend anything.
#[test]
fn a_state_file_that_is_being_restored_is_only_a_warning() {
    let bench = Bench::ready();
    let gate = std::fs::File::open(bench.home().join("run").join("gate.lock")).unwrap();
    gate.try_lock().unwrap();
    let diagnosis = bench.doctor();
    diagnosis.warns(&["backup", "state"]);
    assert_eq!(diagnosis.report["ok"], true, "{:#}", diagnosis.report);
    drop(gate);
    bench.doctor().is_content_with("state");
}

#[test]
fn a_store_from_the_environment_needs_no_home_no_key_and_no_vault() {
    let bench = Bench::bare();
    let store = bench.sandbox.store(0);
    let address = bench.sandbox.base_url();
    let bench = bench
        .set("API_BASE_URL", address)
        .set("STORE_ID", store.store_id)
        .set("API_KEY", store.api_key);
    let diagnosis = bench.doctor();
    diagnosis.is_content_with("credentials");
    diagnosis.warns(&["sidecar"]);
    assert_eq!(diagnosis.report["waiting"], serde_json::json!([]));
    assert!(!bench.home().exists(), "looking made something");

    let wrong = bench.set("API_KEY", "an-old-key");
    let diagnosis = wrong.doctor();
    diagnosis.fails("credentials");
    assert!(!diagnosis.report.to_string().contains("an-old-key"));
}

#[test]
fn nothing_is_sent_while_the_settings_have_mistakes() {
    let bench = Bench::ready().set("HTTP_TIMEOUT", "soon");
    bench.sandbox.forget_requests();
    let diagnosis = bench.doctor();
    diagnosis.fails("settings");
    assert!(bench.sandbox.requests().is_empty());
    assert!(
        diagnosis.report["waiting"]
            .to_string()
            .contains(r#"{"id":"api","waits_for":"settings"}"#),
        "{:#}",
        diagnosis.report
    );
}

#[test]
fn one_tenant_sees_nothing_of_another() {
    let bench = Bench::with(Options {
        stores: 2,
        ..Options::default()
    })
    .set_up();
    let second = bench.sandbox.store(1);
    let mine = "--master-key-file second.key";
    bench.run(&format!("{mine} init --name second"), "").ok();
    let add = format!(
        "{mine} store add --no-verify --name Secretly --id {} --api-base-url http://127.0.0.1:1/api/v2",
        second.store_id
    );
    bench.run(&add, &second.api_key).ok();

    let first = bench.doctor();
    first.is_content_with("api");
    let all = first.report.to_string();
    for hidden in ["Secretly", "second", &second.store_id, "127.0.0.1:1/"] {
        assert!(!all.contains(hidden), "`{hidden}` in {all}");
    }
    let other = bench.run(&format!("{mine} doctor --json"), "");
    assert!(other.stdout.contains("Secretly"), "{other:?}");
    assert!(!other.stdout.contains(SHOP), "{other:?}");
    assert!(
        other.stdout.contains("--master-key-file"),
        "its remedies mean its own key: {other:?}"
    );
}

#[test]
fn what_programs_read_is_as_its_golden_files_say() {
    let bench = Bench::bare();
    golden("doctor/fresh.json", &shown(&bench));
    let bench = bench.set_up();
    golden("doctor/sound.json", &shown(&bench));
    bench.mode(&bench.master_key(), 0o644);
    golden("doctor/broken.json", &shown(&bench));
}

/// The report without what is different on every machine.
fn shown(bench: &Bench) -> String {
    let mut report = bench.doctor().report;
    for check in report["checks"].as_array_mut().unwrap() {
        match check["id"].as_str().unwrap() {
            "disk" => check["summary"] = "N GB free".into(),
            "state" => check["summary"] = "opens and can be written (schema N, N ms)".into(),
            "tenant" => check["summary"] = "`main` (key `ID`, version 1)".into(),
            // Whether one is installed beside depends on what was built.
            "backup" | "sidecar" => check["hint"] = "…: `ops-sidecar …`".into(),
            _ => {}
        }
    }
    let text = format!("{report:#}\n");
    let text = text.replace(&bench.home().display().to_string(), "/HOME");
    let text = text.replace(&bench.program.display().to_string(), "/PROGRAM");
    text.replace(&bench.sandbox.base_url(), "http://API")
}

#[test]
fn a_pipe_gets_no_colours_and_the_last_line_says_it_all() {
    let bench = Bench::ready();
    let said = bench.run("doctor", "").ok();
    assert!(!said.stdout.contains('\x1b'), "{said:?}");
    assert!(
        said.stdout.ends_with("\nit works; 2 warnings\n"),
        "{}",
        said.stdout
    );
    let said = bench.run("doctor | head -n 1", "");
    assert!(said.stderr.is_empty(), "{said:?}");
}
