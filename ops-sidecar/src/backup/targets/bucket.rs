//! A bucket of a cloud as a target.
//!
//! Everything in pieces of a few MiB: an upload in parts, one at a time, that appears when it is completed and not before; a download in
//! ranges of one version of the object; a listing page by page, up to the [`Bounds`]. So memory stays small, and every request has a bound
//! however large the object is.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::path::Path as Location;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload,
};

use super::blame::blame;
use super::bounds::{Bounds, Excess, HEAVIEST, Laps};
use super::error::{Kind, TargetError};
use super::key;
use super::target::{Item, listing};

/// What is uploaded at once, and the smallest part that S3 takes.
const PART: u64 = 5 * 1024 * 1024;
/// S3 takes 10,000 parts; parts grow for objects that would need more (47 GiB and up).
const PARTS_MAX: u64 = 9_500;
/// What one request downloads.
const RANGE: u64 = 4 * 1024 * 1024;
/// How long telling a store to forget a broken upload may take: it is a courtesy, the error is reported anyway.
const ABORT: Duration = Duration::from_secs(10);

/// A bucket target.
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) prefix: Location,
    pub(super) bounds: Bounds,
}

impl Bucket {
    /// Stores `bytes` as `key`, unless the name is taken (an error of [`Kind::Exists`]).
    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), TargetError> {
        let at = self.at(key);
        let payload = PutPayload::from(bytes);
        let create = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&at, payload.clone(), create).await {
            // A store without conditional writes, or one that is told to do without (AWS_CONDITIONAL_PUT=disabled).
            Err(error) if cannot_create_only(&error) => {
                self.must_be_free(key).await?;
                self.store.put(&at, payload).await
            }
            other => other,
        }
        .map(|_| ())
        .map_err(|error| self.failed(format!("store `{key}`"), &error))
    }

    /// Stores `bytes` bytes of `from` as `key`, unless the name is taken (an error of [`Kind::Exists`]).
    pub(super) async fn put_file(
        &self,
        key: &str,
        from: &mut File,
        bytes: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TargetError> {
        let unread = |error: io::Error| {
            TargetError::io(&self.name, format!("read the file for `{key}`"), &error)
        };
        if bytes <= PART {
            let whole = take(from, bytes).map_err(unread)?;
            self.put(key, whole).await?;
            progress(bytes);
            return Ok(());
        }
        // The API for uploads in parts has no condition; nobody else writes our random names.
        self.must_be_free(key).await?;
        let doing = || format!("store `{key}`");
        let mut upload = self
            .store
            .put_multipart(&self.at(key))
            .await
            .map_err(|error| self.failed(doing(), &error))?;
        let sent = self
            .parts(upload.as_mut(), key, from, bytes, progress)
            .await;
        let done = match sent {
            Ok(()) => upload
                .complete()
                .await
                .map(|_| ())
                .map_err(|error| self.failed(doing(), &error)),
            Err(error) => Err(error),
        };
        if done.is_err() {
            let _ = tokio::time::timeout(ABORT, upload.abort()).await;
        }
        done
    }

    async fn parts(
        &self,
        upload: &mut dyn MultipartUpload,
        key: &str,
        from: &mut File,
        bytes: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), TargetError> {
        let part = PART.max(bytes.div_ceil(PARTS_MAX));
        let mut left = bytes;
        while left > 0 {
            let size = part.min(left);
            let chunk = take(from, size).map_err(|error| {
                TargetError::io(&self.name, format!("read the file for `{key}`"), &error)
            })?;
            upload
                .put_part(PutPayload::from(chunk))
                .await
                .map_err(|error| self.failed(format!("store `{key}`"), &error))?;
            progress(size);
            left -= size;
        }
        Ok(())
    }

    /// Gives every byte of `key` to `sink`, in order and from one version of the object.
    pub(super) async fn read(
        &self,
        key: &str,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<u64, TargetError> {
        let found = match self.head(key).await {
            Ok(Some(found)) => found,
            Err(failed) if failed.is_transient() => return Err(failed),
            Ok(None) | Err(_) => return Err(self.why_not(key).await),
        };
        let mut at = 0;
        while at < found.size {
            let range = at..found.size.min(at + RANGE);
            at = range.end;
            self.range(key, &found, range, sink).await?;
        }
        Ok(found.size)
    }

    async fn range(
        &self,
        key: &str,
        found: &ObjectMeta,
        range: Range<u64>,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), TargetError> {
        let failed = |error: object_store::Error| self.failed(format!("read `{key}`"), &error);
        let wanted = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: found.e_tag.clone(),
            ..GetOptions::default()
        };
        let answer = self
            .store
            .get_opts(&found.location, options)
            .await
            .map_err(failed)?;
        let mut stream = answer.into_stream();
        let mut had = 0;
        while let Some(chunk) = stream.try_next().await.map_err(failed)? {
            had += chunk.len() as u64;
            sink(&chunk).map_err(|error| {
                TargetError::io(&self.name, format!("keep what was read of `{key}`"), &error)
            })?;
        }
        if had == wanted {
            Ok(())
        } else {
            Err(TargetError::new(
                Kind::Away,
                &self.name,
                format!("read `{key}`"),
                format!("{had} bytes came where {wanted} were asked for"),
            ))
        }
    }

    /// How large `key` is, if it is there.
    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, TargetError> {
        Ok(self.head(key).await?.map(|found| found.size))
    }

    /// Gives every object under the folder `prefix` to `visit`, in no order and page by page. What is not ours to name is passed over.
    pub(super) async fn list(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Item),
    ) -> Result<(), TargetError> {
        let all = self.list_all(prefix, visit);
        match tokio::time::timeout(self.bounds.time, all).await {
            Ok(listed) => listed,
            Err(_) => Err(self.unbounded(prefix, Excess::Time)),
        }
    }

    async fn list_all(&self, prefix: &str, visit: &mut dyn FnMut(Item)) -> Result<(), TargetError> {
        let mut objects = self.store.list(Some(&self.at(prefix)));
        let mut laps = Laps::default();
        while let Some(found) = objects
            .try_next()
            .await
            .map_err(|error| self.unlisted(prefix, &error))?
        {
            if laps.is_again(found.location.as_ref()) {
                return Err(self.unbounded(prefix, Excess::Again));
            }
            if laps.seen > self.bounds.objects {
                return Err(self.unbounded(prefix, Excess::Objects));
            }
            if let Some(key) = self.key_of(&found.location) {
                visit(Item {
                    key,
                    bytes: found.size.min(HEAVIEST),
                    modified_ms: found.last_modified.timestamp_millis(),
                });
            }
        }
        Ok(())
    }

    fn unbounded(&self, prefix: &str, excess: Excess) -> TargetError {
        excess.error(&self.name, listing(prefix), &self.bounds)
    }

    /// Removes `key`, if it is there.
    pub(super) async fn delete(&self, key: &str) -> Result<(), TargetError> {
        match self.store.delete(&self.at(key)).await {
            Ok(()) => Ok(()),
            Err(error) => match self.failed(format!("delete `{key}`"), &error) {
                gone if gone.kind() == Kind::Missing => Ok(()),
                failed => Err(failed),
            },
        }
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>, TargetError> {
        match self.store.head(&self.at(key)).await {
            Ok(found) => Ok(Some(found)),
            Err(error) => match self.failed(format!("look at `{key}`"), &error) {
                missing if missing.kind() == Kind::Missing => Ok(None),
                failed => Err(failed),
            },
        }
    }

    /// An answer to HEAD has no body: whether the object is missing or the whole bucket, and why it is not ours to read, only a GET tells.
    async fn why_not(&self, key: &str) -> TargetError {
        let doing = format!("read `{key}`");
        match self.store.get(&self.at(key)).await {
            Err(error) => self.failed(doing, &error),
            Ok(_) => TargetError::new(Kind::Away, &self.name, doing, "it appeared only just now"),
        }
    }

    async fn must_be_free(&self, key: &str) -> Result<(), TargetError> {
        match self.head(key).await? {
            None => Ok(()),
            Some(_) => Err(TargetError::new(
                Kind::Exists,
                &self.name,
                format!("store `{key}`"),
                "there is an object of that name",
            )),
        }
    }

    fn at(&self, key: &str) -> Location {
        let ours = key.split('/').filter(|segment| !segment.is_empty());
        ours.fold(self.prefix.clone(), |at, segment| at.join(segment))
    }

    fn key_of(&self, location: &Location) -> Option<String> {
        let parts = location.prefix_match(&self.prefix)?;
        let parts: Vec<_> = parts.collect();
        let names: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        Some(names.join("/")).filter(|key| key::is_ours(key))
    }

    /// An empty listing is no error, so "not found" means the bucket.
    fn unlisted(&self, prefix: &str, error: &object_store::Error) -> TargetError {
        let failed = self.failed(listing(prefix), error);
        if failed.kind() == Kind::Missing {
            failed.because_of_the_bucket()
        } else {
            failed
        }
    }

    fn failed(&self, doing: String, error: &object_store::Error) -> TargetError {
        blame(&self.name, doing, error)
    }
}

fn cannot_create_only(error: &object_store::Error) -> bool {
    matches!(
        error,
        object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }
    )
}

/// Exactly `bytes` bytes.
fn take(from: &mut File, bytes: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(bytes).map_err(io::Error::other)?;
    let mut chunk = vec![0; size];
    from.read_exact(&mut chunk)?;
    Ok(chunk)
}
