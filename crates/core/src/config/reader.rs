//! Reads the entries of the ConfigMaps: the one place that knows all keys and defaults.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::root_source::{PUBLIC_MIRROR, Source};
use super::kinds::{BuildType, Encoding, PubsubProvider, SignerKind, StoreKind, TransparencyMode};
use super::problem::{CHAINS_CONFIG, ConfigError, Problem, WINDLASS_CONFIG, Warning};
use super::redact::{SHOWN, TOKEN_SERVICES, quoted};
use super::reference::{ConfigKey, literals, words};
use super::repository;
use super::settings::{ArtifactPolicy, Config, FINALIZER_GRACE, Kms, Storage, TufOrigin, X509};
use super::shared::SharedCredentials;
use super::suggest::closest;
use crate::format::Format;
use crate::network::{Network, Rules, TokenServices};
use crate::tekton::duration;

mod root_source;
mod transparency;
mod trusted_root;

pub use self::root_source::{TUF_MIRROR, put_trusted_root};

const IMAGE_FORMATS: [(&str, Format); 1] = [("simplesigning", Format::SimpleSigning)];
const ENCODING: &str = "storage.oci.encoding-format";
const REPOSITORY: &str = "storage.oci.repository";
const INSECURE: &str = "storage.oci.repository.insecure";
const SHARED: &str = "registries.shared-credentials";
/// For whom the tokens of Fulcio are.
const AUDIENCE: &str = "sigstore";
const FULCIO: &str = "signers.x509.fulcio.enabled";
/// Most lines of one value that an error shows.
const LINES: usize = 10;

/// A configuration, and what its reader should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// What was accepted but probably not meant.
    pub warnings: Vec<Warning>,
    /// The mirror whose trusted root has to be put into `trusted_root.json` of `windlass-config`, and read
    /// with it, before anything is signed with this configuration.
    pub mirror: Option<TufOrigin>,
}

/// What is known of a key: its values, and what counts if it is absent.
#[derive(Default)]
struct Known {
    values: Vec<String>,
    default: String,
}

/// Reads one key after the other, and remembers which keys there are and what was wrong.
struct Reader<'a> {
    config_map: &'static str,
    given: &'a BTreeMap<String, String>,
    known: BTreeMap<&'static str, Known>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

pub(super) fn parse(
    chains: &BTreeMap<String, String>,
    windlass: &BTreeMap<String, String>,
) -> Result<Parsed, ConfigError> {
    let mut reader = Reader::new(CHAINS_CONFIG, chains);
    let mut config = config(&mut reader);
    reader.warn_of_unknown();
    let Reader {
        mut problems,
        mut warnings,
        ..
    } = reader;
    let mut own = Reader::new(WINDLASS_CONFIG, windlass);
    let source = override_with(&mut own, &mut config);
    warn_of_time(&mut own, &config);
    own.warn_of_version(&config);
    own.warn_of_unknown();
    problems.append(&mut own.problems);
    warnings.append(&mut own.warnings);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    Ok(Parsed {
        config,
        warnings,
        mirror: source.into_mirror(),
    })
}

/// Every key of both ConfigMaps.
pub fn reference() -> Vec<ConfigKey> {
    let nothing = BTreeMap::new();
    let mut chains = Reader::new(CHAINS_CONFIG, &nothing);
    let mut config = config(&mut chains);
    let mut own = Reader::new(WINDLASS_CONFIG, &nothing);
    override_with(&mut own, &mut config);
    chains.reference().chain(own.reference()).collect()
}

pub(super) fn default() -> Config {
    config(&mut Reader::new(CHAINS_CONFIG, &BTreeMap::new()))
}

/// What `windlass-config` may say otherwise than `chains-config`, and where the trusted root is from.
fn override_with(own: &mut Reader<'_>, config: &mut Config) -> Source {
    let encoding = &mut config.storage.oci_encoding;
    *encoding = own.choice(ENCODING, &Encoding::NAMES, *encoding);
    config.oci_recursive = own.flag("artifacts.oci.recursive");
    config.storage.shared_credentials = own.shared_credentials(SHARED);
    let source = own.root_source(config);
    keyless(own, &mut config.x509);
    if let Some(roots) = source.roots() {
        own.keyless_roots(config, roots);
    }
    config.finalizer_grace = own.duration("finalizer.grace", config.finalizer_grace);
    config.storage.network = Network {
        allow: own.rules("network.allow"),
        deny: own.rules("network.deny"),
    };
    config.storage.token_services = own.token_services(TOKEN_SERVICES);
    own.more_transparency(&mut config.transparency, &source);
    source
}

