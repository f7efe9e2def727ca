//! From what the clouds' library says to what we say.
//!
//! Nothing of its text is passed on: it holds request URLs (with signatures, when those travel in the query) and whole answers of servers,
//! some of which repeat the key and the string that was signed. What gets through is the kind of failure, a three-digit status and the one
//! word in which S3, Azure and Google name an error. The library keeps its own error type private, so status and word are looked for in
//! its text; a test against a server that answers with faults notices when they can no longer be found.

use std::error::Error as _;

use object_store::client::{HttpError, HttpErrorKind};

use super::error::{BUCKET, Kind, TargetError};

/// The error of `doing` at `target`.
pub(super) fn blame(target: &str, doing: String, error: &object_store::Error) -> TargetError {
    let said = Said::of(error);
    let (kind, why, hint) = judge(&said);
    let failed = TargetError::new(kind, target, doing, why);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// What can be learnt from an error without repeating it.
struct Said {
    variant: Variant,
    transport: Option<HttpErrorKind>,
    status: Option<u16>,
    code: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    NotFound,
    Exists,
    Denied,
    Unauthenticated,
    Unsupported,
    Other,
}

impl Said {
    fn of(error: &object_store::Error) -> Said {
        use object_store::Error as Cloud;
        let text = error.to_string();
        let status = status(&text);
        Said {
            variant: match (error, status) {
                // A listing keeps its status to itself.
                (Cloud::PermissionDenied { .. }, _) | (_, Some(403)) => Variant::Denied,
                (Cloud::Unauthenticated { .. }, _) | (_, Some(401)) => Variant::Unauthenticated,
                (Cloud::NotFound { .. }, _) | (_, Some(404)) => Variant::NotFound,
                (Cloud::AlreadyExists { .. }, _) => Variant::Exists,
                (Cloud::Precondition { .. } | Cloud::NotModified { .. }, _) => Variant::Exists,
                (Cloud::NotSupported { .. } | Cloud::NotImplemented { .. }, _) => {
                    Variant::Unsupported
                }
                _ => Variant::Other,
            },
            transport: transport(error),
            status,
            code: code(&text),
        }
    }
}

/// The transport's own kind of failure, wherever in the chain it stands.
fn transport(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        source = error.source();
    }
    None
}

fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// `<Code>…</Code>` of an answer, if it is one plain word.
fn code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (word, _) = rest.split_once("</Code>")?;
    let plain =
        (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    plain.then(|| word.to_owned())
}

const CREDENTIALS: &str =
    "check the credentials in the environment of ops-sidecar (AWS_…, AZURE_…, GOOGLE_…)";
const PERMISSIONS: &str =
    "these credentials must be allowed to list, read, write and delete under the target's prefix";
const EITHER: &str = "are there credentials in the environment of ops-sidecar (AWS_…, AZURE_…, GOOGLE_…), and may they list, read, write and \
                      delete under the target's prefix?";
const PLAIN: &str = "an address that begins with `http://` is used only if AWS_ALLOW_HTTP (AZURE_…, GOOGLE_…) is `true`";
const NETWORK: &str = "is the network up, and the address (AWS_ENDPOINT_URL, region) right? it is tried again by itself";

fn judge(said: &Said) -> (Kind, String, Option<&'static str>) {
    let answer = match (said.status, &said.code) {
        (Some(status), Some(code)) => format!("the server said {status} `{code}`"),
        (Some(status), None) => format!("the server said {status}"),
        (None, Some(code)) => format!("the server said `{code}`"),
        (None, None) => String::new(),
    };
    let or = |words: &str| {
        if answer.is_empty() {
            words.to_owned()
        } else {
            answer.clone()
        }
    };

    if let Some(kind) = said.transport {
        return transported(kind);
    }
    match said.code.as_deref() {
        Some("NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted") => {
            return (Kind::Other, answer, Some(BUCKET));
        }
        Some("RequestTimeTooSkewed") => {
            return (
                Kind::Denied,
                answer,
                Some("the clock of this machine is wrong; set it"),
            );
        }
        Some(
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "ExpiredToken"
            | "AuthenticationFailed",
        ) => {
            return (Kind::Denied, answer, Some(CREDENTIALS));
        }
        Some("QuotaExceeded" | "EntityTooLarge" | "XMinioStorageFull" | "AccountQuotaExceeded") => {
            return (
                Kind::Full,
                answer,
                Some("make room there, or keep fewer backups (BACKUP_KEEP_…)"),
            );
        }
        _ => {}
    }
    match (said.variant, said.status) {
        (Variant::NotFound, _) => (Kind::Missing, or("there is no such object"), None),
        (Variant::Exists, _) => (
            Kind::Exists,
            or("there is another object of that name"),
            None,
        ),
        (Variant::Denied, _) if said.code.is_none() => {
            (Kind::Denied, or("it is not allowed"), Some(EITHER))
        }
        (Variant::Denied, _) => (Kind::Denied, answer, Some(PERMISSIONS)),
        (Variant::Unauthenticated, _) => {
            (Kind::Denied, or("it does not know us"), Some(CREDENTIALS))
        }
        (Variant::Unsupported, _) | (Variant::Other, Some(501)) => {
            (Kind::Other, "the server cannot do that".to_owned(), None)
        }
        (Variant::Other, Some(507)) => (
            Kind::Full,
            answer,
            Some("make room there, or keep fewer backups (BACKUP_KEEP_…)"),
        ),
        (Variant::Other, Some(408 | 429 | 500..=599)) => (
            Kind::Away,
            answer,
            Some("it is overloaded or broken; it is tried again by itself"),
        ),
        (Variant::Other, Some(300..=399)) => (
            Kind::Other,
            answer,
            Some("is the region (AWS_REGION) the bucket's own?"),
        ),
        (Variant::Other, _) => (
            Kind::Other,
            or("it failed in a way that is not repeated here, as it might hold credentials"),
            Some(CREDENTIALS),
        ),
    }
}

fn transported(kind: HttpErrorKind) -> (Kind, String, Option<&'static str>) {
    let (why, hint) = match kind {
        HttpErrorKind::Timeout => ("no answer in time", NETWORK),
        HttpErrorKind::Connect => ("no connection (name, port, route or certificate)", NETWORK),
        HttpErrorKind::Interrupted | HttpErrorKind::Request => ("the connection broke", NETWORK),
        HttpErrorKind::Decode => ("its answer broke off, or has no end", NETWORK),
        _ => ("no connection could be begun", PLAIN),
    };
    (Kind::Away, why.to_owned(), Some(hint))
}
