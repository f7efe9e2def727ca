//! Which places backups go to, as settings write them.
//!
//! Here: one entry of `BACKUP_TARGETS` to a place, or to why it is none. Not here: credentials, which come from the clouds' own environment
//! variables and never from a URL: a URL ends up in logs, in metrics and on screens. So nothing here repeats what may hold one.

use std::path::{Path, PathBuf};

use object_store::path::Path as Prefix;
use shared::env::nearest;
use shared::paths::Home;
use url::Url;

/// What a URL may begin with.
const SCHEMES: [&str; 5] = ["file", "s3", "gs", "az", "abfss"];
/// What can be written, for people.
const FORMS: &str = "`local`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`";
/// Keys of ours are at most 512 long; S3 and GCS allow 1024 bytes in all.
const PREFIX_MAX: usize = 400;

/// One place for backups: a folder, or a prefix in a cloud's bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    name: String,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A folder. Only our own is made when it is missing: a missing other one is a disk that is not mounted, and what is written to its
    /// mount point fills the disk of the machine.
    Folder { path: PathBuf, ours: bool },
    /// A bucket or container (`root`: the URL without the prefix) of a cloud, and where in it.
    Bucket {
        cloud: Cloud,
        root: String,
        prefix: Prefix,
    },
}

/// The protocols, each with its own credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cloud {
    S3,
    Google,
    Azure,
}

impl TargetSpec {
    /// Reads one entry of `BACKUP_TARGETS`.
    ///
    /// # Errors
    /// Why it is no target and what to write instead. The text never repeats what may hold a password.
    pub fn parse(text: &str, home: &Home) -> Result<TargetSpec, String> {
        let text = text.trim();
        if text == "local" {
            return Ok(TargetSpec {
                name: text.to_owned(),
                place: Place::Folder {
                    path: home.backups_dir(),
                    ours: true,
                },
            });
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Err(no_url(text));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Err(unknown_scheme(&scheme));
        }
        let url = Url::parse(text)
            .map_err(|error| format!("a target that is no URL ({error}); hint: write {FORMS}"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a target URL has a `?` or `#` part; hint: options and credentials belong into the \
                        environment of ops-sidecar (AWS_…, AZURE_…, GOOGLE_…), never into the URL"
                .to_owned());
        }
        match scheme.as_str() {
            "file" => folder(&url, text, home),
            "s3" => bucket(&url, Cloud::S3),
            "gs" => bucket(&url, Cloud::Google),
            _ => bucket(&url, Cloud::Azure),
        }
    }

    /// What users, logs and metrics call it: `local`, or the URL, which holds no secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is another machine's: what is there survives this one, and leaves the house.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Bucket { .. })
    }
}

fn no_url(text: &str) -> String {
    let bytes = text.as_bytes();
    if text.starts_with('/') {
        return "a folder is written as a URL; hint: `file://` and then the path, three slashes in all"
            .to_owned();
    }
    if text.contains('\\')
        || (bytes.len() > 2
            && bytes[0].is_ascii_alphabetic()
            && bytes[1] == b':'
            && bytes[2] == b'/')
    {
        return format!("Windows paths are no targets; hint: write {FORMS}");
    }
    match nearest(text, ["local"]) {
        Some(word) => format!("unknown target; did you mean `{word}`? hint: write {FORMS}"),
        None => format!("not a target; hint: write {FORMS}"),
    }
}

fn unknown_scheme(scheme: &str) -> String {
    // What stands before `://` is a word, unless somebody pasted something else there.
    let known = match scheme {
        "s3a" | "minio" | "r2" => Some("s3"),
        "gcs" => Some("gs"),
        "azure" | "abfs" | "adl" | "wasbs" => Some("az"),
        "http" | "https" => {
            return "`http` and `https` are no targets; hint: for a store that speaks S3 write `s3://bucket/prefix` and \
                    set AWS_ENDPOINT_URL to its address"
                .to_owned();
        }
        other => nearest(other, SCHEMES),
    };
    match known {
        Some(known) => {
            format!("unknown kind of target; did you mean `{known}://`? hint: write {FORMS}")
        }
        None => format!("unknown kind of target; hint: write {FORMS}"),
    }
}

fn folder(url: &Url, text: &str, home: &Home) -> Result<TargetSpec, String> {
    let three_slashes =
        "hint: `file://` and then an absolute path, three slashes in all: `file:///mnt/backup`";
    if url.host_str().is_some() || !text[4..].starts_with(":///") {
        return Err(format!(
            "a folder target that is not on this machine or not absolute; {three_slashes}"
        ));
    }
    let path = url
        .to_file_path()
        .map_err(|()| format!("a folder target that is no path; {three_slashes}"))?;
    // `components` drops a trailing slash; `..` is gone since the URL was parsed.
    let path: PathBuf = path.components().collect();
    let Some(path_text) = path.to_str() else {
        return Err("a folder target whose path is not UTF-8; hint: rename the folder".to_owned());
    };
    if path_text.as_bytes().get(2) == Some(&b':') {
        return Err(format!("Windows paths are no targets; hint: write {FORMS}"));
    }
    if path == Path::new("/") {
        return Err(
            "the top folder of the machine is no target; hint: name a folder on it".to_owned(),
        );
    }
    if path.starts_with(home.backups_dir()) {
        return Err(
            "a folder target inside the home folder's own `backups`; hint: write `local`"
                .to_owned(),
        );
    }
    Ok(TargetSpec {
        name: url.as_str().trim_end_matches('/').to_owned(),
        place: Place::Folder { path, ours: false },
    })
}

fn bucket(url: &Url, cloud: Cloud) -> Result<TargetSpec, String> {
    let host = url.host_str().unwrap_or_default();
    // `abfss://container@account.dfs.core.windows.net/prefix` is how Azure's own tools write it: a container, not a user.
    let container = url.scheme() == "abfss" && host.contains('.') && !url.username().is_empty();
    if url.password().is_some() || (!url.username().is_empty() && !container) {
        return Err("a target URL has a user or password in it; hint: credentials belong into the environment of \
                    ops-sidecar (AWS_…, AZURE_…, GOOGLE_…), never into the URL"
            .to_owned());
    }
    if url.port().is_some() {
        return Err("a target URL has a port; hint: the address of a store that speaks S3 goes into AWS_ENDPOINT_URL, \
                    the URL names bucket and prefix only"
            .to_owned());
    }
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    if !plain(host) || (container && !plain(url.username())) {
        return Err(format!(
            "a target URL without a bucket or container; hint: write {FORMS}"
        ));
    }
    let prefix = Prefix::from_url_path(url.path())
        .ok()
        .filter(|prefix| prefix.as_ref().len() <= PREFIX_MAX)
        .ok_or("a target URL whose prefix cannot be a name in a bucket; hint: few words with single slashes between them")?;
    let account = if container {
        format!("{}@", url.username())
    } else {
        String::new()
    };
    Ok(TargetSpec {
        name: url.as_str().trim_end_matches('/').to_owned(),
        place: Place::Bucket {
            cloud,
            root: format!("{}://{account}{host}", url.scheme()),
            prefix,
        },
    })
}

#[cfg(test)]
mod tests;
