//! Can Order Desk be reached, does it accept the keys, and does its clock agree with ours?
//!
//! One request per store answers all three: whoever answers is reachable, whatever the answer is, and dates it.

use jiff::SignedDuration;
use shared::clock;
use url::{Host, Url};

use super::key::plain;
use super::typed::{as_root, flag, word};
use super::{Check, Hint, Typed};
use crate::desk::{Access, DeskError, Limiter, Probe, StoreId};

const API: &str = "api";
const CREDENTIALS: &str = "credentials";
const CLOCK: &str = "clock";

/// Certificates are checked against the clock, rotations and audits are dated by it: two minutes are more than any network's delay
/// and less than what anybody would overlook.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(120);

/// What one store's request showed.
#[derive(Clone, Debug)]
pub(super) struct Probed {
    /// Its name; `None` for the store from the environment.
    pub(super) name: Option<String>,
    pub(super) store_id: StoreId,
    pub(super) base_url: Url,
    pub(super) outcome: Result<(), DeskError>,
    /// How far this machine's clock is ahead of the answer's date.
    pub(super) skew: Option<SignedDuration>,
}

impl Probed {
    pub(super) fn of(name: Option<String>, access: &Access, probe: Probe) -> Probed {
        Probed {
            name,
            store_id: access.store_id.clone(),
            base_url: access.base_url.clone(),
            outcome: probe.outcome,
            skew: probe
                .clocks
                .map(|(theirs, ours)| ours.duration_since(theirs)),
        }
    }

    /// Whether it says anything about the key or the clock.
    pub(super) fn has_answer(&self) -> bool {
        self.is_reached() || self.is_unsent()
    }

    /// Whether an answer came that only Order Desk's API can have given.
    fn is_reached(&self) -> bool {
        match &self.outcome {
            Ok(()) => true,
            Err(error) => matches!(
                error,
                DeskError::Auth
                    | DeskError::Rejected { .. }
                    | DeskError::RateLimited {
                        by: Limiter::OrderDesk,
                        ..
                    }
            ),
        }
    }

    /// Our own quota, or the request itself, kept it from being sent: that says nothing about the address.
    fn is_unsent(&self) -> bool {
        matches!(
            self.outcome,
            Err(DeskError::TooBusy { .. }
                | DeskError::BadRequest { .. }
                | DeskError::RateLimited {
                    by: Limiter::Tenant,
                    ..
                })
        )
    }

    fn shown(&self) -> String {
        let id = &self.store_id;
        match &self.name {
            Some(name) => format!("`{name}` (store {id})"),
            None => format!("store {id} from the environment"),
        }
    }

    /// The command that registers it again. The address is the sealed one, so it can be trusted.
    fn add_again(&self, address: &Url, typed: &Typed) -> Option<String> {
        let name = flag("--name", self.name.as_deref()?);
        let id = &self.store_id;
        Some(typed.command(&format!(
            "store add --replace {name} --id {id} --api-base-url {}",
            word(address.as_str())
        )))
    }
}

/// `wanted`: the address that the settings name, if they name one.
pub(super) fn judge_api(probed: &[Probed], wanted: Option<&Url>, typed: &Typed) -> Check {
    let lost = probed
        .iter()
        .find(|store| !store.is_reached() && !store.is_unsent());
    if let Some(store) = lost
        && let Err(error) = &store.outcome
    {
        let summary = format!("{} at {}: {error}", store.shown(), store.base_url);
        return Check::error(API, summary, unreachable(store, error, wanted, typed));
    }
    let mut reached: Vec<&str> = probed
        .iter()
        .filter(|store| store.is_reached())
        .map(|store| store.base_url.as_str())
        .collect();
    reached.dedup();
    if reached.is_empty() {
        return Check::warning(
            API,
            "nothing could be sent: this machine's share of requests is used up, or no key can be sent",
            Hint::run("look again in a few seconds", typed.command("doctor")),
        );
    }
    Check::fine(API, format!("{} answers", reached.join(", ")))
}

