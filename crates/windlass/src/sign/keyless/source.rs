//! Where identity tokens are from. The names and the order are those of Tekton Chains
//! (docs/keyless.md, "Identity tokens"). A token is read anew for every certificate, since somebody
//! else renews it.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use windlass_core::config::{self, Token};
use windlass_core::identity_token::{IdentityToken, LIMIT};
use zeroize::Zeroizing;

use super::error::KeylessError;
use super::means::Means;
use crate::cluster::call::Call;
use crate::cluster::path::{ApiPath, Resource, check_name};
use crate::service::file;
use crate::service::http::Http;

/// Where cosign's tools write a token.
const FILE: &str = "/var/run/sigstore/cosign/oidc-token";
const TOKEN: &str = "SIGSTORE_ID_TOKEN";
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
const GOOGLE_HOST: &str = "GCE_METADATA_HOST";
/// What a machine of Google says of itself.
const GOOGLE_PRODUCT: &str = "/sys/class/dmi/id/product_name";
/// How long a token of a service account is to be valid, in seconds: the least that Kubernetes allows.
const LIFETIME: u64 = 600;

/// Where a person can get a token from.
const NOT_TYPED: &str = "there is no identity token, and windlass opens no browser to log in with; give \
                         one with --identity-token, set SIGSTORE_ID_TOKEN, or sign in a job of GitHub \
                         Actions with the permission `id-token: write`, on a machine of Google Cloud, or \
                         in a pod with a token at /var/run/sigstore/cosign/oidc-token";
const FILE_SETTING: &str = "signers.x509.identity.token.file";
const PROVIDER: &str = "signers.x509.fulcio.provider";

/// What `signers.x509.fulcio.provider` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Filesystem,
    CustomPath,
    Variable,
    GitHub,
    Google,
}

/// Where identity tokens are from.
pub(super) enum Source {
    /// A file.
    File(PathBuf),
    /// What a person typed.
    Typed(Token),
    /// A variable of the environment.
    Variable,
    /// A job of GitHub Actions, with the address and the credential that it has for that.
    GitHub { url: Url, credential: HeaderValue },
    /// The metadata server of Google Cloud.
    Google { url: Url },
    /// The API server, for this service account in the namespace of the controller.
    ServiceAccount(String),
}

impl Provider {
    const NAMES: [(&'static str, Self); 5] = [
        ("filesystem", Self::Filesystem),
        ("filesystem-custom-path", Self::CustomPath),
        ("envvar", Self::Variable),
        ("github-actions", Self::GitHub),
        ("google-workload-identity", Self::Google),
    ];

    fn of(name: &str) -> Result<Self, KeylessError> {
        let known = Self::NAMES.into_iter().find(|(known, _)| *known == name);
        if let Some((_, provider)) = known {
            return Ok(provider);
        }
        let names = Self::NAMES.map(|(name, _)| name).join(", ");
        let remedy = match name {
            "spiffe" => {
                "have spiffe-helper write the JWT-SVID to a file, and set \
                 signers.x509.identity.token.file to that, without a provider"
            }
            "google-impersonate" | "buildkite-agent" => {
                "write the token to a file that is renewed, and set signers.x509.identity.token.file \
                 to that, without a provider"
            }
            "google" => "write google-workload-identity",
            "github" => "write github-actions",
            _ => "correct it, or remove it to try them all",
        };
        Err(KeylessError::Settings(format!(
            "{PROVIDER} is {}, which is not one of {names}; {remedy}",
            windlass_core::terminal::quoted_start(name, 60)
        )))
    }
}

impl Source {
    /// Checks what the settings say of it.
    pub(super) fn check(settings: &config::X509) -> Result<(), KeylessError> {
        let named = &settings.fulcio_provider;
        let provider = (!named.is_empty())
            .then(|| Provider::of(named))
            .transpose()?;
        let has_file = !settings.identity_token_file.is_empty();
        if provider == Some(Provider::CustomPath) && !has_file {
            return Err(KeylessError::Settings(format!(
                "{PROVIDER} is filesystem-custom-path and no file is named; set {FILE_SETTING}"
            )));
        }
        let account = &settings.identity_service_account;
        if account.is_empty() {
            return Ok(());
        }
        if has_file || provider.is_some() {
            return Err(KeylessError::Settings(format!(
                "{ACCOUNT} of windlass-config is set together with {FILE_SETTING} or {PROVIDER}; \
                 remove what is not meant"
            )));
        }
        check_name(account).map_err(|_| {
            KeylessError::Settings(format!(
                "{ACCOUNT} of windlass-config is not the name of a service account"
            ))
        })
    }

