//! Azure Key Vault: get key and sign; and the token of a managed identity.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::call::{Answer, Call, refusal};
use super::keys::{Key, Usage, Version};
use super::material::{Kind, Padding};
use super::options::{Quirk, Service};

/// Where a managed identity has its token.
const TOKEN: &str = "/msi/token";

pub(super) fn respond(call: &Call<'_>) -> Answer {
    let path = call.parts.uri.path();
    if path == TOKEN {
        let token = &call.state.options.account.token;
        return (
            200,
            json!({
                "access_token": token, "expires_on": "4102444800", "token_type": "Bearer",
                "resource": "https://vault.azure.net",
            }),
        );
    }
    if !call.has_token() {
        return refuse(401, "Unauthorized");
    }
    if call.parameter("api-version") != "7.4" {
        return refuse(400, "BadParameter");
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    if let ["keys", name, "create"] = parts[..] {
        if call.is_denied("Microsoft.KeyVault/vaults/keys/create/action") {
            return refuse(403, "ForbiddenByRbac");
        }
        let body = call.json();
        if body["kty"] != "EC" || body["crv"] != "P-256" {
            return refuse(400, "BadParameter");
        }
        let Ok(version) = call.state.new_version(Kind::P256) else {
            return refuse(500, "InternalServerError");
        };
        call.state.keys().push(Key::new(name, Usage::Sign, version));
        return (200, json!({ "key": {} }));
    }
    let (name, wanted, is_signing) = match parts[..] {
        ["keys", name] => (name, None, false),
        ["keys", name, version] => (name, Some(version), false),
        ["keys", name, version, "sign"] => (name, Some(version), true),
        _ => return refuse(404, "NotFound"),
    };
    let permission = if is_signing {
        "Microsoft.KeyVault/vaults/keys/sign/action"
    } else {
        "Microsoft.KeyVault/vaults/keys/read"
    };
    if call.is_denied(permission) {
        return refuse(403, "ForbiddenByRbac");
    }
    let keys = call.state.keys();
    let Some(key) = keys.iter().find(|key| key.name == name) else {
        return refuse(404, "KeyNotFound");
    };
    let mut versions = key.versions.iter();
    let version = match wanted {
        None => versions.next_back(),
        Some(wanted) => versions.find(|version| version.id == wanted),
    };
    let Some(version) = version else {
        return refuse(404, "KeyNotFound");
    };
    let identifier = format!(
        "https://{}/keys/{}/{}",
        call.state.address, key.name, version.id
    );
    if is_signing {
        return sign(call, key, version, &identifier);
    }
    let mut jwk = version.material.jwk();
    jwk["kid"] = json!(identifier);
    // as the keys of a hardware module are
    jwk["kty"] = json!(format!("{}-HSM", jwk["kty"].as_str().unwrap_or_default()));
    jwk["key_ops"] = match key.usage {
        Usage::Encrypt => json!(["encrypt", "decrypt", "wrapKey", "unwrapKey"]),
        Usage::Sign | Usage::SignPss => json!(["sign", "verify"]),
    };
    (
        200,
        json!({ "key": jwk, "attributes": { "enabled": version.is_enabled } }),
    )
}

fn sign(call: &Call<'_>, key: &Key, version: &Version, identifier: &str) -> Answer {
    if !version.is_enabled {
        return refuse(403, "KeyDisabled");
    }
    if key.usage == Usage::Encrypt {
        return refuse(400, "BadParameter");
    }
    let (algorithm, padding) = match version.material.kind {
        Kind::P256 => ("ES256", Padding::EcdsaFixed),
        Kind::P384 => ("ES384", Padding::EcdsaFixed),
        Kind::P521 => ("ES512", Padding::EcdsaFixed),
        Kind::Secp256k1 => ("ES256K", Padding::EcdsaFixed),
        Kind::Rsa2048 => ("RS256", Padding::Pkcs1),
        Kind::Rsa3072 => ("RS384", Padding::Pkcs1),
        Kind::Rsa4096 => ("RS512", Padding::Pkcs1),
    };
    let body = call.json();
    let digest = URL_SAFE_NO_PAD.decode(body["value"].as_str().unwrap_or_default());
    let digest = digest.unwrap_or_default();
    if body["alg"] != algorithm {
        return refuse(400, "BadParameter");
    }
    let other = (call.quirk == Some(&Quirk::OtherKey))
        .then(|| call.state.new_version(version.material.kind));
    let material = match &other {
        Some(Ok(other)) => &other.material,
        _ => &version.material,
    };
    let Some(signature) = material.sign(version.material.hash(), padding, &digest) else {
        return refuse(400, "BadParameter");
    };
    let mut identifier = identifier.to_owned();
    if call.quirk == Some(&Quirk::OtherName) {
        identifier.push('0');
    }
    (
        200,
        json!({ "kid": identifier, "value": URL_SAFE_NO_PAD.encode(signature) }),
    )
}

fn refuse(status: u16, name: &str) -> Answer {
    (status, refusal(Service::Azure, status, name, "refused"))
}
