//! Keys that are created in services.

use windlass_sandbox::kms::Service;
use windlass_sandbox::vault::Vault;

use crate::kms_clouds::{account, start};
use crate::shell::Shell;

/// Creates the key of a reference, once, and has it sign.
fn creates(shell: &Shell, variables: &[(&str, &str)], reference: &str) {
    let run = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = shell.with(variables, &words);
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!told.contains("planted"), "{told}");
        outcome
    };
    shell.write("app", "content");
    let create = format!("generate-key-pair --kms {reference} --output-key-prefix made");
    let outcome = run(&create);
    assert_eq!(outcome.code, 0, "{reference}: {}", outcome.stderr);
    let public = shell.read("made.pub");
    assert_eq!(
        run(&format!("public-key --key {reference}"))
            .stdout
            .as_bytes(),
        public
    );
    let outcome = run(&format!(
        "sign-blob --key {reference} --output-signature sig app"
    ));
    assert_eq!(outcome.code, 0, "{reference}: {}", outcome.stderr);
    shell.succeed("verify-blob --key made.pub --signature sig app");
    let again = run(&create);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(
        again.stderr.contains("exists and was not changed"),
        "{}",
        again.stderr
    );
    let forced = run(&format!("{create} --force"));
    assert!(
        forced.stderr.contains("never replaced"),
        "{}",
        forced.stderr
    );
}

fn denied(shell: &Shell, variables: &[(&str, &str)], reference: &str, grant: &str) {
    let words = ["generate-key-pair", "--kms", reference];
    let outcome = shell.with(variables, &words);
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains(grant), "{}", outcome.stderr);
}

#[test]
fn a_key_is_created_in_vault_once() {
    let shell = Shell::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let vault = runtime.block_on(Vault::start()).unwrap();
    let (url, token) = (vault.url(), vault.issue(None));
    let variables = [
        ("VAULT_ADDR", url.as_str()),
        ("VAULT_TOKEN", token.as_str()),
    ];
    creates(&shell, &variables, "hashivault://release");
    creates(&shell, &variables, "openbao://other");
    let words = ["generate-key-pair", "--kms", "cosign.key"];
    assert_eq!(shell.with(&variables, &words).code, 2);
}

#[test]
fn a_key_is_created_in_each_cloud_once() {
    let shell = Shell::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let aws = runtime.block_on(start(Service::Aws, false));
    let (url, account) = (aws.url(), account());
    let variables = [
        ("AWS_ENDPOINT_URL_KMS", url.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", account.access_key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", account.secret_key.as_str()),
        ("AWS_SESSION_TOKEN", account.session.as_str()),
    ];
    creates(&shell, &variables, "awskms:///alias/made");
    denied(&shell, &variables, "awskms:///1234", "give the alias");
    aws.deny("kms:CreateKey");
    denied(&shell, &variables, "awskms:///alias/other", "kms:CreateKey");

    let google = runtime.block_on(start(Service::Google, false));
    let (url, host) = (google.url(), google.host());
    let variables = [
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", url.as_str()),
        ("GCE_METADATA_HOST", host.as_str()),
    ];
    let ring = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys";
    creates(&shell, &variables, &format!("{ring}/made"));
    google.deny("cloudkms.cryptoKeys.create");
    denied(
        &shell,
        &variables,
        &format!("{ring}/other"),
        "cloudkms.cryptoKeys.create",
    );

    let azure = runtime.block_on(start(Service::Azure, true));
    let tokens = runtime.block_on(start(Service::Azure, false));
    shell.write("ca.pem", azure.ca_pem().unwrap());
    let authority = shell.path("ca.pem").display().to_string();
    let endpoint = format!("{}/msi/token", tokens.url());
    let variables = [
        ("SSL_CERT_FILE", authority.as_str()),
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "header"),
    ];
    creates(
        &shell,
        &variables,
        &format!("azurekms://{}/made", azure.host()),
    );
    azure.deny("Microsoft.KeyVault/vaults/keys/create/action");
    let other = format!("azurekms://{}/other", azure.host());
    denied(&shell, &variables, &other, "keys/create/action");
}
