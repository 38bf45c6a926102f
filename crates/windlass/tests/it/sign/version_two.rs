//! Signing by hand with a log of version 2 and a timestamp authority, which a signing configuration or a
//! flag names.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use windlass_core::key::Certificate;
use windlass_core::signed;
use windlass_core::timestamp::Stamp;
use windlass_sandbox::fulcio::{Fulcio, Subject};
use windlass_sandbox::rekor::{self, Rekor};
use windlass_sandbox::timestamps::{self, TimestampAuthority};

use super::scene::{layers, scene};
use crate::shell::Outcome;
use crate::verify::registry::ImageScene;

const KIND: &str = "https://example.com/p";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
const EMAIL: &str = "builder@example.com";
const CONFIG: &str = "--signing-config config.json --trusted-root root.json";

/// A log of both versions, an authority for timestamps, and one for certificates.
pub(super) struct Stage {
    pub(super) scene: ImageScene,
    pub(super) log: Rekor,
    times: TimestampAuthority,
    pub(super) fulcio: Fulcio,
    runtime: tokio::runtime::Runtime,
}

fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

fn certificates(pem: &str) -> Value {
    let chain = Certificate::all_from_pem(pem, 4).unwrap();
    let chain = chain
        .iter()
        .map(|one| json!({ "rawBytes": STANDARD.encode(one.der()) }));
    json!({ "certificates": chain.collect::<Vec<_>>() })
}

impl Stage {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let log = Rekor::start(rekor::Options::default());
        let stage = Self {
            scene: scene(),
            log: runtime.block_on(log).unwrap(),
            times: runtime.block_on(TimestampAuthority::start()).unwrap(),
            fulcio: runtime.block_on(Fulcio::start()).unwrap(),
            runtime,
        };
        stage.write("config.json", &stage.config());
        stage.write("root.json", &stage.root(&stage.fulcio.root_pem()));
        stage.scene.shell.write("app", "content");
        stage.scene.shell.write("predicate", "{}");
        let subject = Subject {
            email: Some(EMAIL.to_owned()),
            ..Subject::default()
        };
        stage
            .scene
            .shell
            .write("token", stage.fulcio.issue(&subject));
        stage
    }

    pub(super) fn write(&self, name: &str, content: &Value) {
        self.scene.shell.write(name, content.to_string());
    }

    /// The services, with the log as one of version 2.
    fn config(&self) -> Value {
        let service =
            |url: String, version: u32| json!([{ "url": url, "majorApiVersion": version }]);
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service(self.fulcio.url(), 1),
            "rekorTlogUrls": service(self.log.url(), 2),
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaUrls": service(self.times.url(), 1),
            "tsaConfig": { "selector": "EXACT", "count": 1 },
        })
    }

    /// A trusted root with these certificates of Fulcio.
    pub(super) fn root(&self, chain: &str) -> Value {
        let always = json!({ "start": "2020-01-01T00:00:00Z" });
        let log = |url: &str, pem: &str| {
            let id = Sha256::digest(STANDARD.decode(body(pem)).unwrap());
            json!({
                "baseUrl": url, "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": body(pem), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": always,
                },
                "logId": { "keyId": STANDARD.encode(id) },
            })
        };
        let authority = |chain: &str| {
            json!([{
                "subject": { "organization": "tests", "commonName": "tests" },
                "uri": "https://tests.example", "certChain": certificates(chain), "validFor": always,
            }])
        };
        let origin = self.log.origin();
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&format!("https://{origin}"), &self.log.public_key())],
            "ctlogs": [log("https://ctlog.example", &self.fulcio.log_key_pem())],
            "certificateAuthorities": authority(chain),
            "timestampAuthorities": authority(&self.times.chain_pem()),
        })
    }

    #[track_caller]
    pub(super) fn succeed(&self, line: &str) -> Outcome {
        let outcome = self.scene.shell.run(line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome
    }

    pub(super) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.scene.shell.read(name)).unwrap()
    }

    fn lies_about_time(&self, quirk: timestamps::Quirk) {
        let answer = timestamps::FaultAnswer::Quirk(quirk);
        self.times.fail(timestamps::Fault::new("POST", "", answer));
    }
}

