//! Kubeconfig files, read as `kubectl` reads them: of a list in `$KUBECONFIG`, files that do not exist
//! are passed over, and the token in a token file has no line end.

use std::path::{Path, PathBuf};

use http::HeaderValue;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError};
use secrecy::ExposeSecret as _;

use super::cause;

pub(super) mod server;

/// The environment variable with the list of files.
const VARIABLE: &str = "KUBECONFIG";
/// Largest token file.
const TOKEN_LIMIT: u64 = 1 << 20;
pub(super) const BAD_TOKEN: &str =
    "its token has a line end or another character that no header can have";
const NO_CERTIFICATE: &str = "its certificate-authority is not PEM";
const NO_URL: &str = "the server of its cluster is not a URL of http or https";

/// Why a kubeconfig is of no use. Each text says in which place, what is wrong there, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// A file is missing, or may not be read.
    #[error(
        "cannot read the kubeconfig {path}: {source}; name a kubeconfig with --kubeconfig or \
         $KUBECONFIG"
    )]
    Read {
        path: String,
        source: std::io::Error,
    },
    /// No file of the list exists.
    #[error(
        "no kubeconfig of $KUBECONFIG exists ({0}); name a kubeconfig with --kubeconfig or \
         $KUBECONFIG"
    )]
    NoneOf(String),
    /// There is no list, and no home to look in.
    #[error(
        "there is no home folder to look for .kube/config in; name a kubeconfig with --kubeconfig or \
         $KUBECONFIG"
    )]
    NoHome,
    /// It is not text, or not YAML, or its parts have other forms.
    #[error(
        "the kubeconfig {path} is damaged: {why}; repair it, or name another one with --kubeconfig"
    )]
    Damaged { path: String, why: String },
    /// No context is chosen.
    #[error(
        "the kubeconfig has no current-context; choose one with --context or `kubectl config use-context`"
    )]
    NoContext,
    /// The context is not in the file.
    #[error(
        "the kubeconfig has no context {0:?}; choose another one with --context: `kubectl config \
         get-contexts` lists them"
    )]
    UnknownContext(String),
    /// The cluster of the context is not in the file.
    #[error(
        "the kubeconfig has no cluster {0:?}, which its context names; add it, or choose another \
         context with --context"
    )]
    UnknownCluster(String),
    /// The user of the context is not in the file.
    #[error(
        "the kubeconfig has no user {0:?}, which its context names; add it, or choose another context \
         with --context"
    )]
    UnknownUser(String),
    /// The address, a certificate or a key cannot be used.
    #[error(
        "the kubeconfig cannot be used: {0}; repair it, or choose another context with --context"
    )]
    Unusable(String),
    /// The token file cannot be read.
    #[error(
        "cannot read the token file {path} of the kubeconfig: {source}; log in to the cluster again, or \
         choose another context with --context"
    )]
    Token {
        path: String,
        source: std::io::Error,
    },
}

/// The configuration of a context: from the file that was named, or from the usual places.
pub(super) async fn load(
    path: Option<&Path>,
    options: &KubeConfigOptions,
) -> Result<Config, FileError> {
    let mut file = match path {
        Some(path) => read(path)?,
        None => merged()?,
    };
    server::complete(&mut file, options);
    let stranger = unknown_user(&file, options);
    let loaded = Config::from_custom_kubeconfig(file, options).await;
    let mut config = loaded.map_err(|error| failed(&error, options))?;
    if let Some(name) = stranger {
        // kube would go on without a credential
        return Err(FileError::UnknownUser(name));
    }
    if config.root_cert.as_ref().is_some_and(Vec::is_empty) {
        return Err(FileError::Unusable(NO_CERTIFICATE.to_owned()));
    }
    if !server::is_usable(&config.cluster_url) {
        return Err(FileError::Unusable(NO_URL.to_owned()));
    }
    trim_token(&mut config)?;
    Ok(config)
}

/// The user that the context names and that is not in the file.
fn unknown_user(file: &Kubeconfig, options: &KubeConfigOptions) -> Option<String> {
    let user = server::user(file, options)?;
    let is_known = file.auth_infos.iter().any(|known| known.name == user);
    (!is_known && !user.is_empty()).then_some(user)
}

