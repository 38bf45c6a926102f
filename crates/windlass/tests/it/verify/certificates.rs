//! Certificates kept for one registry, where other programs keep them too.

use windlass_sandbox::registry::{Options, Transport};

use super::registry::Setting;

fn setting(transport: Transport) -> Setting {
    let setting = Setting::new(Options {
        transport,
        ..Options::default()
    });
    setting.sign(&setting.key);
    setting
}

fn keep(setting: &Setting, name: &str, content: &str) {
    let host = setting.registry.host();
    let folder = format!("home/.config/containers/certs.d/{host}");
    std::fs::create_dir_all(setting.shell.path(&folder)).unwrap();
    setting.shell.write(&format!("{folder}/{name}"), content);
}

#[test]
fn certificates_kept_for_a_registry_are_used_for_it() {
    let setting = setting(Transport::Tls);
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("is not trusted"),
        "{}",
        outcome.stderr
    );
    keep(&setting, "ca.crt", setting.registry.ca_pem().unwrap());
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn a_client_certificate_kept_for_a_registry_is_shown_to_it() {
    let setting = setting(Transport::MutualTls);
    keep(&setting, "ca.crt", setting.registry.ca_pem().unwrap());
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let asked = "requires a client certificate";
    assert!(outcome.stderr.contains(asked), "{}", outcome.stderr);
    let client = setting.registry.client_certificate().unwrap();
    keep(&setting, "client.cert", &client.certificate_pem);
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("client.key"), "{}", outcome.stderr);
    keep(&setting, "client.key", &client.key_pem);
    let outcome = setting.verify("");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn allowing_plain_http_does_not_skip_the_check_of_the_certificate() {
    let setting = setting(Transport::Tls);
    let outcome = setting.verify("--allow-http-registry");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let reason = "is not trusted";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
    let outcome = setting.verify("--allow-insecure-registry");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

/// There is no host registry.test: only the proxy for plain HTTP can respond.
#[test]
fn skipping_the_check_of_the_certificate_does_not_allow_plain_http() {
    let mut setting = setting(Transport::Plain);
    setting.shell.http_proxy = Some(setting.registry.url());
    let line = format!(
        "verify --key cosign.pub registry.test/team/app@{}",
        setting.digest
    );
    setting.registry.clear_requests();
    let outcome = setting
        .shell
        .run(&format!("{line} --allow-insecure-registry"));
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(setting.registry.requests().is_empty());
    let outcome = setting.shell.run(&format!("{line} --allow-http-registry"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}
