//! `--key https://...`.

use windlass_sandbox::registry::{Fault, FaultAnswer, Options, Reply, Transport};

use crate::shell::Outcome;
use crate::verify::registry::ImageScene;

/// A server with a public key; a folder with what the key signed.
struct KeyServer {
    scene: ImageScene,
    url: String,
}

impl KeyServer {
    fn start() -> Self {
        let scene = ImageScene::new(Options {
            transport: Transport::Tls,
            ..Options::default()
        });
        let pem = String::from_utf8(scene.shell.read("cosign.pub")).unwrap();
        let digest = scene.registry.put_blob("team/keys", pem);
        let url = format!("{}/v2/team/keys/blobs/{digest}", scene.registry.url());
        scene
            .shell
            .write("ca.pem", scene.registry.ca_pem().unwrap());
        scene.shell.write("blob", "content");
        let signature = scene.key.sign(b"content").unwrap();
        scene.shell.write("signature", signature);
        Self { scene, url }
    }

    /// Verifies what the key signed with the key at this URL.
    fn verify(&self, url: &str) -> Outcome {
        let authority = self.scene.shell.path("ca.pem");
        let words = [
            "verify-blob",
            "--key",
            url,
            "--signature",
            "signature",
            "blob",
        ];
        let variables = [("SSL_CERT_FILE", authority.to_str().unwrap())];
        self.scene.shell.with(&variables, &words)
    }

    fn answers(&self, answer: FaultAnswer) -> Outcome {
        self.scene
            .registry
            .fail(Fault::new("GET", "/team/keys/", answer));
        self.verify(&self.url)
    }
}

#[test]
fn a_key_is_fetched_over_https_alone_and_within_bounds() {
    let server = KeyServer::start();
    let outcome = server.verify(&server.url);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let seen = server.scene.registry.take_requests();
    assert!(seen.iter().all(|request| request.authorization.is_empty()));
    let secret = format!("{}?token=sesame", server.url);
    server.scene.registry.fail(Fault::new(
        "GET",
        "/team/keys/",
        FaultAnswer::Status(404.into()),
    ));
    let outcome = server.verify(&secret);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("HTTP 404"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("sesame"), "{}", outcome.stderr);
    let plain = server.url.replace("https://", "http://");
    for (answer, expected) in [
        (FaultAnswer::EndlessBody, "larger than 65536 bytes"),
        (
            FaultAnswer::RedirectTo(plain.clone()),
            "no complete response",
        ),
        (
            FaultAnswer::RedirectTo("https://u:p@localhost/x".to_owned()),
            "no complete response",
        ),
        (
            FaultAnswer::Status(Reply::from(200).body("garbage \u{1b}[2J")),
            "cannot use the key from https://",
        ),
    ] {
        let outcome = server.answers(answer);
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("garbage"), "{}", outcome.stderr);
    }
    let outcome = server.verify(&plain);
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("use https://"),
        "{}",
        outcome.stderr
    );
    let line = format!("sign-blob --key {} blob", server.url);
    server
        .scene
        .shell
        .fail(2, &line, "a private key is not fetched from a URL");
}

#[test]
fn a_server_that_nobody_vouches_for_gives_no_key() {
    let server = KeyServer::start();
    let words = [
        "verify-blob",
        "--key",
        &server.url,
        "--signature",
        "signature",
        "blob",
    ];
    let outcome = server.scene.shell.words(&words);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("cannot read the key at https://"),
        "{}",
        outcome.stderr
    );
    assert!(
        !server
            .answers(FaultAnswer::RedirectTo(server.url.clone()))
            .stderr
            .contains("PEM")
    );
}
