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
