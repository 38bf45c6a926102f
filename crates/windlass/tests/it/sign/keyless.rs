//! Signing as whoever an identity token names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::key::Certificate;
use windlass_sandbox::fulcio::{Fulcio, Subject};
use windlass_sandbox::rekor::{self, Rekor};

use super::scene::{layers, scene};
use crate::shell::Outcome;
use crate::verify::registry::ImageScene;

const EMAIL: &str = "builder@example.com";

struct Stage {
    scene: ImageScene,
    fulcio: Fulcio,
    log: Rekor,
    _runtime: tokio::runtime::Runtime,
}

fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

impl Stage {
    fn new() -> Self {
        let scene = scene();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let fulcio = runtime.block_on(Fulcio::start()).unwrap();
        let log = runtime
            .block_on(Rekor::start(rekor::Options::default()))
            .unwrap();
        let stage = Self {
            scene,
            fulcio,
            log,
            _runtime: runtime,
        };
        stage.scene.shell.write("token", stage.token());
        stage
            .scene
            .shell
            .write("root.json", stage.root(&[]).to_string());
        stage
    }

    fn token(&self) -> String {
        self.fulcio.issue(&Subject {
            email: Some(EMAIL.to_owned()),
            ..Subject::default()
        })
    }

    /// A trusted root, with these certificates before the root of the authority.
    fn root(&self, before: &[Value]) -> Value {
        let kind = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
        let valid = json!({ "start": "2020-01-01T00:00:00Z" });
        let root = json!({ "rawBytes": body(&self.fulcio.root_pem()) });
        let chain: Vec<Value> = before.iter().cloned().chain([root]).collect();
        let log = |url: &str, key: &str| {
            let der = STANDARD.decode(body(key)).unwrap();
            json!({
                "baseUrl": url, "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": body(key), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid,
                },
                "logId": { "keyId": STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(der)) },
            })
        };
        json!({
            "mediaType": kind,
            "tlogs": [log(&self.log.url(), &self.log.public_key())],
            "certificateAuthorities": [{
                "subject": { "organization": "tests", "commonName": "tests" },
                "uri": self.fulcio.url(), "certChain": { "certificates": chain }, "validFor": valid,
            }],
            "ctlogs": [log("https://ctlog.example", &self.fulcio.log_key_pem())],
            "timestampAuthorities": [],
        })
    }

    /// The flags of signing without a key.
    fn flags(&self) -> String {
        format!(
            "--fulcio-url {} --rekor-url {}",
            self.fulcio.url(),
            self.log.url()
        )
    }

    fn run(&self, line: &str) -> Outcome {
        let outcome = self.scene.shell.run(line);
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        let token = self.scene.shell.read("token");
        let token = String::from_utf8(token).unwrap();
        assert!(!told.contains(&token), "a token is told: {told}");
        outcome
    }

    #[track_caller]
    fn succeed(&self, line: &str) -> Outcome {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome
    }

    /// Writes the trusted root that verifiers take, with the intermediate certificate of a chain.
    fn trust(&self, chain: &str) {
        let chain = Certificate::all_from_pem(chain, 4).unwrap();
        let before = &chain[..chain.len() - 1];
        let before = before
            .iter()
            .map(|one| json!({ "rawBytes": STANDARD.encode(one.der()) }));
        let root = self.root(&before.collect::<Vec<_>>());
        self.scene.shell.write("verify.json", root.to_string());
    }
}

const WHO: &str = "--trusted-root verify.json --certificate-identity builder@example.com \
                   --certificate-oidc-issuer https://issuer.sandbox";

