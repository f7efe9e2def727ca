//! A store in memory that can be told what to fail at.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use parking_lot::Mutex;
use shared::clock::ManualClock;

/// What goes wrong with objects whose key ends in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backup) enum Fault {
    /// They cannot be stored.
    Put(&'static str),
    /// They are stored, and nobody is told so.
    PutUnheard(&'static str),
    /// They cannot be read.
    Get(&'static str),
    /// One bit of them comes back changed.
    Changed(&'static str),
    /// They cannot be removed.
    Delete(&'static str),
    /// Nothing can be listed.
    List,
}

#[derive(Debug, Default)]
pub(in crate::backup) struct Faulty {
    inner: InMemory,
    faults: Mutex<Vec<Fault>>,
    slow: Mutex<Option<(Arc<ManualClock>, Duration)>>,
}

impl Faulty {
    pub(in crate::backup) fn has(&self, fault: Fault) {
        self.faults.lock().push(fault);
    }

    /// Each listing takes so long from now on.
    pub(in crate::backup) fn lists_in(&self, time: Duration, clock: &Arc<ManualClock>) {
        *self.slow.lock() = Some((Arc::clone(clock), time));
    }

    pub(in crate::backup) fn heal(&self) {
        self.faults.lock().clear();
        *self.slow.lock() = None;
    }

    fn fails(&self, is_it: impl Fn(Fault) -> Option<&'static str>, key: &Path) -> bool {
        let faults = self.faults.lock();
        faults
            .iter()
            .filter_map(|fault| is_it(*fault))
            .any(|suffix| key.as_ref().ends_with(suffix))
    }
}

fn refused() -> Error {
    Error::Generic {
        store: "faulty",
        source: "told to fail".into(),
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = |fault| match fault {
            Fault::Put(suffix) => Some(suffix),
            _ => None,
        };
        let unheard = |fault| match fault {
            Fault::PutUnheard(suffix) => Some(suffix),
            _ => None,
        };
        if self.fails(put, at) {
            return Err(refused());
        }
        let stored = self.inner.put_opts(at, payload, options).await;
        if self.fails(unheard, at) {
            return Err(refused());
        }
        stored
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        let get = |fault| match fault {
            Fault::Get(suffix) => Some(suffix),
            _ => None,
        };
        let changed = |fault| match fault {
            Fault::Changed(suffix) => Some(suffix),
            _ => None,
        };
        if self.fails(get, at) {
            return Err(refused());
        }
        let is_head = options.head;
        let got = self.inner.get_opts(at, options).await?;
        if is_head || !self.fails(changed, at) {
            return Ok(got);
        }
        let (meta, range, attributes) =
            (got.meta.clone(), got.range.clone(), got.attributes.clone());
        let mut bytes = got.bytes().await?.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let piece = futures_util::stream::once(async move { Ok(bytes.into()) });
        Ok(GetResult {
            payload: GetResultPayload::Stream(piece.boxed()),
            meta,
            range,
            attributes,
            extensions: Default::default(),
        })
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(at, ranges).await
    }

    fn delete_stream(
        &self,
        places: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let delete = |fault| match fault {
            Fault::Delete(suffix) => Some(suffix),
            _ => None,
        };
        let refusing: Vec<&'static str> = self
            .faults
            .lock()
            .iter()
            .filter_map(|fault| delete(*fault))
            .collect();
        let places = places.map(move |place| match place {
            Ok(place)
                if refusing
                    .iter()
                    .any(|suffix| place.as_ref().ends_with(suffix)) =>
            {
                Err(refused())
            }
            place => place,
        });
        self.inner.delete_stream(places.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Some((clock, time)) = &*self.slow.lock() {
            clock.advance(*time);
        }
        if self.faults.lock().contains(&Fault::List) {
            return futures_util::stream::once(async { Err(refused()) }).boxed();
        }
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        if self.faults.lock().contains(&Fault::List) {
            return Err(refused());
        }
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
