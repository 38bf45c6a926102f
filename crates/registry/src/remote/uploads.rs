//! Uploads of blobs.
//!
//! A blob that exists is not sent. Otherwise it is mounted from another repository if the registry
//! can do that, or sent in one piece, or in chunks if the registry refuses one piece. After a temporary
//! failure the upload starts again from the beginning, since its state is unknown then.
//! Source: OCI distribution specification 1.1, "Pushing blobs".

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method};
use windlass_once::Expiry;

use super::call::Call;
use super::send::Remote;
use crate::blob::Blob;
use crate::digest::Digest;
use crate::error::Error;
use crate::http::{Place, Response};
use crate::reference::Repository;
use crate::tenant::Tenant;

pub(super) const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Statuses of an upload in one piece after which chunks are tried.
const NOT_AT_ONCE: [u16; 4] = [405, 411, 413, 501];
/// Bytes of a chunk: small enough for proxies in front of registries.
const CHUNK: usize = 512 * 1024;
/// How long a repository is taken to have a common blob that was pushed. Registries that collect what
/// nothing refers to leave it for longer.
const STOCKED: Duration = Duration::from_secs(60);
/// Most bytes of the responses to uploads, which are not used.
pub(super) const LIMIT: usize = 1 << 20;

impl Remote {
    /// Makes sure that a blob exists in the repository. `from` is another repository of the same
    /// registry that may have it.
    pub async fn push_blob(
        &self,
        content: &Bytes,
        from: Option<&Repository>,
    ) -> Result<Digest, Error> {
        let digest = Digest::of(content);
        let writing = self.writing();
        let push = || async {
            if writing.has_blob(&digest).await? {
                return Ok(());
            }
            writing.push_once(&digest, content, from).await
        };
        self.retrying(push).await?;
        Ok(digest)
    }

    /// The same for content that is the same in many repositories: it is not looked for again where it
    /// was pushed lately. Gives whether it was pushed or looked for now.
    pub async fn push_common_blob(&self, blob: &Blob) -> Result<bool, Error> {
        let mut is_checked = false;
        let checked = &mut is_checked;
        let push = || async move {
            self.push_blob(blob.content(), None).await?;
            *checked = true;
            let until = self.session.options.clock.now() + STOCKED;
            Ok::<_, Error>(((), Expiry::At(until)))
        };
        let stocked = self.session.memory().stocked.share(&self.tenant);
        let now = self.session.options.clock.now();
        let key = self.stock_key(blob);
        stocked.get_or_try_make(&key, now, push).await?;
        Ok(is_checked)
    }

    /// Forgets that the repository has this content, which may have been removed.
    pub fn forget_common_blob(&self, blob: &Blob) {
        let stocked = self.session.memory().stocked.share(&self.tenant);
        stocked.remove_if(&self.stock_key(blob), |()| true);
    }

    fn stock_key(&self, blob: &Blob) -> (Tenant, Repository, Digest) {
        let repository = self.repository.clone();
        (self.tenant.clone(), repository, blob.digest().clone())
    }

    /// The same for content that most likely does not exist yet: it is sent without a check.
    pub async fn push_new_blob(&self, blob: &Blob) -> Result<(), Error> {
        let writing = self.writing();
        let push = || writing.push_once(blob.digest(), blob.content(), None);
        self.retrying(push).await
    }

    /// Checks push access: starts an upload and cancels it.
    pub async fn can_push(&self) -> Result<(), Error> {
        let writing = self.writing();
        let call = Call::new(Method::POST, "blobs/uploads/", "start an upload");
        let response = writing.send(&call.expect(&[202]).limit(LIMIT)).await?;
        let Ok(Some(there)) = writing.location("start an upload", &response) else {
            return Ok(());
        };
        let cancel = Call::new(Method::DELETE, "", "cancel an upload").at(there);
        // Registries that cannot do this drop the upload after a while.
        if let Err(error) = writing.send_once(&cancel.expect(&[200, 202, 204])).await {
            let error = error.outline();
            tracing::debug!(%error, "could not cancel the upload; the registry drops it after a while");
        }
        Ok(())
    }

    pub(super) async fn push_once(
        &self,
        digest: &Digest,
        content: &Bytes,
        from: Option<&Repository>,
    ) -> Result<(), Error> {
        let doing = format!("push blob {digest}");
        let from = from.filter(|from| {
            from.registry() == self.repository.registry() && **from != self.repository
        });
        let Some(there) = self.begin(&doing, digest, content, from).await? else {
            return Ok(());
        };
        let mut call = finish(&doing, there, digest).content(content.clone());
        call.expect = &[200, 201, 204, 405, 411, 413, 501];
        let response = self.send_once(&call).await?;
        if NOT_AT_ONCE.contains(&response.status) {
            return self.push_in_chunks(&doing, digest, content).await;
        }
        self.confirm(&doing, &response, content)
    }