/// The files of the list, the first of which counts most; or the one in the home folder.
fn merged() -> Result<Kubeconfig, FileError> {
    let listed = std::env::var_os(VARIABLE).unwrap_or_default();
    let listed: Vec<PathBuf> = std::env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if listed.is_empty() {
        let home = std::env::var_os("HOME").ok_or(FileError::NoHome)?;
        return read(&Path::new(&home).join(".kube/config"));
    }
    let mut merged: Option<Kubeconfig> = None;
    for path in listed.iter().filter(|path| path.exists()) {
        let next = read(path)?;
        merged = Some(match merged {
            None => next,
            Some(earlier) => earlier.merge(next).map_err(|error| damaged(path, &error))?,
        });
    }
    merged.ok_or_else(|| {
        let paths: Vec<_> = listed
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        FileError::NoneOf(paths.join(", "))
    })
}

fn read(path: &Path) -> Result<Kubeconfig, FileError> {
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(source, path)
            if source.kind() != std::io::ErrorKind::InvalidData =>
        {
            let path = path.display().to_string();
            FileError::Read { path, source }
        }
        error => damaged(path, &error),
    })
}

fn damaged(path: &Path, error: &KubeconfigError) -> FileError {
    let why = match error {
        KubeconfigError::ReadConfig(..) => "it is not text".to_owned(),
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("it is not a kubeconfig in YAML (line {})", at.line()),
            None => "it is not a kubeconfig in YAML".to_owned(),
        },
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "its kind or apiVersion differs from that of another file of the list".to_owned()
        }
        error => cause::of(error),
    };
    let path = path.display().to_string();
    FileError::Damaged { path, why }
}

fn failed(error: &KubeconfigError, options: &KubeConfigOptions) -> FileError {
    match error {
        KubeconfigError::CurrentContextNotSet => FileError::NoContext,
        KubeconfigError::LoadContext(name) if name.is_empty() && options.context.is_none() => {
            FileError::NoContext
        }
        KubeconfigError::LoadContext(name) => FileError::UnknownContext(name.clone()),
        KubeconfigError::LoadClusterOfContext(name) => FileError::UnknownCluster(name.clone()),
        error => FileError::Unusable(why(error)),
    }
}

/// What is wrong with an address, a certificate or a key.
pub(super) fn why(error: &KubeconfigError) -> String {
    let unusable = |what: &str, source: &LoadDataError| match source {
        LoadDataError::ReadFile(source, path) => {
            format!("cannot read its {what} {}: {source}", path.display())
        }
        LoadDataError::DecodeBase64(_) => format!("its {what} is not base64"),
        LoadDataError::NoBase64DataOrFile => format!("it has no {what}"),
    };
    match error {
        KubeconfigError::MissingClusterUrl => "its cluster has no server".to_owned(),
        KubeconfigError::ParseClusterUrl(_) => NO_URL.to_owned(),
        KubeconfigError::ParseProxyUrl(_) => "the proxy of its cluster is not a URL".to_owned(),
        KubeconfigError::LoadCertificateAuthority(source) => {
            unusable("certificate-authority", source)
        }
        KubeconfigError::LoadClientCertificate(source) => unusable("client-certificate", source),
        KubeconfigError::LoadClientKey(source) => unusable("client-key", source),
        KubeconfigError::ParseCertificates(_) => NO_CERTIFICATE.to_owned(),
        error => cause::of(error),
    }
}

/// Takes the token of a file that has blanks or a line end around it, as editors leave one; a header
/// cannot have them. Other files are left to be read again when the token in them changes.
fn trim_token(config: &mut Config) -> Result<(), FileError> {
    let info = &mut config.auth_info;
    if let Some(token) = &info.token {
        // kube panics at one that no header can have
        let token = token.expose_secret().trim();
        if HeaderValue::from_str(token).is_err() {
            return Err(FileError::Unusable(BAD_TOKEN.to_owned()));
        }
        info.token = Some(token.to_owned().into());
        return Ok(());
    }
    let Some(path) = info.token_file.clone() else {
        return Ok(());
    };
    let unreadable = |source| FileError::Token {
        path: path.clone(),
        source,
    };
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > TOKEN_LIMIT {
        return Err(unreadable(std::io::Error::other("it is too large")));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    if text.trim() != text {
        info.token = Some(text.trim().to_owned().into());
        info.token_file = None;
    }
    Ok(())
}