/// Whether a bundle has an entry of version 2 and a timestamp.
#[track_caller]
fn vouched(bundle: &Value) {
    let material = &bundle["verificationMaterial"];
    let entries = material["tlogEntries"].as_array().unwrap();
    assert_eq!(entries[0]["kindVersion"]["version"], "0.0.2", "{bundle}");
    let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
    assert_eq!(stamps.as_array().unwrap().len(), 1, "{bundle}");
}

#[test]
fn a_signing_configuration_with_a_log_of_version_2_is_followed_with_a_key_and_each_is_signed_once()
{
    let stage = Stage::new();
    let image = stage.scene.image();
    let key = format!("--key signer.pem {CONFIG}");
    for _ in 0..2 {
        stage.succeed(&format!("sign {key} --new-bundle-format {image}"));
        stage.succeed(&format!(
            "attest {key} --new-bundle-format --predicate predicate --type {KIND} {image}"
        ));
    }
    assert_eq!(stage.log.entries().len(), 2);
    let check = "--key cosign.pub --trusted-root root.json --use-signed-timestamps";
    stage.succeed(&format!("verify {check} {image}"));
    stage.succeed(&format!("verify-attestation --type {KIND} {check} {image}"));

    stage.succeed(&format!("sign-blob {key} --bundle bundle app"));
    vouched(&stage.json("bundle"));
    stage.succeed(&format!("verify-blob {check} --bundle bundle app"));
    stage.succeed(&format!(
        "attest-blob {key} --predicate predicate --type {KIND} --bundle att app"
    ));
    vouched(&stage.json("att"));
    stage.succeed(&format!(
        "verify-blob-attestation {check} --type {KIND} --bundle att app"
    ));
    assert_eq!(stage.times.requests().len(), stage.log.entries().len());
}

#[test]
fn an_identity_signs_with_a_log_of_version_2_because_an_authority_tells_the_time() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let token = format!("--identity-token token {CONFIG}");
    for _ in 0..2 {
        stage.succeed(&format!("sign {token} --new-bundle-format {image}"));
    }
    assert_eq!(stage.log.entries().len(), 1);
    stage.succeed(&format!("sign-blob {token} --bundle bundle app"));
    vouched(&stage.json("bundle"));

    // with an authority alone it is dated too, under a tag
    let flags = format!(
        "--identity-token token --fulcio-url {} --timestamp-server-url {} --trusted-root root.json",
        stage.fulcio.url(),
        stage.times.url()
    );
    stage.succeed(&format!("sign {flags} {image}"));
    let layer = &layers(&stage.scene, ".sig")[0];
    assert!(layer["annotations"][TIMESTAMP].is_string(), "{layer}");
    let pem = layer["annotations"]["dev.sigstore.cosign/chain"].as_str();
    stage.write("verify.json", &stage.root(pem.unwrap()));
    let who = format!(
        "--trusted-root verify.json --certificate-identity {EMAIL} \
         --certificate-oidc-issuer https://issuer.sandbox --use-signed-timestamps"
    );
    stage.succeed(&format!("verify-blob {who} --bundle bundle app"));
    let verified = stage.succeed(&format!("verify {who} --insecure-ignore-tlog {image}"));
    assert_eq!(
        verified.stdout.matches(": valid\n").count(),
        2,
        "{}",
        verified.stdout
    );

    let mut config = stage.config();
    config["tsaUrls"] = json!([]);
    stage.write("config.json", &config);
    stage.scene.shell.fail(
        2,
        &format!("sign-blob {token} --bundle bundle app"),
        "a log of version 2 tells no time",
    );
}

