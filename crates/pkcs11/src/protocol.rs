//! What this plugin is asked, and what it responds.

use std::io::Write as _;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::hash::Hash;

const VERSION: &str = "v1";

/// What is asked.
#[derive(Debug)]
pub(crate) struct Request {
    /// The key, a PKCS#11 URI without its scheme.
    pub(crate) resource: String,
    pub(crate) method: Method,
}

/// What is to be done with the key.
#[derive(Debug)]
pub(crate) enum Method {
    DefaultAlgorithm,
    SupportedAlgorithms,
    CreateKey { algorithm: String },
    PublicKey,
    SignMessage { data: Data },
    VerifySignature { signature: Vec<u8>, data: Data },
}

/// What is signed: the digest, or else what is on standard input.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) hash: Hash,
    pub(crate) digest: Option<Vec<u8>>,
}

/// What was done.
#[derive(Debug)]
pub(crate) enum Response {
    DefaultAlgorithm(&'static str),
    SupportedAlgorithms(Vec<&'static str>),
    CreateKey { pem: String },
    PublicKey { pem: String },
    SignMessage { signature: Vec<u8> },
    VerifySignature,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arguments {
    init_options: InitOptions,
    method_name: String,
    create_key: Option<CreateKeyArguments>,
    sign_message: Option<SignMessageArguments>,
    verify_signature: Option<VerifySignatureArguments>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitOptions {
    protocol_version: String,
    #[serde(rename = "keyResourceID")]
    key_resource_id: String,
    #[serde(default)]
    hash_func: u64,
}

#[derive(Deserialize)]
struct CreateKeyArguments {
    #[serde(default)]
    algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignMessageArguments {
    sign_options: Option<Options>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifySignatureArguments {
    signature: String,
    verify_options: Option<Options>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    message_options: Option<MessageOptions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageOptions {
    digest: Option<String>,
    hash_func: Option<u64>,
}

impl Request {
    /// Reads the two arguments.
    pub(crate) fn read(version: &str, arguments: &str) -> Result<Self, Error> {
        if version != VERSION {
            return Err(Error::Arguments(
                "this plugin speaks version `v1` of the protocol",
            ));
        }
        let arguments: Arguments = serde_json::from_str(arguments)
            .map_err(|_| Error::Arguments("the second is no JSON object of the protocol"))?;
        let Arguments {
            init_options,
            method_name,
            create_key,
            sign_message,
            verify_signature,
        } = arguments;
        if init_options.protocol_version != VERSION {
            return Err(Error::Arguments("`protocolVersion` is not `v1`"));
        }
        let hash = init_options.hash_func;
        let method = match method_name.as_str() {
            "defaultAlgorithm" => Method::DefaultAlgorithm,
            "supportedAlgorithms" => Method::SupportedAlgorithms,
            "publicKey" => Method::PublicKey,
            "createKey" => Method::CreateKey {
                algorithm: create_key.ok_or_else(|| missing("createKey"))?.algorithm,
            },
            "signMessage" => {
                let wanted = sign_message.ok_or_else(|| missing("signMessage"))?;
                let data = Data::of(wanted.sign_options, hash)?;
                Method::SignMessage { data }
            }
            "verifySignature" => {
                let wanted = verify_signature.ok_or_else(|| missing("verifySignature"))?;
                Method::VerifySignature {
                    signature: decode(&wanted.signature, "the signature is not base64")?,
                    data: Data::of(wanted.verify_options, hash)?,
                }
            }
            _ => return Err(Error::Arguments("`methodName` is not known here")),
        };
        Ok(Self {
            resource: init_options.key_resource_id,
            method,
        })
    }
}

impl Data {
    fn of(options: Option<Options>, usual: u64) -> Result<Self, Error> {
        let options = options
            .unwrap_or_default()
            .message_options
            .unwrap_or_default();
        let digest = options.digest.filter(|digest| !digest.is_empty());
        if let Some(digest) = digest {
            let digest = decode(&digest, "the digest is not base64")?;
            // cosign gives digests by the hash of the curve, and says SHA-256 all the same
            let hash = Hash::of_length(digest.len())?;
            let digest = Some(digest);
            return Ok(Self { hash, digest });
        }
        // an interface of Go without a value is 0
        let number = options.hash_func.filter(|number| *number != 0);
        let hash = Hash::of_number(number.unwrap_or(usual))?;
        let digest = None;
        Ok(Self { hash, digest })
    }
}

fn missing(method: &str) -> Error {
    Error::Arguments(match method {
        "createKey" => "`createKey` is missing",
        "signMessage" => "`signMessage` is missing",
        _ => "`verifySignature` is missing",
    })
}

fn decode(text: &str, why: &'static str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|_| Error::Arguments(why))
}

impl Response {
    fn json(&self) -> Value {
        match self {
            Self::DefaultAlgorithm(name) => {
                json!({ "defaultAlgorithm": { "defaultAlgorithm": name } })
            }
            Self::SupportedAlgorithms(names) => {
                json!({ "supportedAlgorithms": { "supportedAlgorithms": names } })
            }
            Self::CreateKey { pem } => {
                json!({ "createKey": { "publicKeyPEM": STANDARD.encode(pem) } })
            }
            Self::PublicKey { pem } => {
                json!({ "publicKey": { "publicKeyPEM": STANDARD.encode(pem) } })
            }
            Self::SignMessage { signature } => {
                json!({ "signMessage": { "signature": STANDARD.encode(signature) } })
            }
            Self::VerifySignature => json!({ "verifySignature": {} }),
        }
    }
}

/// Prints the response. The exit status is for people; the protocol ignores it.
pub(crate) fn print(response: &Result<Response, Error>) -> ExitCode {
    let json = match response {
        Ok(response) => response.json(),
        Err(error) => json!({ "errorMessage": error.to_string() }),
    };
    let written = std::io::stdout().write_all(json.to_string().as_bytes());
    if response.is_ok() && written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says how this program is used, to a person.
pub(crate) fn refuse(usage: &str) -> ExitCode {
    // nobody is told less if standard error is closed
    let _ = std::io::stderr().write_all(format!("{usage}\n").as_bytes());
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &Value) -> Result<Request, Error> {
        Request::read("v1", &arguments.to_string())
    }

    fn arguments(method: &str, more: &Value) -> Value {
        let mut arguments = json!({
            "initOptions": {
                "ctxDeadline": "2026-01-01T00:00:00Z", "protocolVersion": "v1", "keyResourceID": "token=t",
                "hashFunc": 6, "rpcOptions": { "keyVersion": "", "remoteVerification": false },
            },
            "methodName": method,
        });
        arguments[method] = more.clone();
        arguments
    }

    #[test]
    fn a_message_is_signed_with_the_hash_that_cosign_asks_for() {
        let more =
            json!({ "signOptions": { "rpcOptions": {}, "messageOptions": { "digest": null } } });
        let request = read(&arguments("signMessage", &more)).unwrap();
        assert_eq!(request.resource, "token=t");
        let Method::SignMessage { data } = request.method else {
            panic!("{:?}", request.method);
        };
        assert_eq!((data.hash, data.digest), (Hash::Sha384, None));
    }

    #[test]
    fn a_digest_is_of_the_hash_with_its_length() {
        let with = |length: usize, hash: Value| {
            let digest = STANDARD.encode(vec![7; length]);
            let options = json!({ "messageOptions": { "digest": digest, "hashFunc": hash } });
            let request = read(&arguments(
                "signMessage",
                &json!({ "signOptions": options }),
            ));
            request.map(|request| match request.method {
                Method::SignMessage { data } => data.hash,
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(with(32, Value::Null).unwrap(), Hash::Sha256);
        assert_eq!(with(48, json!(5)).unwrap(), Hash::Sha384);
        assert_eq!(with(64, json!(7)).unwrap(), Hash::Sha512);
        for length in [1, 16, 31, 65] {
            with(length, json!(5)).unwrap_err();
        }
    }

    #[test]
    fn a_hash_that_nobody_should_sign_is_refused() {
        for number in [0, 1, 2, 3, 4, 8, 255] {
            let options = json!({ "messageOptions": { "hashFunc": number } });
            let mut asked = arguments("signMessage", &json!({ "signOptions": options }));
            asked["initOptions"]["hashFunc"] = json!(number);
            read(&asked).unwrap_err();
        }
    }

    #[test]
    fn arguments_that_are_not_of_the_protocol_are_refused_and_not_repeated() {
        let mut old = arguments("publicKey", &json!({}));
        old["initOptions"]["protocolVersion"] = json!("v2");
        for (version, text) in [
            ("v2", arguments("publicKey", &json!({})).to_string()),
            ("v1", "s3cret".to_owned()),
            ("v1", old.to_string()),
            ("v1", arguments("s3cret", &json!({})).to_string()),
            ("v1", arguments("signMessage", &Value::Null).to_string()),
            ("v1", arguments("createKey", &Value::Null).to_string()),
            (
                "v1",
                arguments("verifySignature", &json!({ "signature": "s3cret!" })).to_string(),
            ),
        ] {
            let error = Request::read(version, &text).unwrap_err().to_string();
            assert!(error.starts_with("the arguments are malformed"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
