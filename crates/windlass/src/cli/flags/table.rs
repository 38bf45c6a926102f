//! The flags of cosign and tkn that windlass does not have, by verb. A flag that the verb has itself
//! is not added again.

/// A flag of the originals.
#[derive(Clone, Copy)]
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes_value: bool,
    pub(super) then: Use,
}

/// What becomes of a flag.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// It cannot matter here.
    Ignored,
    /// It asks for what windlass does not do, for this reason; what to do instead follows.
    Refused(&'static str),
}

/// A switch.
const fn switch(long: &'static str, then: Use) -> Flag {
    Flag {
        long,
        short: None,
        takes_value: false,
        then,
    }
}

/// A flag with a value.
const fn value(long: &'static str, then: Use) -> Flag {
    Flag {
        long,
        short: None,
        takes_value: true,
        then,
    }
}

const fn short(short: char, flag: Flag) -> Flag {
    Flag {
        short: Some(short),
        ..flag
    }
}

const CERTIFICATES: Use = Use::Refused(
    "windlass takes authorities from a trusted root only; put the certificates into one, and give it \
     with --trusted-root",
);
const DETACHED: Use = Use::Refused(
    "windlass reads what comes with a signature from its bundle; give that with --bundle",
);
const TIMESTAMPS: Use = Use::Refused(
    "windlass shows no certificate to a timestamp authority; name one that asks for none with \
     --timestamp-server-url",
);
const TIMESTAMP_FILE: Use = Use::Refused(
    "the timestamp is attached to the image, or in the bundle that --bundle writes; leave it out",
);
const BROWSER: Use = Use::Refused(
    "windlass opens no browser to log in with; give a token with --identity-token, or sign where there is \
     one, such as in a job of GitHub Actions",
);
const OTHER_CERTIFICATES: Use = Use::Refused(
    "windlass signs with a key, or with one that Fulcio certifies; leave it out, and give verifiers the \
     public key",
);
const HARDWARE: Use =
    Use::Refused("windlass uses no hardware keys; give a file, k8s://... or env://... with --key");
const MUTUAL: Use = Use::Refused(
    "windlass reads them from certs.d only; put the certificate and the key into certs.d/REGISTRY of /etc/docker, as NAME.cert and NAME.key",
);
const PREFIX: Use = Use::Refused(
    "windlass looks under the tags sha256-DIGEST.sig and .att only; copy the tag to that name",
);

/// Flags of every verb of cosign.
const GLOBAL: [Flag; 3] = [
    short('d', switch("verbose", Use::Ignored)),
    value("output-file", Use::Ignored),
    short('t', value("timeout", Use::Ignored)),
];

/// Flags of registries.
const REGISTRY: [Flag; 8] = [
    switch("k8s-keychain", Use::Ignored),
    value("registry-referrers-mode", Use::Ignored),
    switch("experimental-oci11", Use::Ignored),
    value("max-workers", Use::Ignored),
    value("attachment-tag-prefix", PREFIX),
    value("registry-client-cert", MUTUAL),
    value("registry-client-key", MUTUAL),
    value("registry-server-name", MUTUAL),
];

/// Flags of hardware keys.
const KEYS: [Flag; 2] = [switch("sk", HARDWARE), value("slot", HARDWARE)];

/// Flags of verbs that verify.
const VERIFYING: [Flag; 12] = [
    switch("new-bundle-format", Use::Ignored),
    switch("experimental-oci11", Use::Ignored),
    value("rekor-url", Use::Ignored),
    value("max-workers", Use::Ignored),
    value("ca-intermediates", CERTIFICATES),
    value("ca-roots", CERTIFICATES),
    value("certificate", DETACHED),
    value("certificate-chain", CERTIFICATES),
    value("sct", DETACHED),
    value("timestamp-certificate-chain", CERTIFICATES),
    value("rfc3161-timestamp", DETACHED),
    value(
        "policy",
        Use::Refused(
            "windlass evaluates no CUE or Rego; pipe the attestation into cue or opa: \
             ... | jq -r .payload | base64 -d",
        ),
    ),
];

/// Flags of verbs that verify files, for those that verify images.
const OF_FILES: [Flag; 1] = [value(
    "bundle",
    Use::Refused(
        "the bundles of an image are read from its registry; use `windlass verify-blob` or \
         `windlass verify-blob-attestation` for a file",
    ),
)];

/// Flags of `verify` alone.
const VERIFY: [Flag; 1] = [value(
    "signature-digest-algorithm",
    Use::Refused("the algorithm is that of the key; leave it out"),
)];

