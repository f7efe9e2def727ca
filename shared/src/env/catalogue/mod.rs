//! Which settings exist.
//!
//! Here: the one list for both binaries; the parser walks it, the reference page is printed from it, and what is not in it is a typo.
//! The settings of backups stand in `backup`. Not here: reading. A setting stands here only once something obeys it: a switch that
//! nothing reads is a lie.

mod backup;

use super::kind::Kind;
use super::setting::{Owner, Preset, Profile, Setting};

/// Finds a setting by its key.
#[must_use]
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// From `min_ms` up to an hour: a server that lives for minutes has no use for more.
const fn up_to_an_hour(min_ms: u64) -> Kind {
    Kind::Duration {
        min_ms,
        max_ms: HOUR_MS,
    }
}

/// All settings of both binaries, in the order in which a person reads about them.
pub static SETTINGS: &[Setting] = &joined::<COUNT>(SERVING, backup::SETTINGS);

const COUNT: usize = SERVING.len() + backup::SETTINGS.len();

/// One list after the other.
const fn joined<const N: usize>(first: &[Setting], second: &[Setting]) -> [Setting; N] {
    let mut all = [first[0]; N];
    let mut place = 0;
    while place < N {
        all[place] = if place < first.len() {
            first[place]
        } else {
            second[place - first.len()]
        };
        place += 1;
    }
    all
}

