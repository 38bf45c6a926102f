//! Reading of blobs.

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_LENGTH;

use super::call::Call;
use super::send::Remote;
use crate::digest::Digest;
use crate::error::Error;

impl Remote {
    /// The size of a blob; none if it does not exist, 0 if the registry does not state it.
    pub async fn head_blob(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let doing = format!("look for blob {digest}");
        let call = Call::new(Method::HEAD, format!("blobs/{digest}"), doing);
        let response = self.send(&call.expect(&[200, 404])).await?;
        if response.status == 404 {
            return Ok(None);
        }
        let size = response.header(CONTENT_LENGTH.as_str());
        Ok(Some(size.and_then(|size| size.parse().ok()).unwrap_or(0)))
    }

    /// A blob of at most `limit` bytes, checked against its digest; none if it does not exist.
    pub async fn get_blob(&self, digest: &Digest, limit: usize) -> Result<Option<Bytes>, Error> {
        let doing = format!("read blob {digest}");
        let call = Call::new(Method::GET, format!("blobs/{digest}"), doing);
        let call = call.expect(&[200, 404]).limit(limit);
        let response = self.send(&call).await?;
        if response.status == 404 {
            return Ok(None);
        }
        if !digest.names(&response.body) {
            return Err(Error::Digest {
                at: self.at(&call.doing),
                expected: digest.clone(),
                actual: Digest::of(&response.body),
            });
        }
        Ok(Some(response.body))
    }
}
