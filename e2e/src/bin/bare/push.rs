//! What a signature and an attestation of an image take at a registry: each is a blob, the blob of a
//! config and a manifest under a tag, which is read before it is written.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use windlass_e2e::Api;
use windlass_registry::Digest;

use crate::text::{self, Text};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A client of the registries that runs name.
#[derive(Debug)]
pub(crate) struct Pusher {
    client: Client,
    /// The value of `Authorization` for a registry, by its host.
    credentials: BTreeMap<String, String>,
}

impl Pusher {
    /// One with the credentials of the secrets `push` that `load` makes.
    pub(crate) async fn new(api: &Api) -> Result<Self> {
        let mut credentials = BTreeMap::new();
        for secret in api.list("/api/v1/secrets").await? {
            if secret["metadata"]["name"] == "push" {
                credentials.extend(authorizations(&secret)?);
            }
        }
        let client = Client::builder().build()?;
        Ok(Self {
            client,
            credentials,
        })
    }

    /// Pushes a signature and an attestation.
    pub(crate) async fn push(&self, image: (&str, &str), run: &str) -> Result<()> {
        let mut text = Text::new(run);
        for (suffix, length, media_type) in [
            ("sig", text::SIMPLE_SIGNING, text::SIMPLE_SIGNING_TYPE),
            ("att", text::ENVELOPE, text::ENVELOPE_TYPE),
        ] {
            let layer = text.take(length);
            let attached = self.attach(image, suffix, (layer, media_type)).await;
            attached.with_context(|| format!("cannot attach .{suffix} for {run}"))?;
        }
        Ok(())
    }

    async fn attach(
        &self,
        (repository, digest): (&str, &str),
        suffix: &str,
        (layer, media_type): (String, &str),
    ) -> Result<()> {
        let (host, path) = repository.split_once('/').context("no host")?;
        let place = Place {
            base: format!("http://{host}/v2/{path}"),
            authorization: self.credentials.get(host),
            client: &self.client,
        };
        let tag = format!("manifests/{}.{suffix}", digest.replace(':', "-"));
        place.expect_nothing(&tag).await?;
        let signature = Text::new(digest).take(text::LAYER_SIGNATURE);
        let digest = Digest::of(layer.as_bytes());
        let config = json!({
            "architecture": "", "os": "", "created": "0001-01-01T00:00:00Z", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [digest.as_str()] },
        });
        let config = config.to_string();
        let described = |media_type: &str, content: &str| {
            let digest = Digest::of(content.as_bytes());
            json!({ "mediaType": media_type, "size": content.len(), "digest": digest.as_str() })
        };
        let mut layers = described(media_type, &layer);
        layers["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described(CONFIG, &config), "layers": [layers],
        });
        futures::try_join!(place.upload(layer), place.upload(config))?;
        let put = place.request(Method::PUT, &place.at(&tag));
        let put = put.header("Content-Type", MANIFEST);
        let response = put.body(manifest.to_string()).send().await?;
        ensure!(response.status() == StatusCode::CREATED, "{response:?}");
        Ok(())
    }
}

/// A repository.
struct Place<'a> {
    base: String,
    authorization: Option<&'a String>,
    client: &'a Client,
}

impl Place<'_> {
    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url);
        match self.authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    }

    /// Reads a tag, as whoever adds to it has to.
    async fn expect_nothing(&self, tag: &str) -> Result<()> {
        let response = self.request(Method::GET, &self.at(tag)).send().await?;
        ensure!(response.status() == StatusCode::NOT_FOUND, "{response:?}");
        Ok(())
    }

    async fn upload(&self, blob: String) -> Result<()> {
        let session = self.request(Method::POST, &self.at("blobs/uploads/"));
        let session = session.send().await?;
        ensure!(session.status() == StatusCode::ACCEPTED, "{session:?}");
        let location = session.headers().get("Location").context("no session")?;
        let mut location = session.url().join(location.to_str()?)?;
        let digest = Digest::of(blob.as_bytes());
        let mut query = location.query_pairs_mut();
        query.append_pair("digest", digest.as_str());
        drop(query);
        let put = self.request(Method::PUT, location.as_str());
        let put = put.header("Content-Type", "application/octet-stream");
        let response = put.body(blob).send().await?;
        ensure!(response.status() == StatusCode::CREATED, "{response:?}");
        Ok(())
    }
}

/// The credentials of a Docker configuration, as `Authorization` has them, by host.
fn authorizations(secret: &Value) -> Result<Vec<(String, String)>> {
    let config = secret["data"][".dockerconfigjson"].as_str();
    let config = STANDARD.decode(config.context("a secret of another type")?)?;
    let config: Value = serde_json::from_slice(&config)?;
    let auths = config["auths"].as_object().context("no auths")?;
    let basic = auths.iter().filter_map(|(place, entry)| {
        let host = place.split('/').next()?.to_owned();
        let basic = match entry["auth"].as_str() {
            Some(auth) => auth.to_owned(),
            None => STANDARD.encode(format!(
                "{}:{}",
                entry["username"].as_str()?,
                entry["password"].as_str()?
            )),
        };
        Some((host, format!("Basic {basic}")))
    });
    Ok(basic.collect())
}
