//! What a plugin is asked, and what it responds.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::super::error::KmsError;
use super::super::plugins::Program;

/// The first argument: the version of the protocol.
pub(super) const VERSION: &str = "v1";
/// SHA-256, as the protocol numbers hashes: by Go's `crypto.Hash`.
const SHA256: u8 = 5;
/// Most characters of a plugin's message that go to a terminal.
const HEARD: usize = 1000;

/// What a plugin is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method<'a> {
    DefaultAlgorithm,
    /// With this algorithm.
    CreateKey(&'a str),
    PublicKey,
    SignMessage,
}

impl Method<'_> {
    /// The second argument. All members are given that Go's programs read without looking.
    pub(super) fn arguments(self, resource: &str) -> String {
        let mut arguments = json!({
            "initOptions": {
                "protocolVersion": VERSION,
                "keyResourceID": resource,
                "hashFunc": SHA256,
                "rpcOptions": {},
            },
        });
        let (name, options) = match self {
            Self::DefaultAlgorithm => ("defaultAlgorithm", json!({})),
            Self::CreateKey(algorithm) => ("createKey", json!({ "algorithm": algorithm })),
            Self::PublicKey => (
                "publicKey",
                json!({ "publicKeyOptions": { "rpcOptions": {} } }),
            ),
            Self::SignMessage => (
                "signMessage",
                json!({ "signOptions": { "rpcOptions": {}, "messageOptions": {} } }),
            ),
        };
        arguments["methodName"] = name.into();
        arguments[name] = options;
        arguments.to_string()
    }
}

/// What a plugin responds: an error, or the member of what it was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    error_message: Option<String>,
    default_algorithm: Option<DefaultAlgorithmResponse>,
    public_key: Option<PublicKeyResponse>,
    sign_message: Option<SignMessageResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefaultAlgorithmResponse {
    default_algorithm: String,
}

#[derive(Deserialize)]
struct PublicKeyResponse {
    #[serde(rename = "publicKeyPEM")]
    public_key_pem: String,
}

#[derive(Deserialize)]
struct SignMessageResponse {
    signature: String,
}

/// Reads what a plugin printed.
pub(super) fn read(printed: &[u8], doing: &str, program: &Program) -> Result<Response, KmsError> {
    let response: Response = serde_json::from_slice(printed)
        .map_err(|_| KmsError::failed(doing, "it printed no response of the protocol v1"))?;
    match response.error_message.as_deref() {
        None | Some("") => Ok(response),
        Some(message) => {
            let why = if program.is_heard {
                hear(message);
                "it reports an error, which is printed above"
            } else {
                "it reports an error, which is not repeated here; `windlass sign-blob` with this key prints \
                 it"
            };
            Err(KmsError::failed(doing, why))
        }
    }
}

impl Response {
    /// The name of the algorithm that is taken if nobody says which.
    pub(super) fn default_algorithm(self, doing: &str) -> Result<String, KmsError> {
        let half = self.default_algorithm.ok_or_else(|| other(doing))?;
        Ok(half.default_algorithm)
    }

    /// The PEM text of the public key.
    pub(super) fn public_key(self, doing: &str) -> Result<Vec<u8>, KmsError> {
        let half = self.public_key.ok_or_else(|| other(doing))?;
        decode(&half.public_key_pem, doing)
    }

    /// The signature.
    pub(super) fn signature(self, doing: &str) -> Result<Vec<u8>, KmsError> {
        let signed = self.sign_message.ok_or_else(|| other(doing))?;
        decode(&signed.signature, doing)
    }
}

fn other(doing: &str) -> KmsError {
    KmsError::failed(doing, "its response is to something else than it was asked")
}

fn decode(text: &str, doing: &str) -> Result<Vec<u8>, KmsError> {
    STANDARD
        .decode(text)
        .map_err(|_| KmsError::failed(doing, "its response is not base64"))
}

/// Shows a message to the person who started the plugin, as cosign does: as one line of bounded length
/// that cannot control a terminal.
fn hear(message: &str) {
    let mut line = String::from("the plugin reports: ");
    for character in message.chars().take(HEARD) {
        if character.is_control() {
            line.push(' ');
        } else {
            let _ = line.write_char(character);
        }
    }
    line.push('\n');
    // nobody is told less if standard error is closed
    let _ = std::io::stderr().write_all(line.as_bytes());
}
