//! Reading and writing of manifests by tag or digest, checked against their digests both ways.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use windlass_once::Expiry;

use super::call::Call;
use super::send::Remote;
use crate::digest::Digest;
use crate::error::Error;
use crate::http::Response;
use crate::manifest::{Descriptor, StoredManifest};
use crate::reference::Name;

/// Accepted types: manifests, then anything else, so that something else under a tag is seen and not
/// overwritten. A registry responds with 404 for a type that is not accepted.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, */*;q=0.1",
);
/// Header with the digest of the content.
pub(super) const DIGEST: &str = "docker-content-digest";
/// Header that says that a referrer is listed by the registry.
const SUBJECT: &str = "oci-subject";

/// How long a manifest that was found is taken to be there.
const KNOWN: Duration = Duration::from_secs(60);
/// Longest media type that is remembered, in bytes.
const LONGEST_TYPE: usize = 256;

/// The result of writing a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedManifest {
    /// Its digest.
    pub digest: Digest,
    /// Whether the registry confirmed that it lists the manifest under its subject.
    pub is_listed: bool,
}

impl Remote {
    /// A manifest, checked against the requested digest and the one that the registry states; none
    /// if it does not exist.
    pub async fn get_manifest(&self, name: &Name) -> Result<Option<StoredManifest>, Error> {
        self.get_manifest_within(name, self.session.options.limits.manifest)
            .await
    }

    /// The same for a manifest of at most `limit` bytes, such as the size that its descriptor states.
    pub async fn get_manifest_within(
        &self,
        name: &Name,
        limit: usize,
    ) -> Result<Option<StoredManifest>, Error> {
        self.retrying(|| self.get_manifest_once(name, limit)).await
    }

    async fn get_manifest_once(
        &self,
        name: &Name,
        limit: usize,
    ) -> Result<Option<StoredManifest>, Error> {
        let call = Call::new(
            Method::GET,
            format!("manifests/{name}"),
            format!("read manifest {name}"),
        );
        let call = call
            .header(ACCEPT, ACCEPTED)
            .expect(&[200, 404])
            .limit(limit.min(self.session.options.limits.manifest));
        let response = self.send_once(&call).await?;
        if response.status == 404 {
            return Ok(None);
        }
        self.stored(name, &call.doing, &response).map(Some)
    }

    fn stored(
        &self,
        name: &Name,
        doing: &str,
        response: &Response,
    ) -> Result<StoredManifest, Error> {
        let actual = Digest::of(&response.body);
        let stated = response
            .header(DIGEST)
            .and_then(|text| Digest::parse(text).ok());
        let asked = match name {
            Name::Digest(digest) => Some(digest.clone()),
            Name::Tag(_) => None,
        };
        for expected in asked.iter().chain(&stated) {
            if !expected.names(&response.body) {
                return Err(Error::Digest {
                    at: self.at(doing),
                    expected: expected.clone(),
                    actual,
                });
            }
        }
        Ok(StoredManifest {
            media_type: media_type(response).unwrap_or_else(|| own_media_type(&response.body)),
            digest: asked.unwrap_or(actual),
            bytes: response.body.clone(),
        })
    }

