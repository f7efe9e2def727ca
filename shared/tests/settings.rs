//! Settings as a person meets them: what is set where, what counts, and what is said about mistakes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use shared::env::{Loaded, Owner, Preset, SETTINGS, Settings, Source, Vars};
use shared::paths::Home;

/// A key that must never show up anywhere.
const KEY: &str = "hunter2-hunter2-hunter2";

/// What a person has set.
struct Given {
    folder: tempfile::TempDir,
    flags: Vec<(&'static str, String)>,
    variables: Vec<(String, OsString)>,
}

impl Given {
    fn nothing() -> Given {
        Given {
            folder: tempfile::tempdir().unwrap(),
            flags: Vec::new(),
            variables: Vec::new(),
        }
    }

    fn flag(mut self, key: &'static str, value: &str) -> Given {
        self.flags.push((key, value.to_owned()));
        self
    }

    fn variable(mut self, name: &str, value: impl Into<OsString>) -> Given {
        self.variables
            .push((format!("ORDERDESK_MCP_{name}"), value.into()));
        self
    }

    fn credentials(mut self) -> Given {
        let folder = self.folder.path().join("credentials");
        fs::create_dir(&folder).unwrap();
        self.variables
            .push(("CREDENTIALS_DIRECTORY".to_owned(), folder.into()));
        self
    }

