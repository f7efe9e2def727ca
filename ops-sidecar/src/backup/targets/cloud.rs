//! How a bucket is reached: which client, with whose credentials, and how long anything may take.
//!
//! Credentials and addresses come from the environment variables that the clouds' own tools read; the library reads them itself. Not
//! from there: timeouts (ours are bounded) and whether certificates are checked (they are).

use std::sync::{Arc, Once};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use super::error::{Kind, TargetError};
use super::spec::Cloud;
use super::wire::Wire;

/// How long a target may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a connection, the name lookup included: a host that does not answer in five seconds is not there, and is asked again.
    pub(super) connect: Duration,
    /// For one request with its answer. Requests move at most one part of 5 MiB, so a line of 350 kbit/s upstream is enough.
    pub(super) request: Duration,
    /// For a request with all its repetitions; none begins after this.
    pub(super) total: Duration,
    /// Repetitions. With pauses that grow from `pause` to a few seconds, a server that refuses at once is asked for about five seconds,
    /// and one that is silent until `total` and one more request are over. What failed then is tried again by whoever asked.
    pub(super) retries: usize,
    /// The first pause between two tries; each next one is up to three times as long.
    pub(super) pause: Duration,
}

impl Patience {
    pub(super) const USUAL: Patience = Patience {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(120),
        total: Duration::from_secs(180),
        retries: 5,
        pause: Duration::from_millis(200),
    };

    fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: self.pause,
                base: 3.0,
                ..BackoffConfig::default()
            },
            max_retries: self.retries,
            retry_timeout: self.total,
        }
    }
}

/// The client for a bucket. No network is touched.
pub(super) fn open(
    name: &str,
    cloud: Cloud,
    root: &str,
    patience: Patience,
) -> Result<Arc<dyn ObjectStore>, TargetError> {
    let built = match cloud {
        Cloud::S3 => s3(AmazonS3Builder::from_env(), root, patience),
        Cloud::Azure => azure(MicrosoftAzureBuilder::from_env(), root, patience),
        Cloud::Google => google(GoogleCloudStorageBuilder::from_env(), root, patience),
    };
    // What the library says here may quote a setting or a piece of a credentials file.
    built.map_err(|_| {
        let (variables, hint) = match cloud {
            Cloud::S3 => (
                "AWS_…",
                "AWS_ACCESS_KEY_ID goes with AWS_SECRET_ACCESS_KEY; yes-or-no variables are `true` or `false`",
            ),
            Cloud::Azure => (
                "AZURE_…",
                "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY (base64) or another way to sign in",
            ),
            Cloud::Google => (
                "GOOGLE_…",
                "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS is the path of a readable key file (JSON)",
            ),
        };
        let why = format!("the {variables} variables in the environment of ops-sidecar are missing or do not go together");
        TargetError::new(Kind::Denied, name, "set it up".to_owned(), why).hint(hint)
    })
}

type Built = object_store::Result<Arc<dyn ObjectStore>>;

pub(super) fn s3(settings: AmazonS3Builder, root: &str, patience: Patience) -> Built {
    let store = settings
        .with_url(root)
        // We delete one at a time. The request for many hides refusals in a success, and not every store knows it.
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
        .with_http_connector(Connector::new(patience))
        .with_retry(patience.retry())
        .build()?;
    Ok(Arc::new(store))
}

pub(super) fn azure(settings: MicrosoftAzureBuilder, root: &str, patience: Patience) -> Built {
    let store = settings
        .with_url(root)
        // No product of ours starts another program, whatever AZURE_USE_AZURE_CLI says.
        .with_use_azure_cli(false)
        .with_http_connector(Connector::new(patience))
        .with_retry(patience.retry())
        .build()?;
    Ok(Arc::new(store))
}

pub(super) fn google(settings: GoogleCloudStorageBuilder, root: &str, patience: Patience) -> Built {
    let store = settings
        .with_url(root)
        .with_http_connector(Connector::new(patience))
        .with_retry(patience.retry())
        .build()?;
    Ok(Arc::new(store))
}

/// Ring for TLS, once per process. Another part of the program may have chosen already; then that choice stands.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Our HTTP client in place of the library's: bounded, and it follows no redirect, which would carry a backup to another host.
/// Certificates are checked against the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` included).
#[derive(Debug)]
struct Connector(Patience);

impl Connector {
    fn new(patience: Patience) -> Connector {
        install_crypto();
        Connector(patience)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain_allowed = options
            .get_config_value(&ClientConfigKey::AllowHttp)
            .is_some_and(|text| {
                ["1", "true", "on", "yes", "y"].contains(&text.to_ascii_lowercase().as_str())
            });
        // The library's own is shorter where it asks the machine's metadata service for credentials: on a laptop nobody answers there.
        let theirs = options
            .get_config_value(&ClientConfigKey::ConnectTimeout)
            .and_then(|text| text.strip_suffix('s')?.parse().ok())
            .map_or(self.0.connect, Duration::from_secs);
        reqwest::Client::builder()
            .user_agent(concat!("ops-sidecar/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.0.connect.min(theirs))
            .timeout(self.0.request)
            .http1_only()
            .https_only(!plain_allowed)
            .build()
            .map(|client| HttpClient::new(Wire(client)))
            .map_err(|error| object_store::Error::Generic {
                store: "HTTP",
                source: Box::new(error),
            })
    }
}
