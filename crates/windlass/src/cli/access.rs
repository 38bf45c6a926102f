//! The flags for access to registries, and images as they are typed.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use windlass_registry::keychain::Candidate;
use windlass_registry::{Credential, Reference, Repository};

use crate::input::Input;
use crate::inspect::image::{Lookup, ResolvedImage};
use crate::inspect::selector::kind_of;
use crate::store::oci::{Exemptions, Route};

/// Largest file with certificates.
const AUTHORITIES: usize = 1 << 20;

/// Options for access to registries.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Access {
    /// Repository with the tags of signatures and attestations (default: the image's)
    #[arg(long, env = "COSIGN_REPOSITORY", value_name = "REPOSITORY", value_parser = repository)]
    signature_repository: Option<Repository>,
    #[command(flatten)]
    login: Login,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(short, long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// How a registry is reached, and as whom.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Login {
    #[command(flatten)]
    transport: Transport,
    /// User of the registry, instead of the credentials of this machine
    #[arg(long, value_name = "NAME", requires = "registry_password")]
    registry_username: Option<String>,
    /// Password of that user
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "registry_username",
        hide_env_values = true
    )]
    registry_password: Option<String>,
    /// Access token for the registry, instead of a user and password
    #[arg(long, value_name = "TOKEN", conflicts_with = "registry_username")]
    registry_token: Option<String>,
    /// Certificates of authorities to trust besides those of this machine, in PEM
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    registry_cacert: Option<Input>,
}

/// The rules of TLS that a registry is exempt from.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Transport {
    /// Skip the certificate check of the registry
    #[arg(long)]
    allow_insecure_registry: bool,
    /// Use plain HTTP if the registry has no TLS
    #[arg(long)]
    allow_http_registry: bool,
}

impl Transport {
    /// What the flags mean.
    pub(super) fn exemptions(&self) -> Exemptions {
        Exemptions {
            certificate: self.allow_insecure_registry,
            plain_http: self.allow_http_registry,
        }
    }
}

impl Login {
    /// What the flags mean.
    pub(super) fn route(&self) -> anyhow::Result<Route> {
        let Self {
            transport,
            registry_username,
            registry_password,
            registry_token,
            registry_cacert,
        } = self;
        let mut authorities = Vec::new();
        if let Some(input) = registry_cacert {
            let read = input.read(AUTHORITIES);
            authorities.push(read.with_context(|| format!("cannot read {input}"))?);
        }
        let typed = match (registry_username, registry_password, registry_token) {
            (Some(username), Some(password), _) => {
                let [username, password] = [username, password].map(|text| text.clone().into());
                let credential = Credential::Password { username, password };
                Some(("--registry-username", credential))
            }
            (_, _, Some(token)) => {
                let credential = Credential::RegistryToken(token.clone().into());
                Some(("--registry-token", credential))
            }
            _ => None,
        };
        Ok(Route {
            exemptions: transport.exemptions(),
            authorities,
            credential: typed.map(|(source, credential)| Candidate {
                source: source.to_owned(),
                key: None,
                credential,
            }),
        })
    }
}

impl Access {
    /// How long the verb may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The way to images and to what is attached to them.
    pub(super) fn lookup(&self) -> anyhow::Result<Lookup> {
        Ok(Lookup {
            signature_repository: self.signature_repository.clone(),
            route: self.login.route()?,
        })
    }

    /// Finds out the digest of an image.
    pub(super) async fn resolve(&self, image: &Reference) -> anyhow::Result<ResolvedImage> {
        Ok(self.lookup()?.resolve(image).await?)
    }
}

/// Does something that somebody else can draw out, and gives it up when its time is over.
pub(super) async fn within<T>(
    time: Duration,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let done = tokio::time::timeout(time, work).await;
    done.unwrap_or_else(|_| {
        Err(anyhow::anyhow!(
            "not finished within {time:?}, the limit of --timeout; a registry or cluster took too \
             long, or an image is large: try again, or give it more time"
        ))
    })
}

/// A duration as Go and cosign write it: `90s`, `1m30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let read = text.parse::<SignedDuration>();
    let read = read.map_err(|_| "expected a duration such as 30s, 2m or 1m30s".to_owned())?;
    Duration::try_from(read)
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "the duration has to be longer than nothing".to_owned())
}

/// An image as it is typed. A run is none, even if Docker Hub could have an image of that name.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    if let Some((kind, _)) = text.split_once('/')
        && kind_of(kind).is_ok()
    {
        return Err(format!(
            "it names a run, and an image is meant here; `windlass trace {text}` and `windlass explain \
             {text}` show the images of a run (docker.io/{text} is an image)"
        ));
    }
    Reference::parse(text).map_err(|error| error.to_string())
}

fn repository(text: &str) -> Result<Repository, String> {
    Repository::parse(text).map_err(|error| error.to_string())
}
