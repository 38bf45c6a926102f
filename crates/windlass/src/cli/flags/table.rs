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
const LOG: Use = Use::Refused(
    "windlass consults no transparency log and no timestamp authority; leave it out, or verify \
     them with cosign",
);
const KEYLESS: Use =
    Use::Refused("windlass signs with a key and not with an identity; give the key with --key");
const HARDWARE: Use =
    Use::Refused("windlass uses no hardware keys; give a file, k8s://... or env://... with --key");
const MUTUAL: Use = Use::Refused(
    "windlass reads them from certs.d only; put the certificate and the key into certs.d/REGISTRY of /etc/docker, as NAME.cert and NAME.key",
);
const PREFIX: Use = Use::Refused(
    "windlass looks under the tags sha256-DIGEST.sig and .att only; copy the tag to that name",
);
const FZF: Use =
    Use::Refused("windlass does not run fzf; name the run, or use --last for the newest one");
const GO_TEMPLATE: Use = Use::Refused("Go templates are not evaluated; use -o jsonpath=TEMPLATE");

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
const VERIFYING: [Flag; 13] = [
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
    switch(
        "local-image",
        Use::Refused(
            "windlass reads no image saved on this machine; load it into a registry first",
        ),
    ),
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
const VERIFY: [Flag; 4] = [
    value(
        "payload",
        Use::Refused(
            "the payload is read from the registry; use `windlass verify-blob` for a file",
        ),
    ),
    value(
        "signature",
        Use::Refused(
            "the signature is read from the registry; use `windlass verify-blob` for a file",
        ),
    ),
    value(
        "attachment",
        Use::Refused(
            "windlass verifies no attached SBOM; verify an attestation with --type spdxjson",
        ),
    ),
    value(
        "signature-digest-algorithm",
        Use::Refused("the algorithm is that of the key; leave it out"),
    ),
];

/// Flags of verbs that sign.
const SIGNING: [Flag; 28] = [
    short('y', switch("yes", Use::Ignored)),
    switch("insecure-skip-verify", Use::Ignored),
    switch("issue-certificate", KEYLESS),
    switch("new-bundle-format", Use::Ignored),
    switch("use-signing-config", Use::Ignored),
    switch("oidc-disable-ambient-providers", Use::Ignored),
    value("rekor-url", Use::Ignored),
    value("rekor-entry-type", Use::Ignored),
    value("fulcio-auth-flow", KEYLESS),
    value("fulcio-url", Use::Ignored),
    value("identity-token", KEYLESS),
    value("oidc-client-id", KEYLESS),
    value("oidc-client-secret-file", KEYLESS),
    value("oidc-issuer", Use::Ignored),
    value("oidc-provider", KEYLESS),
    value("oidc-redirect-url", KEYLESS),
    value("output-certificate", KEYLESS),
    value("certificate", KEYLESS),
    value("certificate-chain", KEYLESS),
    value(
        "signing-algorithm",
        Use::Refused("the algorithm is that of the key; leave it out"),
    ),
    value("signing-config", LOG),
    value("trusted-root", LOG),
    value("rfc3161-timestamp", LOG),
    value("timestamp-client-cacert", LOG),
    value("timestamp-client-cert", LOG),
    value("timestamp-client-key", LOG),
    value("timestamp-server-name", LOG),
    value("timestamp-server-url", LOG),
];

/// Flags of `sign-blob` alone.
const SIGN_BLOB: [Flag; 1] = [value(
    "bundle",
    Use::Refused("windlass writes a detached signature; use --output-signature"),
)];

/// Flags of `attest` alone.
const ATTEST: [Flag; 6] = [
    switch("tlog-upload", Use::Ignored),
    switch("record-creation-timestamp", Use::Ignored),
    switch(
        "replace",
        Use::Refused(
            "windlass adds attestations and removes none; remove the old one in the registry",
        ),
    ),
    short(
        'r',
        switch(
            "recursive",
            Use::Refused("windlass attests the image that is named; name each image of an index"),
        ),
    ),
    value(
        "bundle",
        Use::Refused("windlass writes an envelope; use --no-upload and redirect the output"),
    ),
    value(
        "statement",
        Use::Refused("windlass makes the statement; give what it says with --predicate"),
    ),
];

const KMS: [Flag; 1] = [value(
    "kms",
    Use::Refused("windlass makes keys in files and secrets only; use the tool of that service"),
)];

/// Flags of tkn's `list` and `describe`.
const SHOWING: [Flag; 2] = [
    switch("allow-missing-template-keys", Use::Ignored),
    value("template", GO_TEMPLATE),
];

/// Flags of tkn's `describe` alone.
const DESCRIBE: [Flag; 2] = [short('F', switch("fzf", FZF)), value("limit", Use::Ignored)];

/// Flags of tkn's `logs` alone.
const LOGS: [Flag; 5] = [
    short('C', switch("no-color", Use::Ignored)),
    switch("nocolor", Use::Ignored),
    short('F', switch("fzf", FZF)),
    value("limit", Use::Ignored),
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

/// The flags of each verb.
pub(super) const TABLE: [(&[&str], &[Flag]); 14] = [
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
            "sign-blob",
            "attest",
            "public-key",
        ],
        &KEYS,
    ),
    (&["sign-blob", "attest"], &SIGNING),
    (&["sign-blob"], &SIGN_BLOB),
    (&["attest"], &ATTEST),
    (&["generate-key-pair"], &KMS),
    (
        &[
            "taskrun list",
            "taskrun describe",
            "pipelinerun list",
            "pipelinerun describe",
        ],
        &SHOWING,
    ),
    (&["taskrun describe", "pipelinerun describe"], &DESCRIBE),
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
    (
        &[
            "verify",
            "verify-attestation",
            "verify-blob",
            "verify-blob-attestation",
            "sign-blob",
            "attest",
            "public-key",
            "generate-key-pair",
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
