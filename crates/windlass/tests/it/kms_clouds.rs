//! `--key awskms://…`, `--key gcpkms://…` and `--key azurekms://…`, with the identity that the
//! environment gives.

use windlass_sandbox::kms::{Account, KeyService, Kind, Options, Service, Usage};

use crate::shell::Shell;

const GOOGLE: &str = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/release";

/// A service with a key, and what a process needs to use it.
struct Cloud {
    service: KeyService,
    /// Gives out tokens, where the service does not.
    _identity: Option<KeyService>,
    variables: Vec<(&'static str, String)>,
    key: String,
}

pub(crate) fn account() -> Account {
    Account {
        access_key: "PLANTED-access-key".to_owned(),
        secret_key: "planted-secret-key".to_owned(),
        session: "planted-session".to_owned(),
        token: "planted-token".to_owned(),
    }
}

pub(crate) async fn start(service: Service, tls: bool) -> KeyService {
    let options = Options {
        service,
        account: account(),
        tls,
    };
    KeyService::start(options).await.unwrap()
}

async fn aws() -> Cloud {
    let service = start(Service::Aws, false).await;
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    service.create(id, Kind::Rsa2048, Usage::SignPss).unwrap();
    service.alias("alias/release", id);
    let account = account();
    let variables = vec![
        ("AWS_ENDPOINT_URL_KMS", service.url()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", account.access_key),
        ("AWS_SECRET_ACCESS_KEY", account.secret_key),
        ("AWS_SESSION_TOKEN", account.session),
    ];
    Cloud {
        service,
        _identity: None,
        variables,
        key: "awskms:///alias/release".to_owned(),
    }
}

async fn google() -> Cloud {
    let service = start(Service::Google, false).await;
    service.create(GOOGLE, Kind::P384, Usage::Sign).unwrap();
    let variables = vec![
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", service.url()),
        ("GCE_METADATA_HOST", service.host()),
    ];
    Cloud {
        service,
        _identity: None,
        variables,
        key: format!("gcpkms://{GOOGLE}"),
    }
}

async fn azure(shell: &Shell) -> Cloud {
    let service = start(Service::Azure, true).await;
    let identity = start(Service::Azure, false).await;
    service.create("release", Kind::P521, Usage::Sign).unwrap();
    shell.write("ca.pem", service.ca_pem().unwrap());
    let authority = shell.path("ca.pem").display().to_string();
    let variables = vec![
        ("SSL_CERT_FILE", authority),
        ("IDENTITY_ENDPOINT", format!("{}/msi/token", identity.url())),
        ("IDENTITY_HEADER", "header".to_owned()),
    ];
    Cloud {
        key: format!("azurekms://{}/release", service.host()),
        service,
        _identity: Some(identity),
        variables,
    }
}

/// Runs a line with the identity; nothing secret may be in what it prints.
fn run(shell: &Shell, cloud: &Cloud, line: &str) -> (i32, String, String) {
    let variables = cloud.variables.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let outcome = shell.with(&variables, &words);
    let told = format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase();
    assert!(!told.contains("planted"), "{told}");
    (outcome.code, outcome.stdout, outcome.stderr)
}

#[track_caller]
fn succeeds(shell: &Shell, cloud: &Cloud, line: &str) -> String {
    let (code, stdout, stderr) = run(shell, cloud, line);
    assert_eq!(code, 0, "{line}: {stderr}");
    stdout
}

/// Signs and verifies a file with the key in the service and with its public key in a file.
fn signs_and_verifies(shell: &Shell, cloud: &Cloud) {
    let key = &cloud.key;
    shell.write("blob", "content");
    let pem = succeeds(shell, cloud, &format!("public-key --key {key}"));
    shell.write("key.pub", pem);
    let signature = succeeds(shell, cloud, &format!("sign-blob --key {key} blob"));
    shell.write("signature", signature);
    for key in [key.as_str(), "key.pub"] {
        let line = format!("verify-blob --key {key} --signature signature blob");
        succeeds(shell, cloud, &line);
    }
    shell.write("blob", "another");
    let line = format!("verify-blob --key {key} --signature signature blob");
    assert_eq!(run(shell, cloud, &line).0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_aws_kms_signs_and_verifies_with_the_identity_of_the_environment() {
    let (shell, cloud) = (Shell::new(), aws().await);
    signs_and_verifies(&shell, &cloud);
    cloud.service.deny("kms:Sign");
    let line = format!("sign-blob --key {} blob", cloud.key);
    let (code, _, stderr) = run(&shell, &cloud, &line);
    assert_eq!(code, 2);
    assert!(stderr.contains("grant kms:Sign on the key"), "{stderr}");
    // whoever verifies needs no right to sign
    succeeds(&shell, &cloud, &format!("public-key --key {}", cloud.key));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_google_cloud_kms_signs_and_verifies_with_the_identity_of_the_environment() {
    let (shell, cloud) = (Shell::new(), google().await);
    signs_and_verifies(&shell, &cloud);
    let pinned = format!("public-key --key {}/cryptoKeyVersions/1", cloud.key);
    succeeds(&shell, &cloud, &pinned);
    cloud.service.enable(GOOGLE, 1, false);
    let (code, _, stderr) = run(&shell, &cloud, &pinned);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("gcloud kms keys versions enable"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_azure_key_vault_signs_and_verifies_with_the_identity_of_the_environment() {
    let shell = Shell::new();
    let cloud = azure(&shell).await;
    signs_and_verifies(&shell, &cloud);
    let line = "public-key --key azurekms://vault.example/release";
    let (code, _, stderr) = run(&shell, &cloud, line);
    assert_eq!(code, 2);
    assert!(stderr.contains("is no vault of Azure"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_tls_that_is_not_this_machine_gets_no_credential() {
    let shell = Shell::new();
    for (mut cloud, variable) in [
        (aws().await, "AWS_ENDPOINT_URL_KMS"),
        (google().await, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"),
    ] {
        cloud
            .variables
            .push((variable, "http://kms.example.com".to_owned()));
        let (code, _, stderr) = run(&shell, &cloud, &format!("public-key --key {}", cloud.key));
        assert_eq!(code, 2);
        assert!(stderr.contains("does not begin with https://"), "{stderr}");
    }
}