#[test]
fn a_timestamp_is_put_where_cosign_looks_without_a_log_and_with_one_of_version_1() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let times = format!("--timestamp-server-url {}", stage.times.url());
    stage.succeed(&format!("sign --key signer.pem {image}"));
    for _ in 0..2 {
        // what has no timestamp does not stand for what has one
        let outcome = stage.succeed(&format!("sign --key signer.pem {times} {image}"));
        assert!(
            outcome
                .stderr
                .contains("who signs the timestamp is not checked"),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(stage.times.requests().len(), 1);
    let layers = layers(&stage.scene, ".sig");
    let text = layers.last().unwrap()["annotations"][TIMESTAMP].as_str();
    let stamp: Value = serde_json::from_str(text.unwrap()).unwrap();
    assert!(stamp["SignedRFC3161Timestamp"].is_string(), "{stamp}");

    let line = format!(
        "sign-blob --key signer.pem {times} --rekor-url {} --bundle bundle --rfc3161-timestamp stamp app",
        stage.log.url()
    );
    stage.succeed(&line);
    let material = &stage.json("bundle")["verificationMaterial"];
    assert!(material["tlogEntries"][0]["inclusionPromise"].is_object());
    let in_bundle = &material["timestampVerificationData"]["rfc3161Timestamps"][0];
    let in_file = &stage.json("stamp")["SignedRFC3161Timestamp"];
    assert_eq!(in_bundle["signedTimestamp"], *in_file);
    let shell = &stage.scene.shell;
    for (line, why) in [
        (
            "sign-blob --key signer.pem --rfc3161-timestamp stamp app".to_owned(),
            "there is no timestamp to write to stamp",
        ),
        (
            format!("sign-blob --key signer.pem {times} app"),
            "the timestamp would be lost",
        ),
        (
            format!("sign --key signer.pem {times} --upload=false {image}"),
            "the timestamp would be lost",
        ),
        (
            format!("sign --key signer.pem --timestamp-server-url https://u:planted@t {image}"),
            "--timestamp-server-url is no address",
        ),
        (
            format!("attest-blob --key signer.pem {times} --predicate predicate app"),
            "the timestamp would be lost",
        ),
        (
            format!("attest --key signer.pem {times} -f run.json"),
            "leave out --rekor-url",
        ),
    ] {
        shell.fail(2, &line, why);
    }
}

#[test]
fn an_attestation_under_a_tag_gets_a_timestamp_of_its_envelope_and_is_verified_by_that() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let log = format!("--rekor-url {}", stage.log.url());
    let times = format!("--timestamp-server-url {}", stage.times.url());
    let what = format!("--predicate predicate --type {KIND}");
    for _ in 0..2 {
        stage.succeed(&format!(
            "attest --key signer.pem {what} {log} {times} {image}"
        ));
    }
    assert_eq!(
        (stage.times.requests().len(), stage.log.entries().len()),
        (1, 1)
    );
    let layer = &layers(&stage.scene, ".att")[0];
    let text = layer["annotations"][TIMESTAMP].as_str().unwrap();
    let response = signed::timestamp_in(text).unwrap();
    assert_eq!(layer["digest"], Stamp::read(&response).unwrap().digest());
    let check = format!("--type {KIND} --trusted-root root.json --use-signed-timestamps");
    let verify = |who: &str| format!("verify-attestation {check} {who} {image}");
    stage.succeed(&verify("--key cosign.pub"));

    // beside a file with a bundle, which has that of the signature
    let line = format!("attest --key signer.pem {what} {times} --bundle bundle --replace {image}");
    stage.succeed(&line);
    assert_eq!(stage.times.requests().len(), 3);
    let bundle = stage.json("bundle");
    let stamps = &bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    assert_eq!(stamps.as_array().unwrap().len(), 1, "{bundle}");

    // without a key and without a log, the authority alone tells that the certificate was valid
    let line = format!(
        "attest --identity-token token --fulcio-url {} {what} {times} --trusted-root root.json \
         --replace {image}",
        stage.fulcio.url()
    );
    stage.succeed(&line);
    let [layer] = &layers(&stage.scene, ".att")[..] else {
        panic!("one layer");
    };
    let pem = layer["annotations"]["dev.sigstore.cosign/chain"].as_str();
    stage.write("root.json", &stage.root(pem.unwrap()));
    let who =
        format!("--certificate-identity {EMAIL} --certificate-oidc-issuer https://issuer.sandbox");
    stage.succeed(&verify(&format!("{who} --insecure-ignore-tlog")));
    let refused = |line: &str, why: &str| {
        let outcome = stage.scene.shell.run(line);
        assert_eq!(outcome.code, 1, "{line}: {}", outcome.stderr);
        let text = outcome.stdout + &outcome.stderr;
        assert!(text.contains(why), "{line}: {text}");
    };
    refused(&verify(&who), "no log entry");
    let other = stage.runtime.block_on(TimestampAuthority::start()).unwrap();
    let mut root = stage.root(pem.unwrap());
    root["timestampAuthorities"][0]["certChain"] = certificates(&other.chain_pem());
    stage.write("root.json", &root);
    let line = verify(&format!("{who} --insecure-ignore-tlog"));
    refused(&line, "no timestamp authority of the trusted root");
}