    /// The descriptor of a manifest that may have been found within the last minute; none if it does
    /// not exist. One caller looks for it, the others of the same tenant wait.
    pub async fn known_manifest(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let look = || async {
            let found = self.head_manifest(&Name::Digest(digest.clone())).await;
            let found = found.map_err(Some)?.ok_or(None)?;
            let now = self.session.options.clock.now();
            let lasting = match found.media_type.len() {
                ..=LONGEST_TYPE => KNOWN,
                _ => Duration::ZERO,
            };
            Ok((found, Expiry::At(now + lasting)))
        };
        let (tenant, repository) = (self.tenant.clone(), self.repository.clone());
        let described = self.session.memory().described.share(&self.tenant);
        let now = self.session.options.clock.now();
        let key = (tenant, repository, digest.clone());
        match described.get_or_try_make(&key, now, look).await {
            Ok(found) => Ok(Some(found)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// The descriptor of a manifest; none if it does not exist. If the registry leaves out the type,
    /// size or digest, the manifest is read.
    pub async fn head_manifest(&self, name: &Name) -> Result<Option<Descriptor>, Error> {
        self.retrying(|| self.head_manifest_once(name)).await
    }

    /// The same, asked once.
    pub(super) async fn head_manifest_once(
        &self,
        name: &Name,
    ) -> Result<Option<Descriptor>, Error> {
        let call = Call::new(
            Method::HEAD,
            format!("manifests/{name}"),
            format!("look for manifest {name}"),
        );
        let call = call.header(ACCEPT, ACCEPTED).expect(&[200, 404, 405, 501]);
        let response = self.send_once(&call).await?;
        if response.status == 404 {
            return Ok(None);
        }
        let known = described(&response).filter(|known| match name {
            Name::Digest(digest) => known.digest == *digest,
            Name::Tag(_) => true,
        });
        if known.is_some() && response.status == 200 {
            return Ok(known);
        }
        let limit = self.session.options.limits.manifest;
        let stored = self.get_manifest_once(name, limit).await?;
        Ok(stored.map(|stored| stored.descriptor()))
    }

    /// Writes a manifest under a tag or its digest, which must be that of the bytes. The blobs and
    /// manifests that it lists must exist in the repository.
    pub async fn put_manifest(
        &self,
        name: &Name,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<PushedManifest, Error> {
        let put = || self.put_manifest_once(name, media_type, bytes.clone());
        self.retrying(put).await
    }

    /// The same, tried once.
    pub(super) async fn put_manifest_once(
        &self,
        name: &Name,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<PushedManifest, Error> {
        let mut call = Call::new(
            Method::PUT,
            format!("manifests/{name}"),
            format!("push manifest {name}"),
        );
        let refuse = |why: &str| Error::Refused {
            at: self.at(&call.doing),
            why: why.to_owned(),
        };
        let digest = match name {
            Name::Digest(digest) if !digest.names(&bytes) => {
                return Err(refuse("the manifest has another digest"));
            }
            Name::Digest(digest) => digest.clone(),
            Name::Tag(_) => Digest::of(&bytes),
        };
        let kind = HeaderValue::from_str(media_type);
        let kind = kind.map_err(|_| refuse("the media type cannot be sent"))?;
        call.moves_tag = matches!(name, Name::Tag(_));
        let call = call
            .header(CONTENT_TYPE, kind)
            .content(bytes.clone())
            .expect(&[200, 201, 202, 204])
            .limit(self.session.options.limits.manifest);
        let response = self.writing().send_once(&call).await?;
        self.confirm(&call.doing, &response, &bytes)?;
        Ok(PushedManifest {
            digest,
            is_listed: response.header(SUBJECT).is_some(),
        })
    }

    /// Compares the digest that the registry states for written content, if it states one.
    pub(super) fn confirm(
        &self,
        doing: &str,
        response: &Response,
        content: &[u8],
    ) -> Result<(), Error> {
        let stated = response
            .header(DIGEST)
            .and_then(|text| Digest::parse(text).ok());
        match stated {
            Some(stated) if !stated.names(content) => Err(Error::Digest {
                at: self.at(doing),
                expected: Digest::of(content),
                actual: stated,
            }),
            _ => Ok(()),
        }
    }
}

fn media_type(response: &Response) -> Option<String> {
    let stated = response.header(CONTENT_TYPE.as_str())?;
    let plain = stated.split(';').next().unwrap_or(stated).trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

/// The media type that a manifest states itself, for registries that leave out the header.
fn own_media_type(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: String,
    }
    let typed = serde_json::from_slice::<Typed>(body);
    typed.map(|typed| typed.media_type).unwrap_or_default()
}

fn described(response: &Response) -> Option<Descriptor> {
    let digest = Digest::parse(response.header(DIGEST)?).ok()?;
    let size = response.header(CONTENT_LENGTH.as_str())?.parse().ok()?;
    let mut described = Descriptor::of(&media_type(response)?, &[]);
    (described.digest, described.size) = (digest, size);
    Some(described)
}