    /// The one that the settings name, else the first that there is.
    pub(super) async fn of(means: &Means) -> Result<Self, KeylessError> {
        let settings = &means.settings;
        Self::check(settings)?;
        if let Some(token) = means.typed.as_ref().and_then(|typed| typed.token.clone()) {
            return Ok(Self::Typed(token));
        }
        if !settings.identity_service_account.is_empty() {
            return Ok(Self::ServiceAccount(
                settings.identity_service_account.clone(),
            ));
        }
        let provider = match settings.fulcio_provider.as_str() {
            "" => None,
            name => Some(Provider::of(name)?),
        };
        let file = &settings.identity_token_file;
        match provider {
            None | Some(Provider::Filesystem | Provider::CustomPath) if !file.is_empty() => {
                Ok(Self::File(PathBuf::from(file)))
            }
            None => Self::any(means).await,
            Some(Provider::Filesystem | Provider::CustomPath) => Ok(Self::File(FILE.into())),
            Some(Provider::Variable) => Ok(Self::Variable),
            Some(Provider::GitHub) => Self::github(means),
            Some(Provider::Google) => Self::google(means),
        }
    }

    /// The first that there is.
    async fn any(means: &Means) -> Result<Self, KeylessError> {
        if means.typed.as_ref().is_some_and(|typed| !typed.is_ambient) {
            return Err(KeylessError::Settings(
                "there is no identity token, and --oidc-disable-ambient-providers says to look for \
                 none; give one with --identity-token"
                    .to_owned(),
            ));
        }
        if tokio::fs::try_exists(FILE).await.unwrap_or(false) {
            return Ok(Self::File(FILE.into()));
        }
        if means.variable(TOKEN).is_some() {
            return Ok(Self::Variable);
        }
        if means.variable(GITHUB_URL).is_some() && means.variable(GITHUB_TOKEN).is_some() {
            return Self::github(means);
        }
        let product = read(Path::new(GOOGLE_PRODUCT)).await.unwrap_or_default();
        if String::from_utf8_lossy(&product).contains("Google") {
            return Self::google(means);
        }
        if means.typed.is_some() {
            return Err(KeylessError::Settings(NOT_TYPED.to_owned()));
        }
        Err(KeylessError::Settings(format!(
            "there is no identity token; mount one of a service account with audience {:?} and set \
             {FILE_SETTING} to its path, or set {ACCOUNT} in windlass-config",
            means.settings.identity_audience
        )))
    }

    fn github(means: &Means) -> Result<Self, KeylessError> {
        let missing = || {
            KeylessError::Settings(format!(
                "GitHub Actions gives no identity token: {GITHUB_URL} and {GITHUB_TOKEN} are not set; \
                 give the job the permission `id-token: write`"
            ))
        };
        let url = means.variable(GITHUB_URL).ok_or_else(missing)?;
        let token = means.variable(GITHUB_TOKEN).map(Zeroizing::new);
        let token = token.ok_or_else(missing)?;
        let mut url = Url::parse(&url).map_err(|_| missing())?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(missing());
        }
        url.query_pairs_mut()
            .append_pair("audience", &means.settings.identity_audience);
        let bearer = Zeroizing::new(format!("bearer {}", token.as_str()));
        let mut credential = HeaderValue::from_str(&bearer).map_err(|_| missing())?;
        credential.set_sensitive(true);
        Ok(Self::GitHub { url, credential })
    }

