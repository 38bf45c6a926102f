//! The options of a key service: whose interface it has, who may use it, and what it does wrong.

/// Whose interface a key service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// AWS KMS, JSON over one path.
    Aws,
    /// Google Cloud KMS, REST; and the metadata server that gives out tokens.
    Google,
    /// Azure Key Vault, REST; and the endpoint that gives out tokens of a managed identity.
    Azure,
}

/// How a key service is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose interface it has.
    pub service: Service,
    /// Who may use it.
    pub account: Account,
    /// HTTPS instead of HTTP.
    pub tls: bool,
}

/// Who may use a key service.
#[derive(Clone)]
pub struct Account {
    /// Access key of AWS.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Session token of AWS; empty for none.
    pub session: String,
    /// Bearer token of Google and Azure.
    pub token: String,
}

/// None of the secrets.
impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Account([redacted])")
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            access_key: "AKIASANDBOX".to_owned(),
            secret_key: "sandbox-secret".to_owned(),
            session: String::new(),
            token: "sandbox-token".to_owned(),
        }
    }
}

/// What only key services do wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quirk {
    /// A refusal in the words of the service: its name for an error, such as
    /// `ThrottlingException`, and the status.
    Refusal(u16, String),
    /// The signature is made with another key of the same kind.
    OtherKey,
    /// The signature is right, and said to be by another key or version.
    OtherName,
    /// The checksum of the signature is wrong (Google).
    WrongChecksum,
    /// The checksum of the request is not said to be right (Google).
    UnverifiedChecksum,
}