#[test]
fn an_authority_that_lies_or_fails_signs_nothing_that_is_attached_or_logged() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let line = format!("sign --key signer.pem {CONFIG} --new-bundle-format {image}");
    let hour = Duration::from_secs(3600);
    for (quirk, why) in [
        (timestamps::Quirk::OtherSignature, "of another signature"),
        (timestamps::Quirk::OtherNonce, "answers another request"),
        (timestamps::Quirk::Ahead(hour), "a time in the future"),
        (
            timestamps::Quirk::OtherAuthority,
            "no trusted authority signed it",
        ),
        (timestamps::Quirk::Refused, "refuses"),
    ] {
        stage.lies_about_time(quirk);
        stage.scene.shell.fail(2, &line, why);
    }
    for _ in 0..3 {
        let answer = timestamps::FaultAnswer::Status(503.into());
        stage.times.fail(timestamps::Fault::new("POST", "", answer));
    }
    stage.scene.shell.fail(2, &line, "without a timestamp");
    assert!(stage.log.entries().is_empty());
    let outcome = stage.scene.verify("");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    stage.succeed(&line);
}

#[test]
fn a_log_of_version_2_has_to_be_the_one_of_the_trusted_root() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let line = format!("sign --key signer.pem {CONFIG} --new-bundle-format {image}");
    let shell = &stage.scene.shell;
    shell.fail(
        2,
        &line.replace("--trusted-root root.json", ""),
        "tells nobody its key",
    );
    shell.fail(
        2,
        &line.replace("--new-bundle-format", ""),
        "without --new-bundle-format",
    );
    shell.fail(
        2,
        &format!("sign-blob --key signer.pem {CONFIG} --rfc3161-timestamp stamp app"),
        "without --bundle FILE",
    );
    let mut root = stage.root(&stage.fulcio.root_pem());
    root["timestampAuthorities"] = json!([]);
    stage.write("root.json", &root);
    shell.fail(2, &line, "has no timestamp authority");
    let mut root = stage.root(&stage.fulcio.root_pem());
    root["tlogs"] = json!([]);
    stage.write("root.json", &root);
    shell.fail(2, &line, "has no log that is valid now");
    stage.write("root.json", &stage.root(&stage.fulcio.root_pem()));
    stage.log.replace_key().unwrap();
    shell.fail(2, &line, "gave an entry that is not valid");
    assert_eq!(stage.scene.verify("").code, 1);
    stage.write("root.json", &stage.root(&stage.fulcio.root_pem()));
    stage.succeed(&line);
    // a log that has it already gives it again, with a proof from its files
    let blob = format!("sign-blob --key signer.pem {CONFIG} --bundle bundle app");
    let before = stage.log.entries().len();
    stage.succeed(&blob);
    stage.succeed(&blob);
    assert_eq!(stage.log.entries().len(), before + 1);
    vouched(&stage.json("bundle"));
    let mut config = stage.config();
    config["rekorTlogConfig"] = json!({ "selector": "EXACT", "count": 2 });
    stage.write("config.json", &config);
    shell.fail(2, &line, "1 of its operators can be used");
    drop(stage.runtime);
}
