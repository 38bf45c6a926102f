//! A server: its address, whom it is trusted by, and its namespace.

use std::path::Path;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Certificate, Method, Url};

use crate::service::file::read;
use crate::service::http::{Answer, Http, QUICK, excess};
use crate::sign::kms::error::KmsError;
use crate::sign::kms::means::Means;
use crate::sign::kms::reference::vault::Product;

const ADDRESS: &str = "signers.kms.auth.address";
const ADDRESS_VARIABLES: [&str; 2] = ["VAULT_ADDR", "BAO_ADDR"];
const NAMESPACE_VARIABLES: [&str; 2] = ["VAULT_NAMESPACE", "BAO_NAMESPACE"];
const AUTHORITY_VARIABLES: [&str; 2] = ["VAULT_CACERT", "BAO_CACERT"];

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Says that no web page makes the request; a server may insist on it.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// What is wrong with a token that no request can carry, and what to do.
const NO_TOKEN: &str =
    "there is a line end or another control character in the token; write it again in one line";

/// Largest file of authorities.
const FILE_LIMIT: usize = 1 << 20;

/// A server, and how it is reached.
pub(super) struct Server {
    http: Http,
    /// Ends without a slash.
    base: String,
    place: String,
    namespace: Option<HeaderValue>,
}

/// A request to a server.
pub(super) struct Request<'a> {
    /// What is to be done, for errors.
    pub(super) doing: &'a str,
    pub(super) method: Method,
    /// Below `/v1/`.
    pub(super) path: &'a str,
    pub(super) token: Option<&'a str>,
    /// JSON.
    pub(super) body: Option<&'a str>,
}

impl Server {
    /// The one that the settings name, else the environment.
    pub(super) async fn of(product: Product, means: &Means) -> Result<Self, KmsError> {
        let url = address(product, means)?;
        let authorities = match means.first(&AUTHORITY_VARIABLES) {
            Some(path) => authorities(Path::new(&path)).await?,
            None => Vec::new(),
        };
        let namespace = means.first(&NAMESPACE_VARIABLES);
        let namespace = namespace
            .map(|name| HeaderValue::from_str(&name))
            .transpose();
        let namespace = namespace.map_err(|_| {
            let [vault, bao] = NAMESPACE_VARIABLES;
            KmsError::Settings(format!("{vault} or {bao} is no name of a namespace"))
        })?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            http: Http::new(authorities, QUICK)?,
            place: format!("{} at {base}", product.name()),
            base,
            namespace,
        })
    }

    /// The server, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn send(&self, request: &Request<'_>) -> Result<Answer, KmsError> {
        let url = format!("{}/v1/{}", self.base, request.path);
        let token = request.token.map(HeaderValue::from_str).transpose();
        let mut token = token.map_err(|_| self.refuse(NO_TOKEN))?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let make = |client: &reqwest::Client| {
            let mut made = client.request(request.method.clone(), &url);
            made = made.header(REQUEST, "true");
            if let Some(namespace) = &self.namespace {
                made = made.header(NAMESPACE, namespace);
            }
            if let Some(token) = &token {
                made = made.header(TOKEN, token);
            }
            match request.body {
                Some(body) => made
                    .header(reqwest::header::CONTENT_TYPE, "application/json")
                    .body(body.to_owned()),
                None => made,
            }
        };
        Ok(self.http.send(request.doing, make).await?)
    }

    /// A login that fails for this reason.
    pub(super) fn refuse(&self, why: impl Into<String>) -> KmsError {
        KmsError::Login {
            service: self.place.clone(),
            why: why.into(),
        }
    }
}

/// The address of a server. It may hold a password where it must not, so it is not repeated.
pub(super) fn address(product: Product, means: &Means) -> Result<Url, KmsError> {
    let [vault, bao] = ADDRESS_VARIABLES;
    let set = &means.settings.auth_address;
    let (text, name) = if set.is_empty() {
        let Some(text) = means.first(&ADDRESS_VARIABLES) else {
            return Err(KmsError::Settings(format!(
                "the address of {} is not known; set {vault}, or {ADDRESS} for the controller",
                product.name()
            )));
        };
        (text, format!("{vault} or {bao}"))
    } else {
        (set.expose().to_owned(), ADDRESS.to_owned())
    };
    let malformed = |why: &str| {
        KmsError::Settings(format!(
            "{name} is no address of a server: {why}; write https://HOST:PORT"
        ))
    };
    let url = Url::parse(&text).map_err(|_| malformed("it is not a URL"))?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err(malformed("it is not a URL"));
    }
    if let Some(why) = excess(&url) {
        return Err(malformed(why));
    }
    Ok(url)
}

async fn authorities(path: &Path) -> Result<Vec<Certificate>, KmsError> {
    let unusable = |why: String| {
        let path = path.display();
        let [vault, bao] = AUTHORITY_VARIABLES;
        KmsError::Settings(format!(
            "cannot use the certificates in {path}: {why}; correct {vault} or {bao}"
        ))
    };
    let text = read(path, FILE_LIMIT).await.map_err(unusable)?;
    let read = Certificate::from_pem_bundle(&text);
    let read = read.map_err(|_| unusable("they are malformed".to_owned()))?;
    if read.is_empty() {
        return Err(unusable("there are none".to_owned()));
    }
    Ok(read)
}