fn unreachable(store: &Probed, error: &DeskError, wanted: Option<&Url>, typed: &Typed) -> Hint {
    if let Some(wanted) = wanted.filter(|wanted| **wanted != store.base_url)
        && let Some(command) = store.add_again(wanted, typed)
    {
        return Hint::run(
            "the settings name another address than the one this store was added with: add it again with that one; its API key is asked for",
            command,
        );
    }
    if let Some(port) = port_on_this_machine(&store.base_url) {
        return Hint::run(
            "the address is on this machine: start the simulator there, and leave it running",
            format!("orderdesk-sandbox --port {port}"),
        );
    }
    match error {
        DeskError::Unreachable { .. } | DeskError::Timeout => Hint::run(
            "see whether anything on this machine gets there (a number other than 000 means yes), then mend the connection, the firewall or, if \
             certificates are refused, the clock",
            curl(&store.base_url),
        ),
        _ => Hint::run(
            format!("{}; then look again", plain(error.hint())),
            typed.command("doctor"),
        ),
    }
}

fn curl(base_url: &Url) -> String {
    let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let url = format!("{}/test", base_url.as_str().trim_end_matches('/'));
    format!(
        "curl -sS -o {null} --max-time 10 -w {} {}",
        word("%{http_code}\\n"),
        word(&url)
    )
}

fn port_on_this_machine(url: &Url) -> Option<u16> {
    let here = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
    };
    url.port().filter(|_| here)
}

pub(super) fn judge_credentials(probed: &[Probed], typed: &Typed) -> Check {
    let refused: Vec<&Probed> = probed
        .iter()
        .filter(|store| {
            matches!(
                store.outcome,
                Err(DeskError::Auth | DeskError::Rejected { .. } | DeskError::BadRequest { .. })
            )
        })
        .collect();
    if let Some(first) = refused.first()
        && let Err(error) = &first.outcome
    {
        let shown: Vec<String> = refused.iter().map(|store| store.shown()).collect();
        return Check::error(
            CREDENTIALS,
            format!("{}: {error}", shown.join(", ")),
            new_keys(&refused, typed),
        );
    }
    let unknown: Vec<String> = probed
        .iter()
        .filter(|store| store.outcome.is_err())
        .map(Probed::shown)
        .collect();
    if unknown.is_empty() {
        return Check::fine(CREDENTIALS, "Order Desk accepts every store's key");
    }
    Check::warning(
        CREDENTIALS,
        format!(
            "not known for {}: no answer about the key",
            unknown.join(", ")
        ),
        Hint::run("look again", typed.command("doctor")),
    )
}

fn new_keys(refused: &[&Probed], typed: &Typed) -> Hint {
    let commands: Vec<String> = refused
        .iter()
        .filter_map(|store| store.add_again(&store.base_url, typed))
        .collect();
    let place =
        "Store Settings, API in Order Desk shows id and key; a key belongs to exactly one store";
    if commands.is_empty() {
        return Hint::run(
            format!(
                "{place}. Correct ORDERDESK_MCP_STORE_ID and ORDERDESK_MCP_API_KEY where they are set; then look again"
            ),
            typed.command("doctor"),
        );
    }
    Hint::run(
        format!("{place}. Give the right key, which is asked for"),
        commands.join(" && "),
    )
}

pub(super) fn judge_clock(probed: &[Probed]) -> Check {
    let worst = probed
        .iter()
        .filter_map(|store| store.skew)
        .max_by_key(|skew| skew.unsigned_abs());
    let Some(skew) = worst else {
        return Check::fine(CLOCK, "cannot be compared: the answers carry no date");
    };
    if skew.unsigned_abs() <= MOST_SKEW.unsigned_abs() {
        return Check::fine(CLOCK, "agrees with Order Desk's");
    }
    let way = if skew.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    Check::error(
        CLOCK,
        format!(
            "this machine's clock is {} {way} Order Desk's",
            clock::span(skew.unsigned_abs())
        ),
        Hint::run("let the system set it", set_clock()),
    )
}

fn set_clock() -> String {
    as_root(if cfg!(windows) {
        "w32tm /resync"
    } else if cfg!(target_os = "macos") {
        "sntp -sS time.apple.com"
    } else {
        "timedatectl set-ntp true"
    })
}

#[cfg(test)]
mod tests;
