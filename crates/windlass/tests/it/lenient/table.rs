//! Every flag of cosign 2.5 and 3.1, and of tkn, for the verbs that windlass has: it is taken, ignored
//! with a note in the help, or refused with a sentence that says why and what to do instead.
//!
//! A flag ends with `=` if it takes a value.

use crate::shell::Shell;

/// The verbs of cosign and their flags.
const COSIGN: [(&str, &str); 22] = [
    (
        "verify",
        "--allow-http-registry --allow-insecure-registry --annotations= -a= --attachment= \
         --attachment-tag-prefix= --ca-intermediates= --ca-roots= --certificate= \
         --certificate-chain= --certificate-github-workflow-name= \
         --certificate-github-workflow-ref= --certificate-github-workflow-repository= \
         --certificate-github-workflow-sha= --certificate-github-workflow-trigger= \
         --certificate-identity= --certificate-identity-regexp= --certificate-oidc-issuer= \
         --certificate-oidc-issuer-regexp= --check-claims --experimental-oci11 \
         --insecure-ignore-sct --insecure-ignore-tlog --k8s-keychain --key= --local-image \
         --max-workers= --new-bundle-format --offline --output= -o= --output-file= --payload= \
         --private-infrastructure --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --rekor-url= --sct= --signature= \
         --signature-digest-algorithm= --sk --slot= --timeout= -t= \
         --timestamp-certificate-chain= --trusted-root= --use-signed-timestamps --verbose -d",
    ),
    (
        "verify-attestation",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= \
         --ca-intermediates= --ca-roots= --certificate= --certificate-chain= \
         --certificate-github-workflow-name= --certificate-github-workflow-ref= \
         --certificate-github-workflow-repository= --certificate-github-workflow-sha= \
         --certificate-github-workflow-trigger= --certificate-identity= \
         --certificate-identity-regexp= --certificate-oidc-issuer= \
         --certificate-oidc-issuer-regexp= --check-claims --experimental-oci11 \
         --insecure-ignore-sct --insecure-ignore-tlog --k8s-keychain --key= --local-image \
         --max-workers= --new-bundle-format --offline --output= -o= --output-file= --policy= \
         --private-infrastructure --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --rekor-url= --sct= --sk --slot= --timeout= \
         -t= --timestamp-certificate-chain= --trusted-root= --type= --use-signed-timestamps \
         --verbose -d",
    ),
    (
        "verify-blob",
        "--bundle= --ca-intermediates= --ca-roots= --certificate= --certificate-chain= \
         --certificate-github-workflow-name= --certificate-github-workflow-ref= \
         --certificate-github-workflow-repository= --certificate-github-workflow-sha= \
         --certificate-github-workflow-trigger= --certificate-identity= \
         --certificate-identity-regexp= --certificate-oidc-issuer= \
         --certificate-oidc-issuer-regexp= --experimental-oci11 --insecure-ignore-sct \
         --insecure-ignore-tlog --key= --max-workers= --new-bundle-format --offline \
         --output-file= --private-infrastructure --rekor-url= --rfc3161-timestamp= --sct= \
         --signature= --sk --slot= --timeout= -t= --timestamp-certificate-chain= \
         --trusted-root= --use-signed-timestamps --verbose -d",
    ),
    (
        "verify-blob-attestation",
        "--bundle= --ca-intermediates= --ca-roots= --certificate= --certificate-chain= \
         --certificate-github-workflow-name= --certificate-github-workflow-ref= \
         --certificate-github-workflow-repository= --certificate-github-workflow-sha= \
         --certificate-github-workflow-trigger= --certificate-identity= \
         --certificate-identity-regexp= --certificate-oidc-issuer= \
         --certificate-oidc-issuer-regexp= --check-claims --digest= --digestAlg= \
         --experimental-oci11 --insecure-ignore-sct --insecure-ignore-tlog --key= \
         --max-workers= --new-bundle-format --offline --output-file= --private-infrastructure \
         --rekor-url= --rfc3161-timestamp= --sct= --signature= --sk --slot= --timeout= -t= \
         --timestamp-certificate-chain= --trusted-root= --type= --use-signed-timestamps \
         --verbose -d",
    ),
    (
        "sign-blob",
        "--b64 --bundle= --certificate= --certificate-chain= --fulcio-auth-flow= \
         --fulcio-url= --identity-token= --insecure-skip-verify --issue-certificate --key= \
         --new-bundle-format --oidc-client-id= --oidc-client-secret-file= \
         --oidc-disable-ambient-providers --oidc-issuer= --oidc-provider= \
         --oidc-redirect-url= --output= --output-certificate= --output-file= \
         --output-signature= --rekor-url= --rfc3161-timestamp= --signing-algorithm= \
         --signing-config= --sk --slot= --timeout= -t= --timestamp-client-cacert= \
         --timestamp-client-cert= --timestamp-client-key= --timestamp-server-name= \
         --timestamp-server-url= --tlog-upload --trusted-root= --use-signing-config --verbose \
         -d --yes -y",
    ),
    (
        "attest",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= --bundle= \
         --certificate= --certificate-chain= --fulcio-auth-flow= --fulcio-url= \
         --identity-token= --insecure-skip-verify --k8s-keychain --key= --new-bundle-format \
         --no-upload --oidc-client-id= --oidc-client-secret-file= \
         --oidc-disable-ambient-providers --oidc-issuer= --oidc-provider= \
         --oidc-redirect-url= --output-file= --predicate= --record-creation-timestamp \
         --recursive -r --registry-cacert= --registry-client-cert= --registry-client-key= \
         --registry-password= --registry-server-name= --registry-token= --registry-username= \
         --rekor-entry-type= --rekor-url= --replace --signing-config= --sk --slot= \
         --statement= --timeout= -t= --timestamp-client-cacert= --timestamp-client-cert= \
         --timestamp-client-key= --timestamp-server-name= --timestamp-server-url= \
         --tlog-upload --trusted-root= --type= --use-signing-config --verbose -d --yes -y",
    ),
    (
        "sign",
        "--allow-http-registry --allow-insecure-registry --annotations= -a= --attachment= \
         --attachment-tag-prefix= --bundle= --certificate= --certificate-chain= \
         --fulcio-auth-flow= --fulcio-url= --identity-token= --insecure-skip-verify \
         --issue-certificate --k8s-keychain --key= --oidc-client-id= --oidc-client-secret-file= \
         --oidc-disable-ambient-providers --oidc-issuer= --oidc-provider= \
         --oidc-redirect-url= --output-certificate= --output-file= --output-payload= \
         --output-signature= --payload= --record-creation-timestamp --recursive -r \
         --registry-cacert= --registry-client-cert= --registry-client-key= \
         --registry-password= --registry-referrers-mode= --registry-server-name= \
         --registry-token= --registry-username= --rekor-url= --sign-container-identity= \
         --signing-config= --sk --slot= --timeout= -t= --timestamp-client-cacert= \
         --timestamp-client-cert= --timestamp-client-key= --timestamp-server-name= \
         --timestamp-server-url= --tlog-upload --trusted-root= --upload --use-signing-config \
         --verbose -d --yes -y",
    ),
    (
        "attest-blob",
        "--bundle= --certificate= --certificate-chain= --fulcio-auth-flow= --fulcio-url= \
         --hash= --identity-token= --insecure-skip-verify --key= --new-bundle-format \
         --oidc-client-id= --oidc-client-secret-file= --oidc-disable-ambient-providers \
         --oidc-issuer= --oidc-provider= --oidc-redirect-url= --output-attestation= \
         --output-certificate= --output-file= --output-signature= --predicate= \
         --rekor-entry-type= --rekor-url= --rfc3161-timestamp-bundle= --signing-config= --sk \
         --slot= --statement= --timeout= -t= --timestamp-client-cacert= \
         --timestamp-client-cert= --timestamp-client-key= --timestamp-server-name= \
         --timestamp-server-url= --tlog-upload --trusted-root= --type= --use-signing-config \
         --verbose -d --yes -y",
    ),
    (
        "import-key-pair",
        "--key= -k= --output-file= --output-key-prefix= -o= --timeout= -t= --verbose -d --yes -y",
    ),
    (
        "generate-key-pair",
        "--kms= --output-file= --output-key-prefix= --timeout= -t= --verbose -d",
    ),
    (
        "public-key",
        "--key= --outfile= --output-file= --sk --slot= --timeout= -t= --verbose -d",
    ),
    (
        "tree",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-referrers-mode= \
         --registry-server-name= --registry-token= --registry-username= --timeout= -t= \
         --verbose -d",
    ),
    (
        "triangulate",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --timeout= -t= --type= --verbose -d",
    ),
    (
        "download signature",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --timeout= -t= --verbose -d",
    ),
    (
        "download attestation",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= \
         --k8s-keychain --output-file= --platform= --predicate-type= --registry-cacert= \
         --registry-client-cert= --registry-client-key= --registry-password= \
         --registry-server-name= --registry-token= --registry-username= --timeout= -t= \
         --verbose -d",
    ),
    (
        "copy",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= --force -f --only= --platform= --sig-only \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --timeout= -t= --verbose -d",
    ),
    (
        "save",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= --dir= \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --timeout= -t= --verbose -d",
    ),
    (
        "load",
        "--allow-http-registry --allow-insecure-registry --attachment-tag-prefix= --dir= \
         --k8s-keychain --output-file= --registry-cacert= --registry-client-cert= \
         --registry-client-key= --registry-password= --registry-server-name= \
         --registry-token= --registry-username= --timeout= -t= --verbose -d",
    ),
    ("completion", "--output-file= --timeout= -t= --verbose -d"),
    (
        "login",
        "--output-file= --password= -p= --password-stdin --timeout= -t= --username= -u= \
         --verbose -d",
    ),
    (
        "version",
        "--json --output-file= --timeout= -t= --verbose -d",
    ),
    (
        "env",
        "--output-file= --show-descriptions --show-sensitive-values --timeout= -t= --verbose \
         -d",
    ),
];

