//! How a token is had. The order is that of Tekton Chains: `token-path`, `token`, OIDC, and then what
//! the environment has.

use std::path::{Path, PathBuf};

use serde_json::json;
use windlass_core::config::Token;
use zeroize::Zeroizing;

use super::server::Server;
use crate::service::file::read;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::means::Means;

/// Where a pod has the token of its service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// What the entry of a mounted secret is called that holds a token.
const ENTRY: &str = "KMS_AUTH_TOKEN";
const TOKEN_VARIABLES: [&str; 2] = ["VAULT_TOKEN", "BAO_TOKEN"];
/// Where `vault login` and `bao login` leave a token, below the home.
const HELPER: &str = ".vault-token";
/// Largest file of a token.
const FILE_LIMIT: usize = 64 << 10;

/// How a token is had.
pub(super) enum Login {
    /// It is written somewhere.
    Token {
        token: Token,
        /// The setting or the variable.
        origin: &'static str,
    },
    /// It is in a file, which somebody else may renew.
    File(PathBuf),
    /// A JWT is exchanged for it: the method jwt or oidc, and just so kubernetes.
    Jwt {
        /// Path of the method below `auth/`.
        method: String,
        role: String,
        file: PathBuf,
    },
    /// The method approle.
    AppRole { role: String, secret: Token },
}

impl Login {
    /// The first that the settings and the environment have.
    pub(super) fn of(server: &Server, means: &Means) -> Result<Self, KmsError> {
        check(means)?;
        let settings = &means.settings;
        if !settings.auth_token_path.is_empty() {
            return Ok(Self::File(PathBuf::from(&settings.auth_token_path)));
        }
        if !settings.auth_token.is_empty() {
            return Ok(Self::Token {
                token: settings.auth_token.clone(),
                origin: "signers.kms.auth.token",
            });
        }
        if let Some(login) = oidc(means)? {
            return Ok(login);
        }
        Self::of_environment(means).ok_or_else(|| server.refuse(NONE))
    }

    fn of_environment(means: &Means) -> Option<Self> {
        let [vault, bao] = TOKEN_VARIABLES;
        for origin in [vault, bao] {
            if let Some(token) = means.first(&[origin]) {
                let token = Token::from(Zeroizing::new(token).trim());
                return Some(Self::Token { token, origin });
            }
        }
        let role = means.first(&["VAULT_ROLE_ID", "BAO_ROLE_ID"]);
        let secret = means.first(&["VAULT_SECRET_ID", "BAO_SECRET_ID"]);
        if let (Some(role), Some(secret)) = (role, secret) {
            let secret = Token::from(Zeroizing::new(secret).trim());
            let role = role.trim().to_owned();
            return Some(Self::AppRole { role, secret });
        }
        let home = means.first(&["HOME"])?;
        let helper = Path::new(&home).join(HELPER);
        helper.is_file().then_some(Self::File(helper))
    }

    /// The token, where it is written down.
    pub(super) async fn written(&self, server: &Server) -> Result<Option<Token>, KmsError> {
        match self {
            Self::Token { token, .. } => Ok(Some(token.clone())),
            Self::File(path) => token_in(path, server).await.map(Some),
            Self::Jwt { .. } | Self::AppRole { .. } => Ok(None),
        }
    }

    /// Path and body of the request that gives a token; none where it is written down.
    pub(super) async fn exchange(
        &self,
        server: &Server,
    ) -> Result<Option<(String, Zeroizing<String>)>, KmsError> {
        let (method, body) = match self {
            Self::Token { .. } | Self::File(_) => return Ok(None),
            Self::Jwt { method, role, file } => {
                let jwt = token_in(file, server).await?;
                let body = json!({ "role": role, "jwt": jwt.expose() });
                (method.as_str(), body)
            }
            Self::AppRole { role, secret } => {
                let body = json!({ "role_id": role, "secret_id": secret.expose() });
                ("approle", body)
            }
        };
        let body = Zeroizing::new(body.to_string());
        Ok(Some((format!("auth/{method}/login"), body)))
    }

    /// What to do about a token that is not valid.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Token { origin, .. } => format!("give {origin} another one"),
            Self::File(path) => format!("write another one to {}", path.display()),
            Self::Jwt { method, role, .. } => {
                format!("see what role {role:?} of auth method {method:?} allows")
            }
            Self::AppRole { .. } => {
                "see what the role of auth method \"approle\" allows".to_owned()
            }
        }
    }
}

/// Checks the settings of a login.
pub(super) fn check(means: &Means) -> Result<(), KmsError> {
    if !means.settings.auth_spire_sock.is_empty() {
        return Err(KmsError::Settings(SPIRE.to_owned()));
    }
    oidc(means).map(drop)
}

/// What to do about SPIRE's socket.
const SPIRE: &str = "signers.kms.auth.spire.sock is not supported; have spiffe-helper write the \
                     JWT-SVID to a file, and set signers.kms.auth.oidc.token-path to that, with \
                     oidc.path and oidc.role";

/// What to do without any login.
const NONE: &str = "there is no token; set signers.kms.auth.token-path, or oidc.path and oidc.role, \
                    for the controller, VAULT_TOKEN for a command";

fn oidc(means: &Means) -> Result<Option<Login>, KmsError> {
    let settings = &means.settings;
    let (path, role) = (&settings.auth_oidc_path, &settings.auth_oidc_role);
    if path.is_empty() || role.is_empty() {
        return Ok(None);
    }
    let method = path.trim_matches('/');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_up = method
        .split('/')
        .any(|part| matches!(part, "" | "." | ".."));
    if is_up || !method.bytes().all(is_letter) {
        return Err(KmsError::Settings(
            "signers.kms.auth.oidc.path is no path of an auth method; write one like `jwt`"
                .to_owned(),
        ));
    }
    let file = match settings.auth_oidc_token_path.as_str() {
        "" => SERVICE_ACCOUNT,
        path => path,
    };
    Ok(Some(Login::Jwt {
        method: method.to_owned(),
        role: role.clone(),
        file: PathBuf::from(file),
    }))
}

/// The token in a file, without the space around it. A directory is a mounted secret.
async fn token_in(path: &Path, server: &Server) -> Result<Token, KmsError> {
    let path = if path.is_dir() {
        path.join(ENTRY)
    } else {
        path.to_owned()
    };
    let refuse = |why: String| server.refuse(format!("cannot read {}: {why}", path.display()));
    let content = read(&path, FILE_LIMIT).await.map_err(refuse)?;
    let text = std::str::from_utf8(&content).map_err(|_| refuse("it is not a text".to_owned()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse("it is empty".to_owned()));
    }
    Ok(Token::from(text))
}
