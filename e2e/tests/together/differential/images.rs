//! Images with whatever can be attached to them, and how each is verified.

/// How cosign stores what it signs: under tags, as Chains does, or in bundles beside the image.
const TAGS: &str = "--yes --use-signing-config=false --tlog-upload=false --new-bundle-format=false";
const BUNDLES: &str =
    "--yes --use-signing-config=false --tlog-upload=false --new-bundle-format=true";

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    UnderTags,
    InBundles,
}

/// An image, and the questions about it.
pub struct Case {
    pub name: &'static str,
    /// The lines that make it; `$IMAGE` is its name with a digest, `$REPO` its repository. Words of
    /// [`forge`](super::forgery::forge) are lines too.
    pub made: &'static [&'static str],
    /// Flags of `verify`, and the image if it is another one.
    pub verify: &'static str,
    /// Flags of `verify-attestation`.
    pub attestation: &'static str,
    pub stored: Stored,
}

impl Case {
    const fn new(
        name: &'static str,
        made: &'static [&'static str],
        verify: &'static str,
        attestation: &'static str,
    ) -> Self {
        Self {
            name,
            made,
            verify,
            attestation,
            stored: Stored::UnderTags,
        }
    }

    const fn in_bundles(mut self) -> Self {
        self.stored = Stored::InBundles;
        self
    }

    /// The lines as they are typed.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let flags = match self.stored {
            Stored::UnderTags => TAGS,
            Stored::InBundles => BUNDLES,
        };
        let typed = move |line: &&str| {
            line.replace("SIGN ", &format!("cosign sign {flags} "))
                .replace(
                    "ATTEST ",
                    &format!("cosign attest {flags} --predicate p.json "),
                )
        };
        self.made.iter().map(typed)
    }
}

const SIGNED: &[&str] = &["SIGN --key p256.key $IMAGE"];
const ATTESTED: &[&str] = &["ATTEST --key p256.key --type slsaprovenance $IMAGE"];
const BOTH: &[&str] = &[
    "SIGN --key p256.key $IMAGE",
    "ATTEST --key p256.key --type slsaprovenance $IMAGE",
];
const P256: &str = "--key p256.pub";
const OTHER: &str = "--key other.pub";
const SLSA: &str = "--key p256.pub --type slsaprovenance";