/// Flags of verbs that sign.
const SIGNING: [Flag; 18] = [
    short('y', switch("yes", Use::Ignored)),
    switch("use-signing-config", Use::Ignored),
    switch("record-creation-timestamp", Use::Ignored),
    value("rekor-entry-type", Use::Ignored),
    value("oidc-issuer", Use::Ignored),
    switch("issue-certificate", OTHER_CERTIFICATES),
    value("certificate", OTHER_CERTIFICATES),
    value("certificate-chain", OTHER_CERTIFICATES),
    value("fulcio-auth-flow", BROWSER),
    value("oidc-client-secret-file", BROWSER),
    value("oidc-redirect-url", BROWSER),
    value(
        "signing-algorithm",
        Use::Refused("the algorithm is that of the key; leave it out"),
    ),
    value("rfc3161-timestamp", TIMESTAMP_FILE),
    value("rfc3161-timestamp-bundle", TIMESTAMP_FILE),
    value("timestamp-client-cacert", TIMESTAMPS),
    value("timestamp-client-cert", TIMESTAMPS),
    value("timestamp-client-key", TIMESTAMPS),
    value("timestamp-server-name", TIMESTAMPS),
];

/// Flags of `sign` alone.
const SIGN: [Flag; 1] = [value(
    "attachment",
    Use::Refused(
        "windlass signs what is named; name what is attached by its own digest, which `windlass tree` \
         prints",
    ),
)];

/// Flags of tkn's `list` and `describe`.
const SHOWING: [Flag; 1] = [switch("allow-missing-template-keys", Use::Ignored)];

/// Flags of tkn's `logs` alone.
const LOGS: [Flag; 3] = [
    short('C', switch("no-color", Use::Ignored)),
    switch("nocolor", Use::Ignored),
    switch("long", Use::Ignored),
];

/// Flags of tkn's `cancel` and `delete`.
const CHANGING: [Flag; 6] = [
    short('C', switch("no-color", Use::Ignored)),
    switch("nocolor", Use::Ignored),
    switch("allow-missing-template-keys", Use::Ignored),
    short('o', value("output", Use::Ignored)),
    switch("show-managed-fields", Use::Ignored),
    value("template", Use::Ignored),
];

/// What other verbs about runs have, and `delete` must not have: tkn has it neither.
const DELETE: [Flag; 1] = [short(
    'L',
    switch(
        "last",
        Use::Refused(
            "another run may become the newest one just before it is deleted; name the run, which \
             `windlass tr describe --last -o name` or `windlass pr describe --last -o name` prints",
        ),
    ),
)];

/// What verbs that only look have, and `install` does not need.
const DRY: Use = Use::Refused(
    "it only prints manifests; compare them with `| kubectl diff -f -`, and look for faults of a cluster \
     with `windlass doctor`",
);

/// Flags of kubectl's verbs that install.
const INSTALL: [Flag; 2] = [switch("check", DRY), switch("dry-run", DRY)];

/// The flags of each verb.
pub(super) const TABLE: [(&[&str], &[Flag]); 13] = [
    (&["install"], &INSTALL),
    (
        &[
            "verify",
            "verify-attestation",
            "verify-blob",
            "verify-blob-attestation",
        ],
        &VERIFYING,
    ),
    (&["verify", "verify-attestation"], &OF_FILES),
    (&["verify"], &VERIFY),
    (
        &[
            "verify",
            "verify-attestation",
            "tree",
            "triangulate",
            "download signature",
            "download attestation",
            "copy",
            "save",
            "load",
            "sign",
            "attest",
        ],
        &REGISTRY,
    ),
    (
        &[
            "verify",
            "verify-attestation",
            "verify-blob",
            "verify-blob-attestation",
            "sign",
            "sign-blob",
            "attest",
            "attest-blob",
            "public-key",
        ],
        &KEYS,
    ),
    (&["sign", "attest", "sign-blob", "attest-blob"], &SIGNING),
    (&["sign"], &SIGN),
    (
        &[
            "taskrun list",
            "taskrun describe",
            "pipelinerun list",
            "pipelinerun describe",
        ],
        &SHOWING,
    ),
    (&["taskrun logs", "pipelinerun logs"], &LOGS),
    (
        &[
            "taskrun cancel",
            "taskrun delete",
            "pipelinerun cancel",
            "pipelinerun delete",
        ],
        &CHANGING,
    ),
    (&["taskrun delete", "pipelinerun delete"], &DELETE),
    (
        &[
            "verify",
            "verify-attestation",
            "verify-blob",
            "verify-blob-attestation",
            "sign",
            "sign-blob",
            "attest",
            "attest-blob",
            "public-key",
            "generate-key-pair",
            "import-key-pair",
            "tree",
            "triangulate",
            "download signature",
            "download attestation",
            "copy",
            "save",
            "load",
            "completions",
            "login",
            "version",
            "env",
        ],
        &GLOBAL,
    ),
];
