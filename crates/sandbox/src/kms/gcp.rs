//! Google Cloud KMS: the list of versions, `getPublicKey` and `asymmetricSign`; and the token of the
//! metadata server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::{Answer, Call, refusal};
use super::crc32c::crc32c;
use super::keys::{Key, Usage, Version};
use super::material::{Hash, Kind, Padding};
use super::options::{Quirk, Service};

/// Where the metadata server has tokens.
const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
/// Most versions in one response, whatever a client wants: it has to turn pages.
const PAGE: usize = 2;

pub(super) fn respond(call: &Call<'_>) -> Answer {
    let path = call.parts.uri.path();
    if path == TOKEN && call.header("metadata-flavor") == "Google" {
        let token = &call.state.options.account.token;
        return (
            200,
            json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }),
        );
    }
    if !call.has_token() {
        return refuse(401, "UNAUTHENTICATED");
    }
    let Some(path) = path.strip_prefix("/v1/") else {
        return refuse(404, "NOT_FOUND");
    };
    if call.parts.method == http::Method::POST && path.ends_with("/cryptoKeys") {
        return create(call, path);
    }
    let (name, rest) = path.split_once("/cryptoKeyVersions").unwrap_or((path, ""));
    let keys = call.state.keys();
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        return refuse(404, "NOT_FOUND");
    };
    if rest.is_empty() {
        return list(call, key);
    }
    let rest = rest.trim_start_matches('/');
    let public = rest.strip_suffix("/publicKey");
    let sign = rest.strip_suffix(":asymmetricSign");
    let id = public.or(sign).unwrap_or(rest);
    let Some(version) = key.versions.iter().find(|version| version.id == id) else {
        return refuse(404, "NOT_FOUND");
    };
    let permission = match public {
        Some(_) => "cloudkms.cryptoKeyVersions.viewPublicKey",
        None => "cloudkms.cryptoKeyVersions.useToSign",
    };
    if call.is_denied(permission) {
        return refuse(403, "PERMISSION_DENIED");
    }
    if !version.is_enabled || key.usage == Usage::Encrypt {
        return refuse(400, "FAILED_PRECONDITION");
    }
    match (public, sign) {
        (Some(_), _) => public_key(key, version),
        (_, Some(_)) => asymmetric_sign(call, key, version),
        _ => refuse(404, "NOT_FOUND"),
    }
}

fn create(call: &Call<'_>, path: &str) -> Answer {
    if call.is_denied("cloudkms.cryptoKeys.create") {
        return refuse(403, "PERMISSION_DENIED");
    }
    let body = call.json();
    let algorithm = &body["versionTemplate"]["algorithm"];
    if body["purpose"] != "ASYMMETRIC_SIGN" || algorithm != "EC_SIGN_P256_SHA256" {
        return refuse(400, "INVALID_ARGUMENT");
    }
    let name = format!("{path}/{}", call.parameter("cryptoKeyId"));
    if call.state.keys().iter().any(|key| key.name == name) {
        return refuse(409, "ALREADY_EXISTS");
    }
    let Ok(version) = call.state.new_version(Kind::P256) else {
        return refuse(500, "INTERNAL");
    };
    call.state
        .keys()
        .push(Key::new(&name, Usage::Sign, version));
    (200, json!({ "name": name, "purpose": "ASYMMETRIC_SIGN" }))
}

/// Newest first by name: as text, in which 9 comes after 10.
fn list(call: &Call<'_>, key: &Key) -> Answer {
    if call.is_denied("cloudkms.cryptoKeyVersions.list") {
        return refuse(403, "PERMISSION_DENIED");
    }
    if call.parameter("filter") != "state=ENABLED" {
        return refuse(400, "INVALID_ARGUMENT");
    }
    let enabled = key.versions.iter().filter(|version| version.is_enabled);
    let mut enabled: Vec<_> = enabled.collect();
    enabled.sort_by(|one, other| other.id.cmp(&one.id));
    let start = call.parameter("pageToken").parse().unwrap_or(0_usize);
    let page = enabled.iter().skip(start).take(PAGE);
    let page: Vec<_> = page.map(|version| described(key, version)).collect();
    let next = start + page.len();
    let token = if next < enabled.len() {
        next.to_string()
    } else {
        String::new()
    };
    (
        200,
        json!({ "cryptoKeyVersions": page, "nextPageToken": token, "totalSize": enabled.len() }),
    )
}

