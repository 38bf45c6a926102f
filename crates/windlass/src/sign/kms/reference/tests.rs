use super::*;

fn refused(text: &str) -> String {
    text.parse::<Reference>().unwrap_err().to_string()
}

#[test]
fn a_reference_is_read_as_sigstore_reads_it_and_printed_back() {
    let key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    for text in [
        "hashivault://release".to_owned(),
        "hashivault://a.b-c_1".to_owned(),
        "openbao://k".to_owned(),
        "awskms:///1234abcd-12ab-34cd-56ef-1234567890ab".to_owned(),
        "awskms:///alias/team/release".to_owned(),
        "awskms://localhost:4566/alias/x".to_owned(),
        "awskms:///arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab".to_owned(),
        "awskms:///arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/x".to_owned(),
        format!("gcpkms://{key}"),
        format!("gcpkms://{key}/cryptoKeyVersions/7"),
        "azurekms://team.vault.azure.net/release".to_owned(),
        "azurekms://team.vault.azure.net/release/abc123".to_owned(),
        "ovhkms://1234abcd".to_owned(),
        "x-1:///keys/release.pem".to_owned(),
        "pkcs11:token=release;object=k;id=%01?module-name=softhsm2".to_owned(),
    ] {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), text);
    }
    let short: Reference = format!("gcpkms://{key}/versions/7").parse().unwrap();
    assert_eq!(
        short.to_string(),
        format!("gcpkms://{key}/cryptoKeyVersions/7")
    );
}

#[test]
fn what_names_no_key_is_refused_with_what_is_wrong_and_not_repeated() {
    for (text, expected) in [
        ("", "is empty"),
        ("release", "names no service"),
        ("file with spaces://s3cret", "names no service"),
        ("k8s://s3cret/s3cret", "names no service"),
        ("https://s3cret", "names no service"),
        ("-x://s3cret", "names no service"),
        ("../x://s3cret", "names no service"),
        ("a/b://s3cret", "names no service"),
        ("ovhkms://", "nothing follows the scheme"),
        ("ovhkms://a\ns3cret", "control characters"),
        ("hsm://token=t?PIN-value=s3cret", "it has a PIN"),
        ("pkcs11:", "nothing follows the scheme"),
        ("pkcs11:token=t;pin-value=s3cret", "after the `?`"),
        (
            "pkcs11:token=t?pin-value=1&pin-value=s3cret",
            "after the `?`",
        ),
        ("pkcs11:token=t?a=b;pin-value=s3cret", "after the `?`"),
        ("pkcs11:token=t?pin-value=s3cret%", "not percent-encoded"),
        ("hashivault://", "the name of a key has"),
        ("hashivault://transit/s3cret", "the name of a key has"),
        ("hashivault://-s3cret", "the name of a key has"),
        ("hashivault://s3cret/../..", "the name of a key has"),
        ("openbao://u:s3cret@host", "write openbao://NAME"),
        ("awskms://s3cret", "no `/` ends the host"),
        ("awskms://u:s3cret@host/id", "the endpoint is no host"),
        (
            "awskms:///arn:aws:s3:eu:123456789012:key/s3cret",
            "no key id, alias or ARN",
        ),
        (
            "awskms:///arn:aws:kms:eu:1:key/s3cret",
            "no key id, alias or ARN",
        ),
        ("awskms:///", "no key id, alias or ARN"),
        ("gcpkms://projects/s3cret", "its parts are not these"),
        (
            "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/s3cret",
            "its version is not a number",
        ),
        (
            "gcpkms://projects//locations/l/keyRings/r/cryptoKeys/s3cret",
            "a name in it is empty",
        ),
        ("azurekms://s3cret", "it has no host and key"),
        ("azurekms://u:s3cret@host/key", "the vault is no host"),
        ("azurekms://host/key/s3/cret", "it has no host and key"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("s3cret"), "{text}: {error}");
    }
}

fn plugin(text: &str) -> PluginKey {
    match text.parse() {
        Ok(Reference::Plugin(key)) => key,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_pin_of_a_pkcs11_uri_is_taken_out_of_it_and_shown_nowhere() {
    for (text, rest) in [
        ("pkcs11:token=t?pin-value=s3cr%65t", "token=t"),
        (
            "pkcs11://token=t?module-path=/m.so&pin-value=s3cret",
            "token=t?module-path=/m.so",
        ),
        (
            "pkcs11:token=t?pin-value=s3cret&module-path=/m.so",
            "token=t?module-path=/m.so",
        ),
    ] {
        let key = plugin(text);
        assert_eq!(key.resource, rest);
        assert_eq!(key.pin().unwrap().expose(), "s3cret");
        assert_eq!(key.to_string(), format!("pkcs11:{rest}"));
        assert!(!format!("{key:?}").contains("s3cr"), "{key:?}");
    }
    let key = plugin("pkcs11:token=t?pin-source=/run/pin&module-path=%2Fm.so");
    assert_eq!(key.pin(), None);
    assert_eq!(key.module(), Some("/m.so"));
    assert_eq!(
        key.resource,
        "token=t?pin-source=/run/pin&module-path=%2Fm.so"
    );
}

#[test]
fn what_may_be_a_password_in_the_reference_of_a_plugin_is_not_shown() {
    for (text, shown) in [
        ("x://host/key?token=s3cret", "x://host/key"),
        ("x://user:s3cret@host/key", "x://host/key"),
        ("x://user:s3cret@host/key?a@b", "x://host/key"),
    ] {
        assert_eq!(plugin(text).to_string(), shown);
    }
}