fn config(r: &mut Reader<'_>) -> Config {
    let stores = StoreKind::NAMES;
    let without_kafka: Vec<_> = stores
        .into_iter()
        .filter(|(_, store)| *store != StoreKind::Kafka)
        .collect();
    Config {
        taskrun: ArtifactPolicy {
            format: r.choice("artifacts.taskrun.format", &Format::OF_RUNS, Format::SlsaV1),
            storage: r.stores("artifacts.taskrun.storage", &stores, StoreKind::Tekton),
            signer: r.signer("artifacts.taskrun.signer"),
        },
        pipelinerun: ArtifactPolicy {
            format: r.choice(
                "artifacts.pipelinerun.format",
                &Format::OF_RUNS,
                Format::SlsaV1,
            ),
            storage: r.stores(
                "artifacts.pipelinerun.storage",
                &without_kafka,
                StoreKind::Tekton,
            ),
            signer: r.signer("artifacts.pipelinerun.signer"),
        },
        deep_inspection: r.flag("artifacts.pipelinerun.enable-deep-inspection"),
        oci: ArtifactPolicy {
            format: r.choice(
                "artifacts.oci.format",
                &IMAGE_FORMATS,
                Format::SimpleSigning,
            ),
            storage: r.stores("artifacts.oci.storage", &stores, StoreKind::Oci),
            signer: r.signer("artifacts.oci.signer"),
        },
        oci_recursive: false,
        storage: storage(r),
        x509: x509(r),
        kms: kms(r),
        builder_id: r.text_or("builder.id", "https://tekton.dev/chains/v2"),
        build_type: r.choice(
            "builddefinition.buildtype",
            &BuildType::NAMES,
            BuildType::Slsa,
        ),
        transparency: r.transparency(),
        managed_by: r.names("filter.managed-by"),
        finalizer_grace: FINALIZER_GRACE,
    }
}

fn storage(r: &mut Reader<'_>) -> Storage {
    const NOTE_HINT: &str = "This attestation note was generated by Tekton Chains";
    let (oci_repository, oci_insecure) = (r.repository(REPOSITORY), r.flag(INSECURE));
    if oci_insecure && String::is_empty(&oci_repository) {
        let message = "it is for the registry of storage.oci.repository only, which is not set, so \
                       it has no effect";
        r.warn(INSECURE, message.to_owned());
    }
    Storage {
        gcs_bucket: r.text("storage.gcs.bucket"),
        oci_repository,
        oci_insecure,
        oci_encoding: r.choice(ENCODING, &Encoding::NAMES, Encoding::Dsse),
        shared_credentials: None,
        docdb_url: r.text("storage.docdb.url"),
        docdb_mongo_server_url: r.text("storage.docdb.mongo-server-url"),
        docdb_mongo_server_url_dir: r.text("storage.docdb.mongo-server-url-dir"),
        docdb_mongo_server_url_path: r.text("storage.docdb.mongo-server-url-path"),
        grafeas_project_id: r.text("storage.grafeas.projectid"),
        grafeas_note_id: r.text("storage.grafeas.noteid"),
        grafeas_note_hint: r.text_or("storage.grafeas.notehint", NOTE_HINT),
        archivista_url: r.text("storage.archivista.url"),
        pubsub_provider: r.choice(
            "storage.pubsub.provider",
            &PubsubProvider::NAMES.map(|(name, provider)| (name, Some(provider))),
            None,
        ),
        pubsub_topic: r.text("storage.pubsub.topic"),
        pubsub_kafka_bootstrap_servers: r.text("storage.pubsub.kafka.bootstrap.servers"),
        network: Network::default(),
        token_services: TokenServices::default(),
    }
}

fn x509(r: &mut Reader<'_>) -> X509 {
    X509 {
        fulcio_enabled: r.flag(FULCIO),
        fulcio_address: r.text_or("signers.x509.fulcio.address", "https://fulcio.sigstore.dev"),
        fulcio_issuer: r.text_if_set("signers.x509.fulcio.issuer"),
        fulcio_provider: r.text("signers.x509.fulcio.provider"),
        identity_token_file: r.text("signers.x509.identity.token.file"),
        tuf_mirror_url: r.text_or(TUF_MIRROR, PUBLIC_MIRROR),
        fulcio_root: String::new(),
        fulcio_ctlog_key: String::new(),
        identity_audience: AUDIENCE.to_owned(),
        identity_service_account: String::new(),
    }
}

