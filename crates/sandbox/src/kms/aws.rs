//! AWS KMS: `DescribeKey`, `GetPublicKey` and `Sign`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::{Answer, Call, refusal};
use super::keys::{Key, Usage, Version};
use super::material::{Hash, Kind, Padding};
use super::options::{Quirk, Service};
use super::sigv4;

const ACCOUNT: &str = "123456789012";

pub(super) fn respond(call: &Call<'_>) -> Answer {
    let (state, account) = (call.state, &call.state.options.account);
    let region = match sigv4::check(call.parts, &call.body, account, state.now()) {
        Ok(region) => region,
        Err((name, message)) => return refuse(name, message),
    };
    let target = call.header("x-amz-target");
    let Some(operation) = target.strip_prefix("TrentService.") else {
        return refuse("UnknownOperationException", "no such operation");
    };
    let body = call.json();
    match operation {
        "CreateKey" | "CreateAlias" if call.is_denied(&format!("kms:{operation}")) => {
            return refuse("AccessDeniedException", "this identity is not allowed to");
        }
        "CreateKey" => return create_key(call, &body, &region),
        "CreateAlias" => return create_alias(call, &body),
        _ => {}
    }
    let wanted = body["KeyId"].as_str().unwrap_or_default();
    let name = match named(call, wanted, &region) {
        Ok(name) => name,
        Err(answer) => return answer,
    };
    let keys = state.keys();
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        return refuse("NotFoundException", "no such key");
    };
    if call.is_denied(&format!("kms:{operation}")) {
        return refuse("AccessDeniedException", "this identity is not allowed to");
    }
    let Some(version) = key.versions.last() else {
        return refuse("KMSInvalidStateException", "no key material");
    };
    let arn = format!("arn:aws:kms:{region}:{ACCOUNT}:key/{name}");
    match operation {
        "DescribeKey" => (200, json!({ "KeyMetadata": metadata(key, version, &arn) })),
        _ if !version.is_enabled => refuse("DisabledException", "the key is disabled"),
        _ if key.usage == Usage::Encrypt => refuse("InvalidKeyUsageException", "not for signing"),
        "GetPublicKey" => {
            let public = STANDARD.encode(version.material.der());
            (
                200,
                json!({ "KeyId": arn, "PublicKey": public, "KeyUsage": "SIGN_VERIFY" }),
            )
        }
        "Sign" => sign(call, &body, version, &arn),
        _ => refuse("UnknownOperationException", "no such operation"),
    }
}

fn create_key(call: &Call<'_>, body: &Value, region: &str) -> Answer {
    if body["KeySpec"] != "ECC_NIST_P256" || body["KeyUsage"] != "SIGN_VERIFY" {
        return refuse("ValidationException", "another key than these servers make");
    }
    let Ok(version) = call.state.new_version(Kind::P256) else {
        return refuse("KMSInternalException", "no key");
    };
    let name = format!("00000000-0000-0000-0000-{:0>12}", version.id);
    let key = Key::new(&name, Usage::Sign, version);
    let arn = format!("arn:aws:kms:{region}:{ACCOUNT}:key/{name}");
    let described = key
        .versions
        .last()
        .map(|version| metadata(&key, version, &arn));
    call.state.keys().push(key);
    (200, json!({ "KeyMetadata": described }))
}

fn create_alias(call: &Call<'_>, body: &Value) -> Answer {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let target = text("TargetKeyId");
    let id = target.rsplit('/').next().unwrap_or_default().to_owned();
    if !call.state.keys().iter().any(|key| key.name == id) {
        return refuse("NotFoundException", "no such key");
    }
    let mut aliases = call.state.aliases();
    if aliases.contains_key(&text("AliasName")) {
        return refuse("AlreadyExistsException", "the alias exists");
    }
    aliases.insert(text("AliasName"), id);
    (200, Value::Null)
}

