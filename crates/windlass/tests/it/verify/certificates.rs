//! Certificates kept for one registry, where other programs keep them too.

use windlass_sandbox::registry::{Options, Transport};

use super::registry::ImageScene;

fn scene(transport: Transport) -> ImageScene {
    let scene = ImageScene::new(Options {
        transport,
        names: vec!["registry.test".to_owned()],
        ..Options::default()
    });
    scene.sign(&scene.key);
    scene
}

fn keep(scene: &ImageScene, name: &str, content: &str) {
    let host = scene.registry.host();
    let folder = format!("home/.config/containers/certs.d/{host}");
    std::fs::create_dir_all(scene.shell.path(&folder)).unwrap();
    scene.shell.write(&format!("{folder}/{name}"), content);
}

#[test]
fn certificates_kept_for_a_registry_are_used_for_it() {
    let scene = scene(Transport::Tls);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("is not trusted"),
        "{}",
        outcome.stderr
    );
    keep(&scene, "ca.crt", scene.registry.ca_pem().unwrap());
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn a_client_certificate_kept_for_a_registry_is_shown_to_it() {
    let scene = scene(Transport::MutualTls);
    keep(&scene, "ca.crt", scene.registry.ca_pem().unwrap());
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let asked = "requires a client certificate";
    assert!(outcome.stderr.contains(asked), "{}", outcome.stderr);
    let client = scene.registry.client_certificate().unwrap();
    keep(&scene, "client.cert", &client.certificate_pem);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("client.key"), "{}", outcome.stderr);
    keep(&scene, "client.key", &client.key_pem);
    let outcome = scene.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn allowing_plain_http_does_not_skip_the_check_of_the_certificate() {
    let scene = scene(Transport::Tls);
    let outcome = scene.verify("--allow-http-registry");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let reason = "is not trusted";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    let outcome = scene.verify("--allow-insecure-registry");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

/// There is no host registry.test: only the proxy for plain HTTP can respond.
#[test]
fn skipping_the_check_of_the_certificate_does_not_allow_plain_http() {
    let mut scene = scene(Transport::Plain);
    scene.shell.http_proxy = Some(scene.registry.url());
    let line = format!(
        "verify --key cosign.pub registry.test/team/app@{}",
        scene.digest
    );
    scene.registry.clear_requests();
    let outcome = scene
        .shell
        .run(&format!("{line} --allow-insecure-registry"));
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(scene.registry.requests().is_empty());
    let outcome = scene.shell.run(&format!("{line} --allow-http-registry"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}