#[test]
fn images_and_files_are_signed_and_verified_by_an_identity_once() {
    let stage = Stage::new();
    let (image, flags) = (stage.scene.image(), stage.flags());
    stage.scene.shell.write("predicate", "{}");
    stage.scene.shell.write("app", "content");
    let kind = "https://example.com/p";
    for layout in ["", "--new-bundle-format"] {
        let token = format!("--identity-token token --trusted-root root.json {flags} {layout}");
        for _ in 0..2 {
            stage.succeed(&format!("sign {token} {image}"));
            stage.succeed(&format!(
                "attest {token} --predicate predicate --type {kind} {image}"
            ));
        }
    }
    assert_eq!(layers(&stage.scene, ".sig").len(), 1);
    assert_eq!(layers(&stage.scene, ".att").len(), 1);
    assert_eq!(stage.log.entries().len(), 4);
    let layer = &layers(&stage.scene, ".sig")[0];
    let chain = layer["annotations"]["dev.sigstore.cosign/chain"].as_str();
    stage.trust(chain.unwrap());
    let verified = stage.succeed(&format!("verify {WHO} {image}"));
    assert_eq!(
        verified.stdout.matches(": valid\n").count(),
        4,
        "{}",
        verified.stdout
    );
    stage.succeed(&format!("verify-attestation --type {kind} {WHO} {image}"));

    let token = stage.token();
    let told = stage.scene.shell.with(
        &[("SIGSTORE_ID_TOKEN", &token)],
        &format!(
            "sign-blob {flags} --trusted-root root.json --bundle bundle --output-certificate c app"
        )
        .split_whitespace()
        .collect::<Vec<_>>(),
    );
    assert_eq!(told.code, 0, "{}", told.stderr);
    stage.succeed(&format!("verify-blob {WHO} --bundle bundle app"));
    let certificate = STANDARD.decode(stage.scene.shell.read("c")).unwrap();
    assert!(certificate.starts_with(b"-----BEGIN CERTIFICATE-----"));
    stage.succeed(&format!(
        "attest-blob {flags} --identity-token {token} --predicate predicate --bundle att app"
    ));
    stage.succeed(&format!("verify-blob-attestation {WHO} --bundle att app"));
    let other = WHO.replace("builder", "somebody");
    let refused = stage.run(&format!("verify-blob {other} --bundle bundle app"));
    assert_eq!(refused.code, 1, "{}", refused.stderr);
}

#[test]
fn without_a_token_an_authority_or_a_log_it_is_said_what_to_give() {
    let stage = Stage::new();
    let image = stage.scene.image();
    let (fulcio, rekor) = (stage.fulcio.url(), stage.log.url());
    let fails = |flags: &str, why: &str| {
        let line = format!("sign {flags} {image}");
        let outcome = stage.run(&line);
        assert_eq!(outcome.code, 2, "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(why), "{line}: {}", outcome.stderr);
    };
    fails("--identity-token token", "--fulcio-url");
    fails(
        &format!("--fulcio-url {fulcio} --identity-token token"),
        "--tlog-upload=false",
    );
    let both = format!("--fulcio-url {fulcio} --rekor-url {rekor}");
    fails(&both, "opens no browser");
    fails(
        &format!("{both} --oidc-disable-ambient-providers"),
        "--identity-token",
    );
    fails(
        &format!("{both} --oidc-provider github-actions"),
        "id-token: write",
    );
    fails(
        &format!("{both} --oidc-provider spiffe"),
        "write its token to a file",
    );
    fails(
        &format!("{both} --fulcio-auth-flow device"),
        "opens no browser",
    );
    fails(
        &format!("{both} --identity-token nothing"),
        "neither a token",
    );
    fails(
        &format!("{both} --identity-token token --key signer.pem"),
        "cannot be used with",
    );
    fails("--fulcio-url ftp://x --identity-token token", "not a URL");
    stage.scene.shell.write("token", "planted-secret");
    let outcome = stage.run(&format!("sign {both} --identity-token token {image}"));
    assert!(outcome.stderr.contains("not a JWT"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("planted"), "{}", outcome.stderr);
    let old = stage.fulcio.issue(&Subject {
        lifetime: std::time::Duration::ZERO,
        ..Subject::default()
    });
    stage.scene.shell.write("token", old);
    fails(&format!("{both} --identity-token token"), "has expired");
    assert_eq!(stage.fulcio.certificates(), 0);
    assert!(stage.log.entries().is_empty());
}

#[test]
fn a_certificate_of_another_authority_than_the_trusted_root_has_signs_nothing() {
    let stage = Stage::new();
    let image = stage.scene.image();
    stage.fulcio.replace_authority().unwrap();
    let line = format!(
        "sign --identity-token token --trusted-root root.json {} {image}",
        stage.flags()
    );
    let outcome = stage.run(&line);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let why = "does not pass the trusted root root.json";
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    assert!(layers(&stage.scene, ".sig").is_empty() && stage.log.entries().is_empty());
    let unchecked = format!(
        "sign --identity-token token --tlog-upload=false {} {image}",
        stage.flags()
    );
    let outcome = stage.succeed(&unchecked);
    assert!(
        outcome
            .stderr
            .contains("not checked against a trusted root"),
        "{}",
        outcome.stderr
    );
}