/// Every image.
pub const CASES: [Case; 38] = [
    Case::new("signed", SIGNED, P256, SLSA),
    Case::new("unsigned", &[], P256, SLSA),
    Case::new(
        "wrong-key",
        BOTH,
        OTHER,
        "--key other.pub --type slsaprovenance",
    ),
    Case::new("attested", ATTESTED, P256, SLSA),
    Case::new("both", BOTH, P256, SLSA),
    Case::new(
        "p384",
        &[
            "SIGN --key p384.key $IMAGE",
            "ATTEST --key p384.key --type slsaprovenance $IMAGE",
        ],
        "--key p384.pub",
        "--key p384.pub --type slsaprovenance",
    ),
    Case::new(
        "rsa",
        &[
            "SIGN --key rsa.key $IMAGE",
            "ATTEST --key rsa.key --type slsaprovenance $IMAGE",
        ],
        "--key rsa.pub",
        "--key rsa.pub --type slsaprovenance",
    ),
    Case::new(
        "ed25519",
        &[
            "SIGN --key ed25519.key $IMAGE",
            "ATTEST --key ed25519.key --type slsaprovenance $IMAGE",
        ],
        "--key ed25519.pub",
        "--key ed25519.pub --type slsaprovenance",
    ),
    Case::new(
        "key-of-another-kind",
        BOTH,
        "--key rsa.pub",
        "--key ed25519.pub --type slsaprovenance",
    ),
    Case::new(
        "annotated",
        &["SIGN -a build=1 -a by=ci --key p256.key $IMAGE"],
        "-a build=1 --key p256.pub",
        SLSA,
    ),
    Case::new(
        "annotated-otherwise",
        &["SIGN -a build=1 --key p256.key $IMAGE"],
        "-a build=2 --key p256.pub",
        SLSA,
    ),
    Case::new(
        "annotated-with-less",
        &["SIGN -a build=1 --key p256.key $IMAGE"],
        "-a build=1 -a by=ci --key p256.pub",
        SLSA,
    ),
    Case::new(
        "two-signers",
        &["SIGN --key p256.key $IMAGE", "SIGN --key other.key $IMAGE"],
        P256,
        SLSA,
    ),
    Case::new(
        "second-signer",
        &["SIGN --key p256.key $IMAGE", "SIGN --key other.key $IMAGE"],
        OTHER,
        SLSA,
    ),
    Case::new(
        "third-signer",
        &["SIGN --key p256.key $IMAGE", "SIGN --key other.key $IMAGE"],
        "--key rsa.pub",
        SLSA,
    ),
    Case::new(
        "two-attesters",
        &[
            "ATTEST --key other.key --type slsaprovenance $IMAGE",
            "ATTEST --key p256.key --type slsaprovenance $IMAGE",
        ],
        P256,
        SLSA,
    ),
    Case::new(
        "two-types",
        &[
            "ATTEST --key p256.key --type slsaprovenance $IMAGE",
            "ATTEST --key p256.key --type https://example.com/test $IMAGE",
        ],
        P256,
        "--key p256.pub --type https://example.com/test",
    ),
    Case::new(
        "another-type",
        ATTESTED,
        P256,
        "--key p256.pub --type spdxjson",
    ),
    Case::new(
        "type-of-version-1",
        &["ATTEST --key p256.key --type slsaprovenance1 $IMAGE"],
        P256,
        "--key p256.pub --type slsaprovenance1",
    ),
    Case::new(
        "versions-mixed",
        &["ATTEST --key p256.key --type slsaprovenance1 $IMAGE"],
        P256,
        SLSA,
    ),
    Case::new(
        "custom-type",
        &["ATTEST --key p256.key --type custom $IMAGE"],
        P256,
        "--key p256.pub --type custom",
    ),
    Case::new("without-a-type", ATTESTED, P256, P256),
    Case::new(
        "by-tag",
        BOTH,
        "--key p256.pub $REPO:v1",
        "--key p256.pub --type slsaprovenance $REPO:v1",
    ),
    Case::new(
        "signature-of-another-digest",
        &["take-those-of-another-image"],
        P256,
        SLSA,
    ),
    Case::new(
        "claims-not-checked",
        &["take-those-of-another-image"],
        "--check-claims=false --key p256.pub",
        "--check-claims=false --key p256.pub --type slsaprovenance",
    ),
    Case::new(
        "signature-changed",
        &["SIGN --key p256.key $IMAGE", "change-the-signature"],
        P256,
        SLSA,
    ),
    Case::new(
        "signature-emptied",
        &["SIGN --key p256.key $IMAGE", "empty-the-signature"],
        P256,
        SLSA,
    ),
    Case::new(
        "payload-changed",
        &["SIGN --key p256.key $IMAGE", "change-the-payload"],
        P256,
        SLSA,
    ),
    Case::new(
        "no-layers",
        &["SIGN --key p256.key $IMAGE", "leave-out-the-layers"],
        P256,
        SLSA,
    ),
    Case::new(
        "attestation-is-no-signature",
        &[
            "ATTEST --key p256.key --type slsaprovenance $IMAGE",
            "take-the-attestation-for-a-signature",
        ],
        P256,
        SLSA,
    ),
    Case::new(
        "gone",
        &[],
        "--key p256.pub $REPO:v2",
        "--key p256.pub --type slsaprovenance $REPO:v2",
    ),
    Case::new("in-bundles", BOTH, P256, SLSA).in_bundles(),
    Case::new(
        "bundle-of-another-key",
        BOTH,
        OTHER,
        "--key other.pub --type slsaprovenance",
    )
    .in_bundles(),
    Case::new(
        "bundle-of-another-type",
        ATTESTED,
        P256,
        "--key p256.pub --type spdxjson",
    )
    .in_bundles(),
    Case::new(
        "bundles-of-two",
        &["SIGN --key other.key $IMAGE", "SIGN --key p256.key $IMAGE"],
        P256,
        SLSA,
    )
    .in_bundles(),
    Case::new("no-bundles", &[], P256, SLSA).in_bundles(),
    Case::new(
        "attested-by-windlass",
        &["windlass attest --key p256.key --predicate p.json --type slsaprovenance $IMAGE"],
        P256,
        SLSA,
    ),
    Case::new(
        "moved",
        &[
            "SIGN --key p256.key $IMAGE",
            "windlass copy $IMAGE $REPO-copy:v1",
        ],
        "--key p256.pub $REPO-copy:v1",
        SLSA,
    ),
];