/// The verbs of `tkn taskrun` and `tkn pipelinerun` and their flags.
const TKN: [(&str, &str); 8] = [
    (
        "list",
        "--all-namespaces -A --label= --limit= --no-headers --reverse \
         --allow-missing-template-keys --output= -o= --show-managed-fields --template= \
         --context= -c= --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
    (
        "describe",
        "--fzf -F --last -L --limit= --allow-missing-template-keys --output= -o= \
         --show-managed-fields --template= --context= -c= --kubeconfig= -k= --namespace= -n= \
         --no-color -C",
    ),
    (
        "taskrun logs",
        "--all -a --follow -f --fzf -F --last -L --limit= --prefix --step= -s= --timestamps -t \
         --context= -c= --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
    (
        "pipelinerun logs",
        "--all -a --exit-with-pipelinerun-error -E --follow -f --fzf -F --last -L --limit= \
         --log-failed --long --prefix --task= -t= --timestamps --context= -c= --kubeconfig= -k= \
         --namespace= -n= --no-color -C",
    ),
    (
        "taskrun cancel",
        "--context= -c= --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
    (
        "pipelinerun cancel",
        "--grace= --context= -c= --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
    (
        "taskrun delete",
        "--all --allow-missing-template-keys --force -f --ignore-running -i \
         --ignore-running-pipelinerun --keep= --keep-since= --output= -o= --show-managed-fields \
         --task= -t= --template= --context= -c= --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
    (
        "pipelinerun delete",
        "--all --allow-missing-template-keys --force -f --ignore-running -i --keep= --keep-since= \
         --label= --output= -o= --pipeline= -p= --show-managed-fields --template= --context= -c= \
         --kubeconfig= -k= --namespace= -n= --no-color -C",
    ),
];

/// Values that a flag takes besides any text.
fn value(verb: &str, flag: &str) -> &'static str {
    match flag {
        "--type=" if verb == "triangulate" => "signature",
        "--type=" | "--predicate-type=" => "slsaprovenance",
        "--timeout=" | "-t=" => "30s",
        "--limit=" | "--max-workers=" | "--keep=" | "--keep-since=" => "5",
        "--grace=" => "StoppedRunFinally",
        "--output=" | "-o=" => "json",
        "--oidc-provider=" => "github-actions",
        "--hash=" => "0000000000000000000000000000000000000000000000000000000000000000",
        "--annotations=" | "-a=" => "k=v",
        "--key=" => "cosign.pub",
        "--kms=" => "hashivault://release",
        "--attachment=" => "sbom",
        "--only=" => "sig",
        "--platform=" if verb == "copy" => "linux/amd64",
        _ => "x",
    }
}

/// The words of a command line with one flag. Its help is asked for, which is printed if the flag is
/// one, and needs neither a file nor a cluster.
fn line(verb: &str, flag: &str) -> Vec<String> {
    let mut words: Vec<String> = verb.split(' ').map(str::to_owned).collect();
    match flag.strip_suffix('=') {
        Some(name) => words.extend([name.to_owned(), value(verb, flag).to_owned()]),
        None => words.push(flag.to_owned()),
    }
    words
}

fn check(shell: &Shell, verb: &str, flag: &str) {
    let mut words = line(verb, flag);
    words.push("--help".to_owned());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let help = shell.words(&words);
    assert_eq!(help.code, 0, "{verb} {flag}: {}", help.stderr);
    let name = flag.trim_end_matches('=');
    if help.stdout.contains(name) || UNLISTED.contains(&name) {
        return;
    }
    // a flag that is not in the help is refused, which shows without --help
    let words = &words[..words.len() - 1];
    let outcome = shell.words(words);
    let text = &outcome.stderr;
    assert_eq!(outcome.code, 2, "{verb} {flag}: {text}");
    assert!(text.contains("is not supported: "), "{verb} {flag}: {text}");
    assert!(
        text.contains("; "),
        "{verb} {flag} does not say what to do instead: {text}"
    );
}

/// Other spellings of flags that are in the help.
const UNLISTED: [&str; 3] = ["--output", "--platform", "--no-color"];

#[test]
fn every_flag_of_cosign_is_taken_ignored_with_a_note_or_refused_with_a_reason() {
    let shell = Shell::new();
    let mut seen = 0;
    for (verb, flags) in COSIGN {
        for flag in flags.split_whitespace() {
            check(&shell, verb, flag);
            seen += 1;
        }
    }
    assert!(seen > 250, "only {seen} flags were tried");
}

#[test]
fn every_flag_of_tkn_is_taken_ignored_with_a_note_or_refused_with_a_reason() {
    let shell = Shell::new();
    for (verb, flags) in TKN {
        let kinds = ["taskrun", "pipelinerun", "tr", "pr"];
        let verbs = if verb.contains(' ') {
            vec![verb.to_owned()]
        } else {
            kinds.map(|kind| format!("{kind} {verb}")).to_vec()
        };
        for verb in verbs {
            for flag in flags.split_whitespace() {
                check(&shell, &verb, flag);
            }
        }
    }
}

#[test]
fn a_flag_without_effect_takes_what_the_original_takes() {
    let shell = Shell::new();
    shell.fixture("keys/cosign3-p256/cosign.pub", "cosign.pub");
    shell.fixture("keys/cosign3-p256/blob.sig", "blob.sig");
    shell.fixture("keys/blob.txt", "blob.txt");
    for flags in [
        "--private-infrastructure",
        "--offline=true",
        "--rekor-url=https://rekor.example.com",
        "--rekor-url https://rekor.example.com -d",
        "--timeout 30s",
        "-t 1m30s",
        "--max-workers 4 --insecure-ignore-sct",
        "--insecure-ignore-tlog --new-bundle-format=false",
        "--output-file log.txt",
    ] {
        let verify = |key: &str, blob: &str| {
            shell.run(&format!(
                "verify-blob --key {key} {flags} --signature blob.sig {blob}"
            ))
        };
        let outcome = verify("cosign.pub", "blob.txt");
        assert_eq!(outcome.code, 0, "{flags}: {}", outcome.stderr);
        assert_eq!(verify("cosign.pub", "cosign.pub").code, 1, "{flags}");
    }
    for (flags, why) in [
        (
            "--certificate-identity x --certificate-oidc-issuer y",
            "cannot be used with",
        ),
        ("--sk", "no hardware keys"),
        ("--bundle b.json", "cannot be used with"),
        (
            "--trusted-root r.json",
            "cannot read the trusted root r.json",
        ),
        (
            "--certificate-chain c.pem",
            "takes authorities from a trusted root only",
        ),
        ("--certificate c.pem", "give that with --bundle"),
    ] {
        let line = format!("verify-blob --key cosign.pub {flags} --signature blob.sig blob.txt");
        shell.fail(2, &line, why);
    }
}