    /// Whether the blob exists. A storage host that the registry redirects to and that refuses
    /// `HEAD` counts as no.
    pub(super) async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let doing = format!("look for blob {digest}");
        let call = Call::new(Method::HEAD, format!("blobs/{digest}"), doing);
        match self.send_once(&call.expect(&[200, 404])).await {
            Ok(response) => Ok(response.status == 200),
            Err(Error::Status { status, .. }) if (400..500).contains(&status) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the registry took a blob over from another of its repositories.
    pub(super) async fn mount(&self, digest: &Digest, from: &Repository) -> Result<bool, Error> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("mount", digest.as_str());
        query.append_pair("from", from.path());
        let path = format!("blobs/uploads/?{}", query.finish());
        let call = Call::new(Method::POST, path, format!("mount blob {digest}"));
        let call = call.from(Some(from)).expect(&[201, 202]).limit(LIMIT);
        Ok(self.send_once(&call).await?.status == 201)
    }

    /// Starts an upload and returns its address; none if the blob exists already.
    pub(super) async fn begin(
        &self,
        doing: &str,
        digest: &Digest,
        content: &Bytes,
        from: Option<&Repository>,
    ) -> Result<Option<Place>, Error> {
        let mut path = "blobs/uploads/".to_owned();
        if let Some(from) = from {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("mount", digest.as_str());
            query.append_pair("from", from.path());
            path = format!("{path}?{}", query.finish());
        }
        let call = Call::new(Method::POST, path, doing).from(from);
        let call = call.expect(&[201, 202]).limit(LIMIT);
        let response = self.send_once(&call).await?;
        if response.status == 201 {
            return Ok(None);
        }
        if let Some(there) = self.location(doing, &response)? {
            return Ok(Some(there));
        }
        self.push_by_post(doing, digest, content).await
    }

    /// Sends a blob with the request that starts an upload: the only way left if the registry omits
    /// `Location`.
    async fn push_by_post(
        &self,
        doing: &str,
        digest: &Digest,
        content: &Bytes,
    ) -> Result<Option<Place>, Error> {
        let path = format!("blobs/uploads/?digest={digest}");
        let call = Call::new(Method::POST, path, doing)
            .header(CONTENT_TYPE, OCTETS)
            .content(content.clone())
            .expect(&[201, 202])
            .limit(LIMIT);
        let response = self.send_once(&call).await?;
        if response.status == 201 {
            self.confirm(doing, &response, content)?;
            return Ok(None);
        }
        self.location(doing, &response)?
            .map(Some)
            .ok_or_else(|| Error::Malformed {
                at: self.at(doing),
                what: "the response to an upload has no Location".to_owned(),
            })
    }

    async fn push_in_chunks(
        &self,
        doing: &str,
        digest: &Digest,
        content: &Bytes,
    ) -> Result<(), Error> {
        let Some(mut there) = self.begin(doing, digest, content, None).await? else {
            return Ok(());
        };
        for start in (0..content.len()).step_by(CHUNK) {
            let end = content.len().min(start + CHUNK);
            let range = HeaderValue::from_str(&format!("{start}-{}", end - 1));
            let mut call = Call::new(Method::PATCH, "", doing)
                .at(there.clone())
                .header(CONTENT_TYPE, OCTETS)
                .content(content.slice(start..end))
                .expect(&[202, 204])
                .limit(LIMIT);
            call.headers
                .extend(range.ok().map(|range| (CONTENT_RANGE, range)));
            let response = self.send_once(&call).await?;
            there = self.location(doing, &response)?.unwrap_or(there);
        }
        let call = finish(doing, there, digest).content(Bytes::new());
        let response = self.send_once(&call).await?;
        self.confirm(doing, &response, content)
    }

    /// The address to continue an upload: `Location`, which may be relative and may have a query.
    pub(crate) fn location(
        &self,
        doing: &str,
        response: &Response,
    ) -> Result<Option<Place>, Error> {
        let Some(location) = response.header(LOCATION.as_str()) else {
            return Ok(None);
        };
        let at = self.at(doing);
        let from = &response.from;
        let there = from.place.url.join(location);
        let there = there.map_err(|_| Error::Malformed {
            at: at.clone(),
            what: "the Location of the upload is not a URL".to_owned(),
        })?;
        let http = &self.session.http;
        http.hop(&at, &self.tenant, from, there).map(Some)
    }
}

/// The request that completes an upload.
pub(super) fn finish<'a>(doing: &str, mut there: Place, digest: &Digest) -> Call<'a> {
    there
        .url
        .query_pairs_mut()
        .append_pair("digest", digest.as_str());
    Call::new(Method::PUT, "", doing)
        .at(there)
        .header(CONTENT_TYPE, OCTETS)
        .expect(&[200, 201, 204])
        .limit(LIMIT)
}
