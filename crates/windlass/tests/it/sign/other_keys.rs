//! Keys that the library of sigstore does not know in log entries: they are judged by the same checks.

use serde_json::{Value, json};

use super::version_two::Stage;

const CHECK: &str = "--key cosign.pub --trusted-root root.json";

/// The flags that name the log of each version.
fn flags(stage: &Stage, version: u32) -> String {
    match version {
        1 => format!("--rekor-url {}", stage.log.url()),
        _ => "--signing-config config.json --trusted-root root.json".to_owned(),
    }
}

/// A stage with one of the keys that cosign imported.
fn with_key(kind: &str) -> Stage {
    let mut stage = Stage::new();
    let shell = &mut stage.scene.shell;
    for name in ["cosign.key", "cosign.pub", "cosign.password"] {
        shell.fixture(&format!("keys/{kind}/{name}"), name);
    }
    let password = String::from_utf8(shell.read("cosign.password")).unwrap();
    shell.password = Some(password);
    shell.write("other", "something else");
    stage
}

/// How something is signed, and how that is verified.
struct Case {
    kind: &'static str,
    version: u32,
    sign: &'static str,
    verify: &'static str,
}

const FILE: (&str, &str) = ("sign-blob", "verify-blob");
const ATTESTATION: (&str, &str) = (
    "attest-blob --predicate predicate",
    "verify-blob-attestation",
);

impl Case {
    const fn new(
        kind: &'static str,
        version: u32,
        (sign, verify): (&'static str, &'static str),
    ) -> Self {
        Self {
            kind,
            version,
            sign,
            verify,
        }
    }

    fn line(&self, bundle: &str) -> String {
        format!("{} {CHECK} --bundle {bundle} app", self.verify)
    }

    /// A bundle that was changed is refused for this reason.
    #[track_caller]
    fn refused(&self, stage: &Stage, bundle: &Value, expected: &str) {
        stage.write("changed", bundle);
        stage.scene.shell.fail(1, &self.line("changed"), expected);
    }
}

/// Attestations are signed with SHA-256 whatever the curve is, which version 1 takes.
const CASES: [Case; 4] = [
    Case::new("import-p384", 1, ATTESTATION),
    Case::new("import-p521", 1, ATTESTATION),
    Case::new("import-rsa4096", 2, ATTESTATION),
    Case::new("import-rsa4096", 2, FILE),
];

#[test]
fn entries_of_keys_that_the_library_does_not_know_are_judged_by_the_same_checks() {
    for case in CASES {
        let stage = with_key(case.kind);
        let flags = flags(&stage, case.version);
        let sign = format!("{} --key cosign.key {flags} --bundle", case.sign);
        stage.succeed(&format!("{sign} first other"));
        stage.succeed(&format!("{sign} bundle app"));
        let outcome = stage.succeed(&case.line("bundle"));
        assert!(outcome.stderr.contains("Verified OK"), "{}", outcome.stderr);
        lies_are_named(&stage, &case);
        let bundle = stage.json("bundle");
        let mut root = stage.root(&stage.fulcio.root_pem());
        root["tlogs"][0]["publicKey"]["validFor"] =
            json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
        stage.write("root.json", &root);
        case.refused(&stage, &bundle, "the key of the log was not valid");
        root["tlogs"] = json!([]);
        stage.write("root.json", &root);
        case.refused(&stage, &bundle, "the trusted root does not have");
    }
}

/// Entries and timestamps that are changed, or those of another file.
fn lies_are_named(stage: &Stage, case: &Case) {
    let (bundle, first) = (stage.json("bundle"), stage.json("first"));
    let entry = "/verificationMaterial/tlogEntries/0";
    let with = |place: &str, value: Value| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(place).unwrap() = value;
        changed
    };
    let refused = |place: &str, value: Value, expected: &str| {
        case.refused(stage, &with(place, value), expected);
    };
    let other = first.pointer(entry).unwrap().clone();
    refused(entry, other, "is the entry of another signature");
    let root = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let place = format!("{entry}/inclusionProof/rootHash");
    refused(&place, root, "does not lead to the root of the tree");
    let place = format!("{entry}/inclusionProof/checkpoint/envelope");
    let note = bundle.pointer(&place).unwrap().as_str().unwrap();
    let note = note.replace("\n\n", "\nmore\n\n");
    refused(
        &place,
        json!(note),
        "the checkpoint of its inclusion proof is not valid",
    );
    if case.version == 1 {
        let place = format!("{entry}/integratedTime");
        let expected = "its signed entry timestamp was not made with";
        refused(&place, json!("1700000000"), expected);
        return;
    }
    let stamps = "/verificationMaterial/timestampVerificationData";
    let other = first.pointer(stamps).unwrap().clone();
    refused(stamps, other, "made the timestamp for this signature");
    stage.write("changed", &with(stamps, json!({})));
    let line = format!("{} --use-signed-timestamps", case.line("changed"));
    stage
        .scene
        .shell
        .fail(1, &line, "no timestamp of an authority");
}