    fn google(means: &Means) -> Result<Self, KeylessError> {
        let host = means.variable(GOOGLE_HOST);
        let host = host.as_deref().unwrap_or("metadata.google.internal");
        let path = "computeMetadata/v1/instance/service-accounts/default/identity";
        let url = format!("http://{host}/{path}");
        let mut url = Url::parse(&url)
            .map_err(|_| KeylessError::Settings(format!("{GOOGLE_HOST} is no name of a host")))?;
        url.query_pairs_mut()
            .append_pair("audience", &means.settings.identity_audience)
            .append_pair("format", "full");
        Ok(Self::Google { url })
    }

    /// A token as it is now.
    pub(super) async fn token(
        &self,
        http: &Http,
        means: &Means,
    ) -> Result<IdentityToken, KeylessError> {
        let text = match self {
            Self::File(path) => read(path).await.map_err(|why| self.refuse(why))?,
            Self::Typed(token) => Zeroizing::new(token.expose().as_bytes().to_vec()),
            Self::Variable => {
                let text = means
                    .variable(TOKEN)
                    .ok_or_else(|| self.refuse("it is not set"))?;
                Zeroizing::new(text.into_bytes())
            }
            Self::GitHub { url, credential } => {
                #[derive(Deserialize)]
                struct Answer {
                    value: Zeroizing<String>,
                }
                let doing = "get an identity token of GitHub Actions";
                let request = |client: &reqwest::Client| {
                    let authorization = reqwest::header::AUTHORIZATION;
                    client.get(url.clone()).header(authorization, credential)
                };
                let answer: Answer = http.send(doing, request).await?.json(doing)?;
                Zeroizing::new(answer.value.as_bytes().to_vec())
            }
            Self::Google { url } => {
                let doing = "get an identity token of the metadata server of Google Cloud";
                let request = |client: &reqwest::Client| {
                    client.get(url.clone()).header("Metadata-Flavor", "Google")
                };
                let answer = http.send(doing, request).await?;
                if !answer.is_success() {
                    return Err(answer.failure(doing).into());
                }
                answer.body
            }
            Self::ServiceAccount(account) => of_account(account, means).await?,
        };
        let text = std::str::from_utf8(&text).map_err(|_| self.refuse("it is not text"))?;
        IdentityToken::read(text).map_err(|why| self.refuse(why))
    }

    /// The token is of no use, for this reason.
    pub(super) fn refuse(&self, why: impl Into<String>) -> KeylessError {
        KeylessError::Token {
            source_name: self.to_string(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Typed(_) => f.write_str("--identity-token"),
            Self::Variable => f.write_str(TOKEN),
            Self::GitHub { .. } => f.write_str("GitHub Actions"),
            Self::Google { .. } => f.write_str("Google Cloud"),
            Self::ServiceAccount(account) => write!(f, "service account {account}"),
        }
    }
}

/// The setting that names a service account.
const ACCOUNT: &str = "signers.x509.identity.service-account";

/// A token of a service account, made by the API server.
async fn of_account(account: &str, means: &Means) -> Result<Zeroizing<Vec<u8>>, KeylessError> {
    #[derive(Deserialize)]
    struct Answer {
        status: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        token: Zeroizing<String>,
    }
    let Some((client, namespace)) = &means.cluster else {
        return Err(KeylessError::Settings(format!("{ACCOUNT} needs a cluster")));
    };
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [means.settings.identity_audience],
            "expirationSeconds": LIFETIME,
        },
    });
    let path = ApiPath::within(namespace, Resource::SERVICE_ACCOUNTS);
    let path = path.object(account).part("token");
    let action = format!("get a token of service account {namespace}/{account}");
    let call = Call::post(action, path, body.to_string().into_bytes());
    let answer = call
        .send(client)
        .await
        .map_err(KeylessError::TokenRequest)?;
    let answer: Result<Answer, _> = serde_json::from_slice(&answer);
    let answer = answer.map_err(|_| KeylessError::Token {
        source_name: format!("service account {account}"),
        why: "the API server sent something else".to_owned(),
    })?;
    Ok(Zeroizing::new(answer.status.token.as_bytes().to_vec()))
}

/// What is in a file, up to the size of a token.
async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let metadata = tokio::fs::metadata(path).await;
    if !metadata.map_err(|error| error.to_string())?.is_file() {
        return Err("it is not a file".to_owned());
    }
    file::read(path, LIMIT).await
}