/// What `windlass-config` adds to keyless signing.
fn keyless(own: &mut Reader<'_>, x509: &mut X509) {
    x509.fulcio_root = own.text("signers.x509.fulcio.root");
    x509.fulcio_ctlog_key = own.text("signers.x509.fulcio.ctlog-key");
    x509.identity_audience = own.text_or("signers.x509.identity.audience", AUDIENCE);
    x509.identity_service_account = own.text("signers.x509.identity.service-account");
}

fn kms(r: &mut Reader<'_>) -> Kms {
    Kms {
        kmsref: r.text("signers.kms.kmsref"),
        auth_address: r.text("signers.kms.auth.address"),
        auth_token: r.text("signers.kms.auth.token"),
        auth_token_path: r.text("signers.kms.auth.token-path"),
        auth_oidc_path: r.text("signers.kms.auth.oidc.path"),
        auth_oidc_role: r.text("signers.kms.auth.oidc.role"),
        auth_oidc_token_path: r.text("signers.kms.auth.oidc.token-path"),
        auth_spire_sock: r.text("signers.kms.auth.spire.sock"),
        auth_spire_audience: r.text("signers.kms.auth.spire.audience"),
    }
}

/// Warns of keyless signatures that nobody can verify once their certificates have ended.
fn warn_of_time(r: &mut Reader<'_>, config: &Config) {
    if config.is_keyless() && config.transparency.mode == TransparencyMode::Off {
        let message = "its certificates end within minutes, and without transparency.enabled nothing \
                       shows later that a signature was made in time: cosign refuses it";
        r.warn(FULCIO, message.to_owned());
    }
}