/// The id of the key that is meant.
fn named(call: &Call<'_>, wanted: &str, region: &str) -> Result<String, Answer> {
    let rest = match wanted.strip_prefix("arn:aws:kms:") {
        None => wanted,
        Some(arn) => {
            let Some((_, rest)) = arn
                .split_once(&format!(":{ACCOUNT}:"))
                .filter(|(stated, _)| *stated == region)
            else {
                return Err(refuse("NotFoundException", "Invalid arn"));
            };
            rest.strip_prefix("key/").unwrap_or(rest)
        }
    };
    let aliases = call.state.aliases();
    Ok(aliases
        .get(rest)
        .cloned()
        .unwrap_or_else(|| rest.to_owned()))
}

fn metadata(key: &Key, version: &Version, arn: &str) -> Value {
    let usage = match key.usage {
        Usage::Encrypt => "ENCRYPT_DECRYPT",
        Usage::Sign | Usage::SignPss => "SIGN_VERIFY",
    };
    let state = if version.is_enabled {
        "Enabled"
    } else {
        "Disabled"
    };
    json!({
        "Arn": arn, "KeyId": key.name, "KeyUsage": usage, "KeyState": state,
        "Enabled": version.is_enabled, "SigningAlgorithms": algorithms(key, version),
    })
}

/// What a key may sign with; the first is what clients take.
fn algorithms(key: &Key, version: &Version) -> Vec<String> {
    match version.material.kind {
        _ if key.usage == Usage::Encrypt => Vec::new(),
        Kind::P256 | Kind::Secp256k1 => vec!["ECDSA_SHA_256".to_owned()],
        Kind::P384 => vec!["ECDSA_SHA_384".to_owned()],
        Kind::P521 => vec!["ECDSA_SHA_512".to_owned()],
        Kind::Rsa2048 | Kind::Rsa3072 | Kind::Rsa4096 => {
            let mut paddings = ["PKCS1_V1_5", "PSS"];
            if key.usage == Usage::SignPss {
                paddings.reverse();
            }
            let first = version.material.hash();
            let mut hashes = ["256", "384", "512"];
            // a different first one for each size, so that a client has to look
            hashes.rotate_left(match first {
                Hash::Sha256 => 0,
                Hash::Sha384 => 1,
                Hash::Sha512 => 2,
            });
            let of = |padding| hashes.map(|hash| format!("RSASSA_{padding}_SHA_{hash}"));
            paddings.into_iter().flat_map(of).collect()
        }
    }
}

fn sign(call: &Call<'_>, body: &Value, version: &Version, arn: &str) -> Answer {
    if body["MessageType"] != "DIGEST" {
        return refuse("ValidationException", "a digest is wanted");
    }
    let algorithm = body["SigningAlgorithm"].as_str().unwrap_or_default();
    let hash = match algorithm.rsplit('_').next() {
        Some("256") => Hash::Sha256,
        Some("384") => Hash::Sha384,
        _ => Hash::Sha512,
    };
    let padding = match algorithm {
        _ if algorithm.starts_with("ECDSA_SHA_") => Padding::EcdsaDer,
        _ if algorithm.starts_with("RSASSA_PSS_SHA_") => Padding::Pss,
        _ => Padding::Pkcs1,
    };
    let digest = STANDARD.decode(body["Message"].as_str().unwrap_or_default());
    let digest = digest.unwrap_or_default();
    let other = (call.quirk == Some(&Quirk::OtherKey))
        .then(|| call.state.new_version(version.material.kind));
    let material = match &other {
        Some(Ok(other)) => &other.material,
        _ => &version.material,
    };
    let Some(signature) = material.sign(hash, padding, &digest) else {
        return refuse(
            "ValidationException",
            "digest and algorithm do not go together",
        );
    };
    let arn = if call.quirk == Some(&Quirk::OtherName) {
        "arn:aws:kms:eu-west-1:123456789012:key/another"
    } else {
        arn
    };
    let signature = STANDARD.encode(signature);
    (
        200,
        json!({ "KeyId": arn, "Signature": signature, "SigningAlgorithm": algorithm }),
    )
}

fn refuse(name: &str, message: &str) -> Answer {
    (400, refusal(Service::Aws, 400, name, message))
}