    /// A private file of this name in the home folder.
    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Given {
        shared::fsx::write_atomic(
            &self.path(name),
            content.as_ref(),
            shared::fsx::Mode::Private,
        )
        .unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Loaded {
        let vars = Vars::from_pairs(self.variables.iter().cloned());
        Settings::load(&self.flags, &vars, &Home::at(self.folder.path()))
    }

    /// The settings, when nothing is wrong.
    fn settings(&self) -> Settings {
        let loaded = self.load();
        assert_eq!(loaded.mistakes, [], "unexpected mistakes");
        loaded.settings
    }

    /// The mistakes as they are printed; each must be complete and none may show the key.
    fn mistakes(&self) -> Vec<String> {
        let loaded = self.load();
        for mistake in &loaded.mistakes {
            assert!(
                !mistake.what.is_empty() && !mistake.why.is_empty() && !mistake.hint.is_empty(),
                "{mistake:?}"
            );
        }
        let lines: Vec<String> = loaded.mistakes.iter().map(ToString::to_string).collect();
        let everything = format!("{lines:?} {loaded:?} {:?}", loaded.settings.effective());
        assert!(
            !everything.contains("hunter2"),
            "a secret shows: {everything}"
        );
        lines
    }

    /// The only mistake there is.
    fn mistake(&self) -> String {
        let mistakes = self.mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        mistakes.into_iter().next().unwrap()
    }
}

#[test]
fn nothing_set_gives_the_documented_defaults() {
    let settings = Given::nothing().settings();
    assert_eq!(
        settings.url("api_base_url").as_str(),
        "https://app.orderdesk.me/api/v2"
    );
    assert_eq!(
        settings.duration("cache_ttl_orders"),
        Duration::from_secs(15)
    );
    assert_eq!(
        settings.duration("cache_ttl_products"),
        Duration::from_secs(60)
    );
    assert_eq!(
        settings.duration("cache_ttl_store_settings"),
        Duration::from_secs(300)
    );
    assert_eq!(settings.duration("http_timeout"), Duration::from_secs(30));
    assert_eq!(settings.count("http_max_retries"), 3);
    assert_eq!(settings.count("store_burst"), 19);
    assert!((settings.number("store_rate_per_second") - 2.9).abs() < f64::EPSILON);
    assert_eq!(settings.bytes("max_line_bytes"), 4 << 20);
    assert_eq!(settings.address("listen").to_string(), "127.0.0.1:9464");
    assert!(!settings.flag("allow_non_loopback"));
    assert_eq!(settings.text("store_id"), None);
    assert_eq!(settings.secret("api_key"), None);
    assert!(settings.list("allowed_hosts").is_empty());
    assert_eq!(
        (settings.text("log"), settings.text("log_format")),
        (Some("warn"), Some("text"))
    );
}

#[test]
fn loading_nothing_is_the_same_as_the_defaults() {
    let given = Given::nothing();
    let defaults = Settings::defaults(&Home::at(given.folder.path()));
    assert_eq!(
        given.settings().to_text(Owner::Both),
        defaults.to_text(Owner::Both)
    );
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default() {
    let given = Given::nothing().file(
        "config.toml",
        "http_timeout = \"30s\"\nstore_burst = 3\nlog = \"error\"\n",
    );
    let given = given
        .variable("HTTP_TIMEOUT", "20s")
        .variable("STORE_BURST", "2")
        .flag("http_timeout", "10s");
    let settings = given.settings();
    assert_eq!(
        (
            settings.duration("http_timeout"),
            settings.source("http_timeout")
        ),
        (Duration::from_secs(10), &Source::Flag)
    );
    assert_eq!(
        (
            settings.count("store_burst"),
            settings.source("store_burst")
        ),
        (2, &Source::Environment)
    );
    assert_eq!(
        (settings.text("log"), settings.source("log")),
        (
            Some("error"),
            &Source::ConfigFile(given.path("config.toml"))
        )
    );
    assert_eq!(settings.source("log_format"), &Source::Default);
}

#[test]
fn an_empty_value_counts_as_not_set_wherever_it_stands() {
    let given = Given::nothing()
        .file("config.toml", "log = \"\"\n")
        .flag("store_burst", " ");
    let settings = given
        .variable("STORE_BURST", "")
        .variable("API_KEY", "")
        .variable("API_KEY_FILE", "")
        .settings();
    assert_eq!(settings.count("store_burst"), 19);
    assert_eq!(settings.text("log"), Some("warn"));
    assert_eq!(settings.secret("api_key"), None);
}

#[test]
fn values_in_the_file_may_be_numbers_switches_and_lists() {
    let file = "http_timeout = 15\nstore_rate_per_second = 2\ncache_ttl_orders = 1.5\nallow_non_loopback = true\nallowed_hosts = [\"a.example\", \"b.example\"]\n";
    let settings = Given::nothing().file("config.toml", file).settings();
    assert_eq!(settings.duration("http_timeout"), Duration::from_secs(15));
    assert!((settings.number("store_rate_per_second") - 2.0).abs() < f64::EPSILON);
    assert_eq!(
        settings.duration("cache_ttl_orders"),
        Duration::from_millis(1500)
    );
    assert!(settings.flag("allow_non_loopback"));
    assert_eq!(settings.list("allowed_hosts"), ["a.example", "b.example"]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let file = "stroe_id = 1\nlog = 1979-05-27\n";
    let given = Given::nothing()
        .file("config.toml", file)
        .variable("HTTP_TIMEOUT", "soon")
        .variable("LSITEN", "x")
        .flag("store_burst", "0");
    let mistakes = given.mistakes().join("\n");
    for part in [
        "`stroe_id`",
        "`log`",
        "`ORDERDESK_MCP_HTTP_TIMEOUT`",
        "`ORDERDESK_MCP_LSITEN`",
        "`store_burst` (flag)",
    ] {
        assert!(mistakes.contains(part), "{part} in\n{mistakes}");
    }
    assert_eq!(mistakes.lines().count(), 5, "{mistakes}");
}

#[test]
fn what_was_wrong_has_its_default_meanwhile() {
    let loaded = Given::nothing()
        .variable("HTTP_TIMEOUT", "soon")
        .variable("STORE_BURST", "7")
        .load();
    assert_eq!(
        loaded.settings.duration("http_timeout"),
        Duration::from_secs(30)
    );
    assert_eq!(loaded.settings.count("store_burst"), 7);
}

#[test]
fn a_bad_value_names_the_accepted_shape_and_an_example() {
    assert_eq!(
        Given::nothing().variable("HTTP_TIMEOUT", "soon").mistake(),
        "`ORDERDESK_MCP_HTTP_TIMEOUT`: `soon` is not a time span; hint: give a time span from 1ms to 1h, for example `15s`, `500ms` or `2m`"
    );
    assert_eq!(
        Given::nothing().variable("LOG", "wran").mistake(),
        "`ORDERDESK_MCP_LOG`: `wran` is none of the words, did you mean `warn`?; \
         hint: give one of `off`, `error`, `warn`, `info`, `debug`, `trace`"
    );
    assert_eq!(
        Given::nothing().variable("STORE_BURST", "0").mistake(),
        "`ORDERDESK_MCP_STORE_BURST`: `0` is less than 1; hint: give a whole number from 1 to 1000000"
    );
}

#[test]
fn a_misspelt_variable_is_told_its_right_name() {
    for (typed, meant) in [
        ("ORDERDESK_MCP_STROE_ID", "`ORDERDESK_MCP_STORE_ID`"),
        (
            "ORDERDESK_MCP_TTL_ORDERS",
            "`ORDERDESK_MCP_CACHE_TTL_ORDERS`",
        ),
        ("ORDERDESK_MCP_APIKEY_FILE", "`ORDERDESK_MCP_API_KEY_FILE`"),
        ("ORDERDESK_MPC_LISTEN", "`ORDERDESK_MCP_LISTEN`"),
        ("orderdesk_mcp_listen", "`ORDERDESK_MCP_LISTEN`"),
    ] {
        let loaded = Settings::load(
            &[],
            &Vars::from_pairs([(typed, "1")]),
            &Home::at("/nowhere"),
        );
        let [mistake] = loaded.mistakes.as_slice() else {
            panic!("{typed}: {:?}", loaded.mistakes)
        };
        assert!(
            mistake.what.contains(typed) && mistake.hint.contains(meant),
            "{mistake}"
        );
    }
}

#[test]
fn variables_of_other_programs_are_left_alone() {
    let vars = Vars::from_pairs([
        ("ORDERDESK_API_KEY", "x"),
        ("ORDER_BY", "x"),
        ("PATH", "/bin"),
        ("RUST_LOG", "trace"),
        ("MCP_HOME", "/"),
    ]);
    assert_eq!(
        Settings::load(&[], &vars, &Home::at("/nowhere")).mistakes,
        []
    );
}

#[test]
fn only_secrets_come_from_files() {
    let mistake = Given::nothing()
        .variable("HTTP_MAX_RETRIES_FILE", "/x")
        .mistake();
    assert!(
        mistake.ends_with("hint: only secrets can be read from a file"),
        "{mistake}"
    );
}

#[test]
fn a_secret_comes_from_its_file_without_the_line_break() {
    let given = Given::nothing().file("key", format!("{KEY}\r\n"));
    let path = given.path("key");
    let settings = given
        .variable("API_KEY_FILE", path.clone())
        .variable("STORE_ID", "42")
        .settings();
    assert_eq!(settings.secret("api_key").unwrap().expose(), KEY);
    assert_eq!(settings.source("api_key"), &Source::File(path));
}

#[test]
fn a_secret_comes_from_a_systemd_credential() {
    let given = Given::nothing()
        .credentials()
        .file("credentials/api_key", format!("{KEY}\n"));
    let settings = given.variable("STORE_ID", "42").settings();
    assert_eq!(settings.secret("api_key").unwrap().expose(), KEY);
    assert_eq!(settings.source("api_key"), &Source::Credential);
    assert_eq!(settings.secret("admin_token"), None, "no such credential");
}

#[test]
fn a_secret_file_that_cannot_serve_is_a_mistake() {
    let missing = Given::nothing()
        .variable("ADMIN_TOKEN_FILE", "/nowhere/key")
        .mistake();
    assert!(
        missing.contains("`/nowhere/key` does not exist"),
        "{missing}"
    );

    let said_about = |content: &[u8]| {
        let given = Given::nothing().file("key", content);
        let path = given.path("key");
        given.variable("ADMIN_TOKEN_FILE", path).mistake()
    };
    assert!(said_about(b" \n").contains("is empty"));
    assert!(said_about(&vec![b'a'; (1 << 20) + 1]).contains("larger than 1 MiB"));
    assert!(said_about(&[0xff, 0xfe]).contains("is not valid UTF-8"));

    let given = Given::nothing();
    let folder = given.path("");
    assert!(
        given
            .variable("ADMIN_TOKEN_FILE", folder)
            .mistake()
            .contains("is not a regular file")
    );
}

#[test]
fn an_empty_credential_is_a_mistake_and_does_not_fall_back_to_an_older_key() {
    let given = Given::nothing()
        .credentials()
        .file("credentials/admin_token", "\n")
        .file("config.toml", format!("admin_token = \"{KEY}\"\n"));
    assert!(
        given
            .mistake()
            .contains("systemd credential `admin_token`: is empty")
    );
}

#[test]
fn a_secret_given_twice_is_a_mistake_because_one_of_them_is_old() {
    let mistake = Given::nothing()
        .variable("ADMIN_TOKEN", KEY)
        .variable("ADMIN_TOKEN_FILE", "/x")
        .mistake();
    assert_eq!(
        mistake,
        "`ORDERDESK_MCP_ADMIN_TOKEN` and `ORDERDESK_MCP_ADMIN_TOKEN_FILE`: both are set; hint: keep one of them"
    );
}

#[test]
fn a_wrong_secret_is_never_shown() {
    for wrong in [
        format!("{KEY} {KEY}"),
        format!("{KEY}\n{KEY}"),
        format!("{KEY}ü"),
        "hunter2".to_owned(),
        "${hunter2}".to_owned(),
    ] {
        Given::nothing().variable("ADMIN_TOKEN", &wrong).mistake();
        Given::nothing().flag("admin_token", &wrong).mistake();
        Given::nothing()
            .file("config.toml", format!("admin_token = {wrong:?}\n"))
            .mistake();
    }
}

#[test]
fn a_file_with_broken_syntax_says_the_line_and_not_its_content() {
    let mistake = Given::nothing()
        .file(
            "config.toml",
            format!("log = \"warn\"\napi_key = \"{KEY}\n"),
        )
        .mistake();
    assert!(mistake.contains("is not valid TOML: line 2"), "{mistake}");
    for broken in [
        format!("api_key = {KEY}"),
        format!("api_key = '''{KEY}"),
        format!("api_key \"{KEY}\""),
        format!("api_key = \"{KEY}\" \"{KEY}\""),
    ] {
        Given::nothing().file("config.toml", broken).mistake();
    }
}

#[test]
fn effective_settings_mask_every_secret_and_name_every_source() {
    let given = Given::nothing()
        .variable("API_KEY", KEY)
        .variable("STORE_ID", "42")
        .flag("admin_token", KEY);
    let settings = given.settings();
    let text = settings.to_text(Owner::Both);
    let json = serde_json::to_string(&settings.effective()).unwrap();
    for shown in [&text, &json, &format!("{settings:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let has_line = |start: &str, end: &str| {
        text.lines()
            .any(|line| line.starts_with(start) && line.ends_with(end))
    };
    assert!(
        has_line("api_key ", "= [secret]    # environment"),
        "{text}"
    );
    assert!(has_line("admin_token ", "= [secret]    # flag"), "{text}");
    assert!(has_line("env ", "= (not set)    # default"), "{text}");
    assert_eq!(text.lines().count(), SETTINGS.len());
}

#[test]
fn each_binary_ignores_what_belongs_to_the_other() {
    let loaded = Given::nothing()
        .variable("LISTEN", "everywhere")
        .variable("MAX_LINE_BYTES", "?")
        .variable("TYPO", "1")
        .load();
    let said_to = |reader| {
        loaded
            .mistakes_for(reader)
            .iter()
            .map(|mistake| mistake.what.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said_to(Owner::Stdio),
        [
            "`ORDERDESK_MCP_TYPO` in the environment",
            "`ORDERDESK_MCP_MAX_LINE_BYTES`"
        ]
    );
    assert_eq!(
        said_to(Owner::Sidecar),
        [
            "`ORDERDESK_MCP_TYPO` in the environment",
            "`ORDERDESK_MCP_LISTEN`"
        ]
    );
    assert!(!loaded.settings.to_text(Owner::Stdio).contains("listen"));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf_8_is_a_mistake_and_no_crash() {
    use std::os::unix::ffi::OsStringExt;
    let mistake = Given::nothing()
        .variable("LOG_FORMAT", OsString::from_vec(vec![b'a', 0xff]))
        .mistake();
    assert_eq!(
        mistake,
        "`ORDERDESK_MCP_LOG_FORMAT`: is not valid UTF-8; hint: give one of `text`, `json`"
    );
}

#[test]
fn a_form_field_that_the_client_did_not_fill_in_is_recognised() {
    let mistake = Given::nothing()
        .variable("STORE_ID", "${user_config.store}")
        .mistake();
    assert!(
        mistake.contains("`${user_config.store}` was not filled in by the client"),
        "{mistake}"
    );
}

#[test]
fn the_file_may_be_missing_unless_it_was_named() {
    Given::nothing().settings();
    let mistake = Given::nothing()
        .variable("CONFIG", "/nowhere/config.toml")
        .mistake();
    assert!(
        mistake.contains("`/nowhere/config.toml`: does not exist"),
        "{mistake}"
    );
    assert!(
        Given::nothing()
            .flag("config", "/nowhere/config.toml")
            .mistake()
            .contains("does not exist")
    );
}

#[test]
fn a_named_file_is_read_in_place_of_the_one_at_home() {
    let given = Given::nothing()
        .file("config.toml", "log = \"error\"\n")
        .file("other.toml", "log = \"info\"\n");
    let other = given.path("other.toml");
    let settings = given.variable("CONFIG", other.clone()).settings();
    assert_eq!(settings.text("log"), Some("info"));
    assert_eq!(settings.path("config"), Some(other));
}

#[test]
fn a_file_that_exists_and_cannot_be_read_is_a_mistake_even_if_nobody_named_it() {
    let given = Given::nothing();
    fs::create_dir(given.path("config.toml")).unwrap();
    assert!(given.mistake().contains("is not a regular file"));
    assert!(
        Given::nothing()
            .file("config.toml", [b'a', 0xff])
            .mistake()
            .contains("is not valid UTF-8")
    );
}

#[test]
fn tables_and_unknown_keys_in_the_file_are_told_the_right_word() {
    let mistake = Given::nothing()
        .file("config.toml", "[cache]\nttl_orders = \"15s\"\n")
        .mistake();
    assert!(
        mistake.contains("write every key at the top level, for example `cache_ttl_orders = …`"),
        "{mistake}"
    );
    let mistake = Given::nothing()
        .file("config.toml", "store-id = 1\n")
        .mistake();
    assert!(mistake.contains("did you mean `store_id`?"), "{mistake}");
    let mistake = Given::nothing()
        .file("config.toml", "home = \"/x\"\n")
        .mistake();
    assert!(
        mistake.contains("set `ORDERDESK_MCP_HOME` or the flag `--home`"),
        "{mistake}"
    );
}

#[cfg(unix)]
#[test]
fn a_file_with_a_secret_must_be_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let given = Given::nothing().file("config.toml", format!("admin_token = \"{KEY}\"\n"));
    given.settings();
    for mode in [0o644, 0o640, 0o604] {
        fs::set_permissions(given.path("config.toml"), fs::Permissions::from_mode(mode)).unwrap();
        let mistake = given.mistake();
        assert!(
            mistake.contains("holds `admin_token` and can be read by other users")
                && mistake.contains("chmod 600"),
            "{mistake}"
        );
    }
    let open = Given::nothing().file("config.toml", "log = \"info\"\n");
    fs::set_permissions(open.path("config.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    open.settings();
}

#[test]
fn half_a_store_is_a_mistake_of_the_server_only() {
    let id = Given::nothing().variable("STORE_ID", "42");
    assert!(
        id.mistake()
            .contains("`api_key`: is missing while `store_id` is set")
    );
    assert!(id.load().mistakes_for(Owner::Sidecar).is_empty());
    assert!(
        Given::nothing()
            .variable("API_KEY", KEY)
            .mistake()
            .contains("`store_id`: is missing while `api_key` is set")
    );
    Given::nothing()
        .variable("STORE_ID", "42")
        .variable("API_KEY", KEY)
        .settings();
}

#[test]
fn listening_to_the_network_needs_consent_and_a_token() {
    let open = || Given::nothing().variable("LISTEN", "0.0.0.0:9464");
    assert!(
        open()
            .mistake()
            .contains("also set `allow_non_loopback = true` and `admin_token`")
    );
    assert!(
        open()
            .variable("ALLOW_NON_LOOPBACK", "yes")
            .mistake()
            .contains("also set `admin_token`")
    );
    assert!(
        open()
            .variable("ADMIN_TOKEN", KEY)
            .mistake()
            .contains("also set `allow_non_loopback = true`")
    );
    open()
        .variable("ALLOW_NON_LOOPBACK", "1")
        .variable("ADMIN_TOKEN", KEY)
        .settings();
    assert!(open().load().mistakes_for(Owner::Stdio).is_empty());
}

#[test]
fn connecting_may_not_be_given_longer_than_the_request() {
    Given::nothing()
        .variable("HTTP_TIMEOUT", "100ms")
        .settings();
    let mistake = Given::nothing()
        .variable("HTTP_TIMEOUT", "1s")
        .variable("HTTP_CONNECT_TIMEOUT", "2s")
        .mistake();
    assert!(
        mistake.contains("`http_connect_timeout`: is longer than `http_timeout`"),
        "{mistake}"
    );
}

#[test]
fn a_profile_changes_defaults_only() {
    let production = Given::nothing().variable("ENV", "production").settings();
    assert_eq!(
        (production.text("log"), production.text("log_format")),
        (Some("warn"), Some("json"))
    );
    let development = Given::nothing()
        .file("config.toml", "env = \"development\"\n")
        .settings();
    assert_eq!(
        (development.text("log"), development.text("log_format")),
        (Some("debug"), Some("text"))
    );
    let explicit = Given::nothing()
        .variable("ENV", "production")
        .variable("LOG_FORMAT", "text")
        .settings();
    assert_eq!(explicit.text("log_format"), Some("text"));
    let mistake = Given::nothing().variable("ENV", "prodution").mistake();
    assert!(mistake.contains("did you mean `production`?"), "{mistake}");
}

#[test]
fn a_url_with_a_password_is_refused_without_being_shown() {
    Given::nothing()
        .variable("API_BASE_URL", "https://me:hunter2@app.orderdesk.me/api/v2")
        .mistake();
    let mistake = Given::nothing()
        .variable("API_BASE_URL", "http://app.orderdesk.me/api/v2")
        .mistake();
    assert!(
        mistake.contains("is plain http to another machine"),
        "{mistake}"
    );
}

#[test]
fn the_reference_page_names_every_setting_and_every_variable() {
    let page = shared::env::markdown();
    for setting in SETTINGS {
        // A default that depends on the profile stands once more in the table of profiles.
        let expected = if matches!(setting.preset, Preset::PerProfile { .. }) {
            2
        } else {
            1
        };
        assert_eq!(
            page.matches(&format!("\n| `{}` | ", setting.key)).count(),
            expected,
            "{}",
            setting.key
        );
        assert!(
            page.contains(&format!("\n{}", setting.variable())),
            "{}",
            setting.key
        );
    }
    for row in page.lines().filter(|line| line.starts_with('|')) {
        assert!(row.ends_with('|') && !row.contains("|  |"), "{row}");
    }
}

#[test]
fn the_master_key_comes_from_the_first_place_that_has_one() {
    let given = Given::nothing()
        .credentials()
        .file("credentials/master_key", "passphrase:from the credential")
        .file("key", "passphrase:from the file");
    let settings = given.settings();
    let expose = |settings: &Settings| settings.secret("master_key").unwrap().expose().to_owned();
    assert_eq!(expose(&settings), "passphrase:from the credential");
    assert_eq!(settings.source("master_key"), &Source::Credential);

    let path = given.path("key");
    let given = given.variable("MASTER_KEY_FILE", path.clone());
    let settings = given.settings();
    assert_eq!(expose(&settings), "passphrase:from the file");
    assert_eq!(settings.source("master_key"), &Source::File(path));

    let given = given.variable("MASTER_KEY", " passphrase:from the environment\n");
    let settings = given.settings();
    assert_eq!(expose(&settings), "passphrase:from the environment");
    assert_eq!(settings.source("master_key"), &Source::Environment);
}

#[test]
fn a_master_key_in_the_settings_file_is_a_mistake_that_says_where_it_belongs() {
    let mistake = Given::nothing()
        .file("config.toml", format!("master_key = \"{KEY}\"\n"))
        .mistake();
    assert!(
        mistake.contains("`master_key` in") && mistake.contains("`master.key` in the home folder"),
        "{mistake}"
    );
}

#[test]
fn a_master_key_of_several_lines_is_a_mistake_and_is_not_shown() {
    let mistake = Given::nothing()
        .variable("MASTER_KEY", format!("{KEY}\n{KEY}"))
        .mistake();
    assert!(
        mistake.starts_with("`ORDERDESK_MCP_MASTER_KEY`: holds a line break"),
        "{mistake}"
    );
}

#[test]
fn a_binary_does_not_read_the_secrets_of_the_other() {
    let given = Given::nothing()
        .variable("MASTER_KEY", KEY)
        .variable("API_KEY_FILE", "/nowhere/key")
        .variable("STORE_ID", "42")
        .variable("ADMIN_TOKEN", KEY);
    let vars = Vars::from_pairs(given.variables.iter().cloned());
    let home = Home::at(given.folder.path());
    let sidecar = Settings::load_for(Owner::Sidecar, &[], &vars, &home);
    assert_eq!(sidecar.mistakes_for(Owner::Sidecar), []);
    assert!(!sidecar.settings.is_given("master_key") && !sidecar.settings.is_given("api_key"));
    assert!(sidecar.settings.is_given("admin_token"));
    let server = Settings::load_for(Owner::Stdio, &[], &vars, &home);
    assert!(server.settings.is_given("master_key") && !server.settings.is_given("admin_token"));
    assert_eq!(
        server.mistakes_for(Owner::Stdio).len(),
        2,
        "a key file that is not there, and so half a store: {:?}",
        server.mistakes
    );
}

#[test]
fn a_store_to_begin_with_must_be_the_one_from_the_environment_if_there_is_one() {
    let given = || {
        Given::nothing()
            .variable("STORE_ID", "42")
            .variable("API_KEY", KEY)
    };
    let mistake = given().variable("STORE", "Main shop").mistake();
    assert!(
        mistake.starts_with("`store`: names another store"),
        "{mistake}"
    );
    given().variable("STORE", "42").settings();
    let sealed = Given::nothing().variable("STORE", " Main shop ").settings();
    assert_eq!(sealed.text("store"), Some("Main shop"));
}

#[test]
fn limits_and_retention_have_the_documented_defaults_and_their_ranges() {
    let settings = Given::nothing().settings();
    assert_eq!(settings.count("rate_limit_rpm"), 120);
    assert_eq!(
        settings.duration("audit_retention"),
        Duration::from_secs(90 * 86_400)
    );
    assert_eq!(settings.text("key_source"), Some("auto"));
    assert_eq!(settings.text("store"), None);
    let mistakes = Given::nothing()
        .variable("AUDIT_RETENTION", "1h")
        .variable("RATE_LIMIT_RPM", "-1")
        .variable("KEY_SOURCE", "keyrnig")
        .mistakes()
        .join("\n");
    for part in ["shorter than 1d", "whole number", "did you mean `keyring`?"] {
        assert!(mistakes.contains(part), "{part} in\n{mistakes}");
    }
}

#[test]
fn a_key_that_stands_in_the_wrong_place_is_not_repeated() {
    const API_KEY: &str = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    for variable in [
        "STORE_ID",
        "API_KEY_FILE",
        "MASTER_KEY_FILE",
        "LOG",
        "API_BASE_URL",
        "HTTP_TIMEOUT",
        "CACHE_MAX_ENTRIES",
        "CACHE_MAX_BYTES",
        "LISTEN",
        "ALLOW_NON_LOOPBACK",
    ] {
        let given = Given::nothing().variable(variable, API_KEY);
        let said = given.mistakes().join("\n");
        assert!(
            said.contains(variable) && !said.contains("tB7xK2m"),
            "{said}"
        );
    }
}