impl<'a> Reader<'a> {
    fn new(config_map: &'static str, given: &'a BTreeMap<String, String>) -> Self {
        Self {
            config_map,
            given,
            known: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a str> {
        self.known.entry(key).or_default();
        self.given.get(key).map(String::as_str)
    }

    /// Notes the values and the default of a key.
    fn describe(&mut self, key: &'static str, values: Vec<String>, default: impl Into<String>) {
        let default = default.into();
        self.known.insert(key, Known { values, default });
    }

    /// What was noted, in the order of the names.
    fn reference(self) -> impl Iterator<Item = ConfigKey> {
        let config_map = self.config_map;
        self.known.into_iter().map(move |(key, known)| ConfigKey {
            config_map,
            key,
            values: known.values,
            default: known.default,
        })
    }

    /// Taken as it is, also when empty.
    fn text<T: for<'t> From<&'t str>>(&mut self, key: &'static str) -> T {
        self.text_or(key, "")
    }

    fn text_or<T: for<'t> From<&'t str>>(&mut self, key: &'static str, default: &str) -> T {
        self.describe(key, words("text"), default);
        T::from(self.get(key).unwrap_or(default))
    }

    /// Taken as it is; nothing if it is absent or empty.
    fn text_if_set(&mut self, key: &'static str) -> Option<String> {
        let text: String = self.text(key);
        (!text.is_empty()).then_some(text)
    }

    /// A repository of a registry, or nothing.
    fn repository(&mut self, key: &'static str) -> String {
        self.describe(key, words("a repository"), "");
        let value = self.get(key).unwrap_or_default();
        if let Some(instead) = repository::instead(value) {
            self.refuse(key, value, vec![instead]);
        }
        value.to_owned()
    }

    /// Exactly one of the allowed values.
    fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        allowed: &[(&'static str, T)],
        default: T,
    ) -> T {
        let mut names = allowed.iter().filter(|(_, value)| *value == default);
        let name = names.next().map_or("", |(name, _)| name);
        self.describe(key, literals(allowed.iter().map(|(name, _)| *name)), name);
        let Some(value) = self.get(key) else {
            return default;
        };
        if let Some((_, choice)) = allowed.iter().find(|(name, _)| *name == value) {
            return *choice;
        }
        self.refuse(key, value, allowed.iter().map(|(name, _)| *name).collect());
        default
    }

    fn signer(&mut self, key: &'static str) -> SignerKind {
        self.choice(key, &SignerKind::NAMES, SignerKind::X509)
    }

    /// A comma-separated list of stores; nothing at all means none.
    fn stores(
        &mut self,
        key: &'static str,
        allowed: &[(&'static str, StoreKind)],
        default: StoreKind,
    ) -> BTreeSet<StoreKind> {
        let mut values = literals(allowed.iter().map(|(name, _)| *name));
        values.push("several with commas, or `\"\"` for none".to_owned());
        self.describe(key, values, default.as_str());
        let Some(value) = self.get(key) else {
            return BTreeSet::from([default]);
        };
        let mut stores = BTreeSet::new();
        if value.is_empty() {
            return stores;
        }
        for part in value.split(',').map(str::trim) {
            if let Some((_, store)) = allowed.iter().find(|(name, _)| *name == part) {
                stores.insert(*store);
                continue;
            }
            let names = allowed
                .iter()
                .filter(|(_, store)| store.is_supported())
                .map(|(name, _)| *name)
                .chain(["\"\" (disabled)"]);
            self.refuse(key, part, names.collect());
        }
        stores
    }

    /// A comma-separated list without restriction.
    fn names(&mut self, key: &'static str) -> BTreeSet<String> {
        self.describe(key, words("names, separated by commas"), "");
        let parts = self.get(key).unwrap_or_default().split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Networks and hosts, separated by commas.
    fn rules(&mut self, key: &'static str) -> Rules {
        self.describe(
            key,
            words("networks, addresses and hosts, separated by commas"),
            "",
        );
        let read = Rules::parse(self.get(key).unwrap_or_default());
        read.unwrap_or_else(|error| {
            let allowed = [
                "networks such as 10.0.0.0/8",
                "addresses",
                "host names without port",
            ];
            self.refuse(key, &error.0, allowed.to_vec());
            Rules::default()
        })
    }

    /// Lines of a registry and the host of its token service.
    fn token_services(&mut self, key: &'static str) -> TokenServices {
        self.describe(key, words("lines of REGISTRY HOST"), "");
        let read = TokenServices::parse(self.get(key).unwrap_or_default());
        read.unwrap_or_else(|error| {
            self.refuse(key, &error.0, vec!["lines of REGISTRY HOST"]);
            TokenServices::default()
        })
    }

    /// A boolean that is off unless it is switched on in one of Go's spellings. Chains ignores
    /// other spellings; so does this, but says so.
    fn flag(&mut self, key: &'static str) -> bool {
        self.describe(key, literals(["true", "false"]), "false");
        match self.get(key) {
            None | Some("0" | "f" | "F" | "FALSE" | "false" | "False") => false,
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => true,
            Some(other) => {
                let message = format!(
                    "{} is neither true nor false and is ignored; the setting stays false",
                    quoted(key, other)
                );
                self.warn(key, message);
                false
            }
        }
    }

    /// Who shares the credentials of the controller; each line that is not valid is a problem.
    fn shared_credentials(&mut self, key: &'static str) -> Option<SharedCredentials> {
        self.describe(key, words("lines of NAMESPACE REPOSITORY"), "");
        let text = self.get(key)?;
        let malformed = match SharedCredentials::parse(text) {
            Ok(shared) => return Some(shared),
            Err(malformed) => malformed,
        };
        let config_map = self.config_map;
        self.problems
            .extend(malformed.iter().take(LINES).map(|one| Problem {
                config_map,
                key: key.to_owned(),
                value: match one.line {
                    // it may be a user with a password
                    line if line.contains('@') => format!("line {}", one.number),
                    line => format!("line {}, {},", one.number, quoted(key, line)),
                },
                allowed: vec![one.instead.to_string().into()],
            }));
        None
    }

    /// A duration as Go writes it, not below zero.
    fn duration(&mut self, key: &'static str, default: Duration) -> Duration {
        let minutes = format!("{}m", default.as_secs() / 60);
        self.describe(key, words("a duration such as 1h30m"), minutes);
        let Some(value) = self.get(key) else {
            return default;
        };
        let nanoseconds = duration::parse(value).and_then(|time| u64::try_from(time).ok());
        if let Some(nanoseconds) = nanoseconds {
            return Duration::from_nanos(nanoseconds);
        }
        self.refuse(key, value, vec!["a duration such as 10m, 1h30m or 0s"]);
        default
    }

    fn refuse(&mut self, key: &'static str, value: &str, allowed: Vec<&'static str>) {
        self.problems.push(Problem {
            config_map: self.config_map,
            key: key.to_owned(),
            value: quoted(key, value),
            allowed: allowed.into_iter().map(Cow::Borrowed).collect(),
        });
    }

    fn warn(&mut self, key: &str, message: String) {
        let key = key.chars().take(SHOWN * 2).collect();
        self.warnings.push(Warning { key, message });
    }

    /// Keys that nothing reads. Those that start with `_`, such as `_example`, are comments.
    fn warn_of_unknown(&mut self) {
        let (map, given) = (self.config_map, self.given);
        for key in given.keys() {
            if self.known.contains_key(key.as_str()) || key.starts_with('_') {
                continue;
            }
            let message = match closest(key, self.known.keys().copied()) {
                Some(meant) => format!("no such key in {map}; did you mean {meant}?"),
                None => format!("no such key in {map}; it is ignored"),
            };
            self.warn(key, message);
        }
    }
}
