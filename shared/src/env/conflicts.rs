//! What is wrong only in combination.
//!
//! Here: one function per rule about two or more settings, over the effective values. Not here: the values themselves.

use super::mistake::Mistake;
use super::setting::Owner;
use super::settings::Settings;

/// Reports every rule that the settings break.
pub(super) fn check(settings: &Settings, mistakes: &mut Vec<Mistake>) {
    mistakes.extend(half_a_store(settings));
    mistakes.extend(another_store(settings));
    mistakes.extend(open_to_the_network(settings));
    mistakes.extend(connecting_outlasts_the_request(settings));
}

/// An id without its key, or the reverse, opens no store.
fn half_a_store(settings: &Settings) -> Option<Mistake> {
    let (given, missing) = match (settings.is_given("store_id"), settings.is_given("api_key")) {
        (true, false) => ("store_id", "api_key"),
        (false, true) => ("api_key", "store_id"),
        _ => return None,
    };
    Some(Mistake::new(
        Owner::Stdio,
        format!("`{missing}`"),
        format!("is missing while `{given}` is set"),
        format!(
            "set `ORDERDESK_MCP_{}` too; both stand in Order Desk under Store Settings → API",
            missing.to_ascii_uppercase()
        ),
    ))
}

/// A store straight from the environment is the only one there is; `store` cannot choose another.
fn another_store(settings: &Settings) -> Option<Mistake> {
    let (wanted, given) = (settings.text("store")?, settings.text("store_id")?);
    (wanted != given).then(|| {
        Mistake::new(
            Owner::Stdio,
            "`store`",
            "names another store than `store_id`, which with `api_key` is the only one to be had",
            "remove `store`, or remove `store_id` and `api_key` to use the sealed stores",
        )
    })
}

/// Whoever listens beyond this machine must say so, and must lock the door.
fn open_to_the_network(settings: &Settings) -> Option<Mistake> {
    let listen = settings.address("listen");
    if listen.ip().is_loopback() {
        return None;
    }
    let missing: Vec<&str> = [
        (
            "allow_non_loopback = true",
            settings.flag("allow_non_loopback"),
        ),
        ("admin_token", settings.is_given("admin_token")),
    ]
    .into_iter()
    .filter(|(_, is_there)| !is_there)
    .map(|(what, _)| what)
    .collect();
    (!missing.is_empty()).then(|| {
        Mistake::new(
            Owner::Sidecar,
            "`listen`",
            format!("`{listen}` can be reached from other machines"),
            format!(
                "listen on 127.0.0.1, or also set `{}`",
                missing.join("` and `")
            ),
        )
    })
}

/// Connecting is part of the request; a longer limit for the part would never be reached. Only an explicit one is a mistake:
/// whoever shortens `http_timeout` alone means just that.
fn connecting_outlasts_the_request(settings: &Settings) -> Option<Mistake> {
    let (part, whole) = (
        settings.duration("http_connect_timeout"),
        settings.duration("http_timeout"),
    );
    (settings.is_explicit("http_connect_timeout") && part > whole).then(|| {
        Mistake::new(
            Owner::Stdio,
            "`http_connect_timeout`",
            "is longer than `http_timeout`, of which it is a part",
            "shorten it, or lengthen `http_timeout`",
        )
    })
}