/// Settings of the server, of the sidecar's doors and of what both share.
const SERVING: &[Setting] = &[
    Setting {
        key: "home",
        kind: Kind::Path,
        preset: Preset::Found("`orderdesk-mcp` in the platform's data folder"),
        owner: Owner::Both,
        help: "The folder that holds `state.db`, `config.toml` and everything else. Both binaries must be given the same one.",
    },
    Setting {
        key: "config",
        kind: Kind::Path,
        preset: Preset::Found("`config.toml` in the home folder, if there is one"),
        owner: Owner::Both,
        help: "The settings file. One that is named here must exist.",
    },
    Setting {
        key: "env",
        kind: Kind::Choice(Profile::WORDS),
        preset: Preset::Unset,
        owner: Owner::Both,
        help: "The profile. It changes defaults only, those in the table of profiles, and nothing else; a desktop needs none.",
    },
    Setting {
        key: "log",
        kind: Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        preset: Preset::PerProfile {
            none: "warn",
            development: "debug",
            staging: "info",
            production: "warn",
        },
        owner: Owner::Both,
        help: "How much our own code logs to stderr; libraries stay at `warn`. Clients show every line as a warning, hence the quiet default.",
    },
    Setting {
        key: "log_format",
        kind: Kind::Choice(&["text", "json"]),
        preset: Preset::PerProfile {
            none: "text",
            development: "text",
            staging: "json",
            production: "json",
        },
        owner: Owner::Both,
        help: "Log lines for people or for programs.",
    },
    Setting {
        key: "master_key",
        kind: Kind::KeyText,
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "The key that opens this tenant's stores. A desktop needs none here: `mcp-stdio init` writes one to `master.key` in the home folder. \
               The order in which places are tried stands below.",
    },
    Setting {
        key: "key_source",
        kind: Kind::Choice(&["auto", "keyring"]),
        preset: Preset::Same("auto"),
        owner: Owner::Stdio,
        help: "`keyring` also asks the operating system's keyring, after every other place, and only when a store's seal is first opened. \
               `auto` never does: a keyring may ask its user to unlock it, and a machine without a screen would wait for ever.",
    },
    Setting {
        key: "store",
        kind: Kind::Name { max_chars: 60 },
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "The store to begin with, by name or id. Without it `mcp-stdio store use` decides; a tenant with one store needs neither.",
    },
    Setting {
        key: "store_id",
        kind: Kind::Digits,
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "The id of one Order Desk store (Store Settings → API), together with `api_key`: the shortest way to a working server.",
    },
    Setting {
        key: "api_key",
        kind: Kind::Secret { min_length: 1 },
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "The API key of that store. It is sent to `api_base_url` in a header and shown nowhere.",
    },
    Setting {
        key: "api_base_url",
        kind: Kind::ApiUrl,
        preset: Preset::Same("https://app.orderdesk.me/api/v2"),
        owner: Owner::Stdio,
        help: "Where the Order Desk API is. The key goes there, so only https is accepted, and plain http to this machine (for the sandbox).",
    },
    Setting {
        key: "read_only",
        kind: Kind::Flag,
        preset: Preset::Same("false"),
        owner: Owner::Stdio,
        help: "Switches off every tool that changes a shop, and `stores_remove`, whatever the other settings say. They are neither listed nor carried out.",
    },
    Setting {
        key: "toolsets",
        kind: Kind::Names,
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "Which groups of tools there are, in place of the usual 20 tools: any of `stores`, `orders`, `items`, `shipments`, `inventory`, `reports`, or `all`. \
               Each tool costs every conversation some tokens; `mcp-stdio tools --all` says how many.",
    },
    Setting {
        key: "tools",
        kind: Kind::Names,
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "Single tools to have beside those of `toolsets`, or beside the usual 20.",
    },
    Setting {
        key: "exclude_tools",
        kind: Kind::Names,
        preset: Preset::Unset,
        owner: Owner::Stdio,
        help: "Single tools to do without, whatever `toolsets` and `tools` say.",
    },
    Setting {
        key: "confirm",
        kind: Kind::Choice(&["auto", "always", "never"]),
        preset: Preset::Same("auto"),
        owner: Owner::Stdio,
        help: "When a change is shown to a person before it is made: `auto` asks before something is deleted and before more than one thing is changed, \
               `always` before every change, `never` not at all. `never` leaves it to the client to ask.",
    },
    Setting {
        key: "mask_pii",
        kind: Kind::Flag,
        preset: Preset::Same("false"),
        owner: Owner::Stdio,
        help: "Hides most of every e-mail address, telephone number and IP address in answers (`r•••@example.com`). Names and postal addresses stay: \
               without them no order can be shipped.",
    },
    Setting {
        key: "cache_ttl_orders",
        kind: up_to_an_hour(0),
        preset: Preset::Same("15s"),
        owner: Owner::Stdio,
        help: "How long an order or a list of orders may be answered from memory. An edit made in Order Desk's own app may stay unseen that long; \
               an edit made through any of our processes never does. `0` switches the cache off.",
    },
    Setting {
        key: "cache_ttl_products",
        kind: up_to_an_hour(0),
        preset: Preset::Same("60s"),
        owner: Owner::Stdio,
        help: "The same for inventory items.",
    },
    Setting {
        key: "cache_ttl_store_settings",
        kind: up_to_an_hour(0),
        preset: Preset::Same("300s"),
        owner: Owner::Stdio,
        help: "The same for store settings and folders.",
    },
    Setting {
        key: "cache_max_entries",
        kind: Kind::Count {
            min: 0,
            max: 1_000_000,
        },
        preset: Preset::Same("2000"),
        owner: Owner::Stdio,
        help: "How many answers one process keeps at most.",
    },
    Setting {
        key: "cache_max_bytes",
        kind: Kind::Bytes {
            min: 0,
            max: 4 * GIB,
        },
        preset: Preset::Same("16MiB"),
        owner: Owner::Stdio,
        help: "How much memory those answers may take in one process.",
    },
    Setting {
        key: "http_timeout",
        kind: up_to_an_hour(1),
        preset: Preset::Same("30s"),
        owner: Owner::Stdio,
        help: "How long one attempt at a request may take, from connecting to the last byte.",
    },
    Setting {
        key: "http_connect_timeout",
        kind: up_to_an_hour(1),
        preset: Preset::Same("10s"),
        owner: Owner::Stdio,
        help: "How long connecting may take; part of `http_timeout`.",
    },
    Setting {
        key: "http_max_retries",
        kind: Kind::Count { min: 0, max: 20 },
        preset: Preset::Same("3"),
        owner: Owner::Stdio,
        help: "How often a read is repeated after a failure that may pass. Each repetition takes a token of the store's quota.",
    },
    Setting {
        key: "mutation_max_retries",
        kind: Kind::Count { min: 0, max: 20 },
        preset: Preset::Same("5"),
        owner: Owner::Stdio,
        help: "How often a change is sent again after a failure, and only when that cannot do it twice. Each repetition takes a token of the store's quota.",
    },
    Setting {
        key: "store_burst",
        kind: Kind::Count {
            min: 1,
            max: 1_000_000,
        },
        preset: Preset::Same("19"),
        owner: Owner::Both,
        help: "How many requests may reach one store at once, over all processes of this home; the sidecar shows what is left of it. Order Desk allows 20; the margin is for clocks. \
               More only makes Order Desk refuse.",
    },
    Setting {
        key: "store_rate_per_second",
        kind: Kind::Number {
            min: 0.001,
            max: 1_000_000.0,
        },
        preset: Preset::Same("2.9"),
        owner: Owner::Both,
        help: "How many requests per second a store gets after the burst. Order Desk allows 3.",
    },
    Setting {
        key: "rate_limit_rpm",
        kind: Kind::Count {
            min: 0,
            max: 100_000,
        },
        preset: Preset::Same("120"),
        owner: Owner::Both,
        help: "How many requests a minute one tenant may send to Order Desk, over all its stores and processes; reads and writes are counted \
               apart, and after a rest twice as many may go at once. What is answered from memory does not count. `0` switches the limit off.",
    },
    Setting {
        key: "audit_retention",
        kind: Kind::Duration {
            min_ms: DAY_MS,
            max_ms: 36_500 * DAY_MS,
        },
        preset: Preset::Same("90d"),
        owner: Owner::Both,
        help: "How long the audit keeps its rows. Older ones are removed once a day; what remains can still be verified.",
    },
    Setting {
        key: "max_line_bytes",
        kind: Kind::Bytes { min: KIB, max: GIB },
        preset: Preset::Same("4MiB"),
        owner: Owner::Stdio,
        help: "The longest message a client may send; a longer one is answered with an error.",
    },
    Setting {
        key: "max_in_flight",
        kind: Kind::Count {
            min: 1,
            max: 10_000,
        },
        preset: Preset::Same("64"),
        owner: Owner::Stdio,
        help: "How many calls are worked on at once; further ones wait their turn.",
    },
    Setting {
        key: "listen",
        kind: Kind::Address,
        preset: Preset::Same("127.0.0.1:9464"),
        owner: Owner::Sidecar,
        help: "Where the sidecar answers HTTP. Port 0 takes a free one.",
    },
    Setting {
        key: "allowed_hosts",
        kind: Kind::Hosts,
        preset: Preset::Unset,
        owner: Owner::Sidecar,
        help: "Host names under which the sidecar may be asked, beside those of this machine's loopback; every other `Host` is refused (DNS rebinding).",
    },
    Setting {
        key: "allow_non_loopback",
        kind: Kind::Flag,
        preset: Preset::Same("false"),
        owner: Owner::Sidecar,
        help: "Permits `listen` to be an address that other machines reach. Needs `admin_token` as well.",
    },
    Setting {
        key: "admin_token",
        kind: Kind::Secret { min_length: 16 },
        preset: Preset::Unset,
        owner: Owner::Sidecar,
        help: "The bearer token for everything that is not open to all. Without one those addresses are closed. `openssl rand -hex 32` makes a good one.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_that_its_own_setting_accepts() {
        for setting in SETTINGS {
            for profile in [
                None,
                Some(Profile::Development),
                Some(Profile::Staging),
                Some(Profile::Production),
            ] {
                if let Some(text) = setting.preset.text(profile) {
                    let value = setting.kind.parse(text);
                    assert!(value.is_ok(), "{}: `{text}`: {value:?}", setting.key);
                }
            }
        }
    }

    #[test]
    fn keys_are_unique_and_spelt_in_lower_case() {
        for (place, setting) in SETTINGS.iter().enumerate() {
            assert!(
                setting
                    .key
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{}",
                setting.key
            );
            assert!(
                SETTINGS[..place]
                    .iter()
                    .all(|other| other.key != setting.key),
                "{} twice",
                setting.key
            );
        }
    }

    #[test]
    fn no_key_collides_with_the_file_variable_of_a_secret() {
        for secret in SETTINGS.iter().filter_map(Setting::file_variable) {
            assert!(
                SETTINGS.iter().all(|setting| setting.variable() != secret),
                "{secret}"
            );
        }
    }

    #[test]
    fn every_setting_says_what_it_does_in_whole_sentences() {
        for setting in SETTINGS {
            assert!(
                setting.help.len() > 20 && setting.help.ends_with('.'),
                "{}",
                setting.key
            );
        }
    }
}
