//! The layers around the routes, seen from a request that comes in and an answer that goes out.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::Response;
use serde_json::Value;
use tower::ServiceExt;

use super::*;

fn hardened(routes: Router) -> Router {
    harden(
        routes,
        Arc::new(Guard::new(
            "127.0.0.1:9464".parse().expect("an address"),
            &[],
        )),
    )
}

async fn ask(router: Router, request: Request<Body>) -> Response {
    router
        .oneshot(request)
        .await
        .expect("the router always answers")
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request")
}

async fn error_code(response: Response) -> String {
    let body = to_bytes(response.into_body(), 64 * 1024)
        .await
        .expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("json");
    for field in ["message", "hint"] {
        assert!(
            body["error"][field]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{body}"
        );
    }
    body["error"]["code"].as_str().expect("a code").to_owned()
}

fn has_house_headers(response: &Response) -> bool {
    let value = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    value("x-content-type-options") == Some("nosniff")
        && value("cache-control") == Some("no-store")
        && value("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
}

#[tokio::test]
async fn a_handler_that_panics_is_a_500_that_tells_nothing() {
    async fn brittle() -> &'static str {
        panic!("a secret in the panic's text")
    }
    let routes = Router::new()
        .route("/brittle", get(brittle))
        .route("/fine", get(|| async { "fine" }));
    let router = hardened(routes);
    let response = ask(router.clone(), get_request("/brittle")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(has_house_headers(&response));
    assert_eq!(error_code(response).await, "internal");
    assert_eq!(
        ask(router, get_request("/fine")).await.status(),
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_a_503_in_time() {
    let router = hardened(Router::new().route("/slow", get(std::future::pending::<()>)));
    let response = ask(router, get_request("/slow")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(error_code(response).await, "too_slow");
}

#[tokio::test]
async fn a_large_body_is_a_413_in_the_common_shape() {
    let router = hardened(Router::new().route(
        "/",
        axum::routing::post(|_: axum::body::Bytes| async { "taken" }),
    ));
    let request = Request::post("/")
        .header("host", "localhost")
        .header("content-length", MAX_BODY_BYTES + 1);
    let response = ask(
        router,
        request
            .body(Body::from(vec![0; MAX_BODY_BYTES + 1]))
            .expect("a request"),
    )
    .await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(has_house_headers(&response));
    assert_eq!(error_code(response).await, "too_large");
}

#[tokio::test]
async fn the_guard_stands_before_routes_and_their_errors_alike() {
    let router = hardened(Router::new().route("/", get(|| async { "in" })));
    for path in ["/", "/nowhere"] {
        let request = Request::get(path)
            .header("host", "evil.example")
            .body(Body::empty())
            .expect("a request");
        let response = ask(router.clone(), request).await;
        assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(has_house_headers(&response));
        assert_eq!(error_code(response).await, "unknown_host");
    }
}

#[tokio::test]
async fn a_wrong_method_keeps_its_allow_header() {
    let router = hardened(Router::new().route("/", get(|| async { "in" })));
    let request = Request::delete("/")
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request");
    let response = ask(router, request).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(error_code(response).await, "method_not_allowed");
}
