//! The admin token: which addresses need it, and how it is compared.
//!
//! Tokens are compared by their SHA-256 digests in constant time, so neither a common prefix nor the length of the right one shows in
//! the time an answer takes. Not here: where the token comes from (`config`), the browser session (there is none yet).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use shared::secret::Secret;
use shared::telemetry::names;
use subtle::ConstantTimeEq;

use super::answer;

/// What must be shown at the closed doors; holds a digest, never the token.
pub(crate) struct Auth {
    digest: Option<[u8; 32]>,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The operator has set no token: closed doors stay closed.
    NoTokenConfigured,
    /// The request shows none.
    Missing,
    /// The request shows another one, or shows it in a way we do not read.
    Wrong,
}

impl Auth {
    /// With the operator's token, if there is one.
    pub(crate) fn new(token: Option<&Secret>) -> Auth {
        Auth {
            digest: token.map(|token| Sha256::digest(token.expose()).into()),
        }
    }

    /// Whether these headers show the right token.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let wanted = self.digest.as_ref().ok_or(Denied::NoTokenConfigured)?;
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let first = shown.next().ok_or(Denied::Missing)?;
        if shown.next().is_some() {
            return Err(Denied::Wrong);
        }
        let token = bearer(first).ok_or(Denied::Wrong)?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        if bool::from(digest.ct_eq(wanted)) {
            Ok(())
        } else {
            Err(Denied::Wrong)
        }
    }
}

/// The middleware for closed doors; counts each attempt.
pub(crate) async fn require(
    State(auth): State<Arc<Auth>>,
    request: Request,
    next: Next,
) -> Response {
    match auth.check(request.headers()) {
        Ok(()) => {
            count("success");
            next.run(request).await
        }
        Err(denied) => {
            count("failure");
            refuse(denied)
        }
    }
}

fn count(status: &'static str) {
    metrics::counter!(names::AUTH_ATTEMPTS.name, "status" => status).increment(1);
}

fn refuse(denied: Denied) -> Response {
    if denied == Denied::NoTokenConfigured {
        return answer::error(
            StatusCode::FORBIDDEN,
            "no_admin_token",
            "this address needs an admin token and none is configured",
            "set ORDERDESK_MCP_ADMIN_TOKEN (or ORDERDESK_MCP_ADMIN_TOKEN_FILE), restart, then send `Authorization: Bearer TOKEN`",
        );
    }
    let message = if denied == Denied::Missing {
        "this address needs the admin token"
    } else {
        "this is not the admin token"
    };
    let mut response = answer::error(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        message,
        "send `Authorization: Bearer TOKEN`",
    );
    response.headers_mut().insert(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"ops-sidecar\""),
    );
    response
}

/// The token of `Bearer TOKEN`; the scheme's case does not matter.
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: Option<&str>, shown: &[&str]) -> Result<(), Denied> {
        let mut headers = HeaderMap::new();
        for value in shown {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        Auth::new(token.map(|token| Secret::new(token.to_owned())).as_ref()).check(&headers)
    }

    #[test]
    fn the_right_token_passes_whatever_the_case_of_its_scheme() {
        assert_eq!(check(Some("s3cret"), &["Bearer s3cret"]), Ok(()));
        assert_eq!(check(Some("s3cret"), &["bearer s3cret"]), Ok(()));
    }

    #[test]
    fn a_wrong_partial_doubled_or_differently_shown_token_does_not() {
        for shown in [
            "Bearer s3cre",
            "Bearer s3crets",
            "Bearer",
            "Bearer ",
            "s3cret",
            "Basic s3cret",
            "Bearer S3CRET",
        ] {
            assert_eq!(
                check(Some("s3cret"), &[shown]),
                Err(Denied::Wrong),
                "{shown}"
            );
        }
        assert_eq!(
            check(Some("s3cret"), &["Bearer s3cret", "Bearer s3cret"]),
            Err(Denied::Wrong)
        );
        assert_eq!(check(Some("s3cret"), &[]), Err(Denied::Missing));
    }

    #[test]
    fn without_a_configured_token_nothing_passes() {
        assert_eq!(check(None, &["Bearer "]), Err(Denied::NoTokenConfigured));
        assert_eq!(
            check(None, &["Bearer anything"]),
            Err(Denied::NoTokenConfigured)
        );
    }
}