fn described(key: &Key, version: &Version) -> Value {
    json!({
        "name": full(key, version), "state": "ENABLED", "algorithm": algorithm(key, version),
        "protectionLevel": "SOFTWARE",
    })
}

fn full(key: &Key, version: &Version) -> String {
    format!("{}/cryptoKeyVersions/{}", key.name, version.id)
}

fn algorithm(key: &Key, version: &Version) -> &'static str {
    match (version.material.kind, key.usage) {
        (_, Usage::Encrypt) => "GOOGLE_SYMMETRIC_ENCRYPTION",
        (Kind::P256, _) => "EC_SIGN_P256_SHA256",
        (Kind::P384, _) => "EC_SIGN_P384_SHA384",
        (Kind::P521, _) => "EC_SIGN_P521_SHA512",
        (Kind::Secp256k1, _) => "EC_SIGN_SECP256K1_SHA256",
        (Kind::Rsa2048, Usage::Sign) => "RSA_SIGN_PKCS1_2048_SHA256",
        (Kind::Rsa3072, Usage::Sign) => "RSA_SIGN_PKCS1_3072_SHA256",
        (Kind::Rsa4096, Usage::Sign) => "RSA_SIGN_PKCS1_4096_SHA512",
        (Kind::Rsa2048, Usage::SignPss) => "RSA_SIGN_PSS_2048_SHA256",
        (Kind::Rsa3072, Usage::SignPss) => "RSA_SIGN_PSS_3072_SHA256",
        (Kind::Rsa4096, Usage::SignPss) => "RSA_SIGN_PSS_4096_SHA512",
    }
}

fn public_key(key: &Key, version: &Version) -> Answer {
    let pem = version.material.pem();
    (
        200,
        json!({
            "name": full(key, version), "algorithm": algorithm(key, version),
            "pemCrc32c": crc32c(pem.as_bytes()).to_string(), "pem": pem,
        }),
    )
}

fn asymmetric_sign(call: &Call<'_>, key: &Key, version: &Version) -> Answer {
    let body = call.json();
    let (field, hash) = match algorithm(key, version) {
        name if name.ends_with("SHA256") => ("sha256", Hash::Sha256),
        name if name.ends_with("SHA384") => ("sha384", Hash::Sha384),
        _ => ("sha512", Hash::Sha512),
    };
    let padding = match key.usage {
        _ if !version.material.is_rsa() => Padding::EcdsaDer,
        Usage::SignPss => Padding::Pss,
        _ => Padding::Pkcs1,
    };
    let digest = body["digest"][field].as_str().unwrap_or_default();
    let digest = STANDARD.decode(digest).unwrap_or_default();
    let stated = body["digestCrc32c"].as_str();
    if stated.and_then(|stated| stated.parse().ok()) != Some(crc32c(&digest)) {
        return refuse(400, "INVALID_ARGUMENT");
    }
    let other = (call.quirk == Some(&Quirk::OtherKey))
        .then(|| call.state.new_version(version.material.kind));
    let material = match &other {
        Some(Ok(other)) => &other.material,
        _ => &version.material,
    };
    let Some(signature) = material.sign(hash, padding, &digest) else {
        return refuse(400, "INVALID_ARGUMENT");
    };
    let wrong = u32::from(call.quirk == Some(&Quirk::WrongChecksum));
    let mut name = full(key, version);
    if call.quirk == Some(&Quirk::OtherName) {
        name.push('0');
    }
    (
        200,
        json!({
            "name": name, "signature": STANDARD.encode(&signature),
            "signatureCrc32c": (crc32c(&signature) ^ wrong).to_string(),
            "verifiedDigestCrc32c": call.quirk != Some(&Quirk::UnverifiedChecksum),
        }),
    )
}

fn refuse(status: u16, name: &str) -> Answer {
    (status, refusal(Service::Google, status, name, "refused"))
}
