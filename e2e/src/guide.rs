//! Section B of the user's guide: every line as it is printed there, and how it is typed here.
//!
//! `oc` is typed as `kubectl`, whose commands these are, and the lines of `tkn` with windlass's verb of
//! the same name and flags.

use crate::parts::Cosign;

/// The namespace of the guide, where the controller finds its configuration and key.
pub const SYSTEM_NAMESPACE: &str = "openshift-pipelines";
/// Step 1, an encrypted key pair kept as a secret.
pub const KEY_PAIR: &str = "cosign generate-key-pair k8s://openshift-pipelines/signing-secrets";
/// Step 2, no OCI storage, format and storage `tekton`.
pub const CONFIGURE: &str = r#"oc patch configmap chains-config -n openshift-pipelines -p='{"data":{"artifacts.oci.storage": "", "artifacts.taskrun.format":"tekton", "artifacts.taskrun.storage": "tekton"}}'"#;
/// Step 3, the restart that windlass does not need.
pub const RESTART: &str = "oc delete po -n openshift-pipelines -l app=tekton-chains-controller";
/// Step 4, a task run; the guide names the file by its address.
pub const CREATE: &str = "oc create -f task-output-image.yaml";
/// Step 5, until every step is `Completed`.
pub const DESCRIBE: &str = "tkn tr describe --last";
/// Step 6, the run's identity, its signature and what was signed.
pub const FETCH: [&str; 3] = [
    "export TASKRUN_UID=$(tkn tr describe --last -o  jsonpath='{.metadata.uid}')",
    r#"tkn tr describe --last -o jsonpath="{.metadata.annotations.chains\.tekton\.dev/signature-taskrun-$TASKRUN_UID}" > signature"#,
    r#"tkn tr describe --last -o jsonpath="{.metadata.annotations.chains\.tekton\.dev/payload-taskrun-$TASKRUN_UID}" | base64 -d > payload"#,
];
/// Step 7, which prints `Verified OK`.
pub const VERIFY: &str = "cosign verify-blob --key k8s://openshift-pipelines/signing-secrets --signature ./signature ./payload";
/// The steps that step 5 lists.
pub const STEPS: [&str; 5] = [
    "create-dir-builtimage-9467f",
    "git-source-sourcerepo-p2sk8",
    "build-and-push",
    "echo",
    "image-digest-exporter-xlkn7",
];

/// Who takes cosign's part.
#[derive(Debug, Clone, Copy)]
pub enum Signing {
    /// cosign itself, with the flags that the guide's notes ask of its release.
    Cosign(Cosign),
    /// windlass's own verbs, with no flag added.
    Windlass,
}

impl Signing {
    /// A line of the guide as it is typed.
    pub fn typed(self, line: &str) -> String {
        let line = program(line, "oc", "kubectl");
        let line = program(&line, "tkn", "windlass");
        match self {
            Self::Cosign(cosign) => {
                let verify = format!("cosign verify-blob {}", cosign.verify_flags());
                line.replacen("cosign verify-blob ", &verify, 1)
            }
            Self::Windlass => program(&line, "cosign", "windlass"),
        }
    }
}

/// `line` with the program `from` called as `to`, where a command begins.
fn program(line: &str, from: &str, to: &str) -> String {
    let line = line.replace(&format!("$({from} "), &format!("$({to} "));
    match line.strip_prefix(from) {
        Some(rest) if rest.starts_with(' ') => format!("{to}{rest}"),
        _ => line,
    }
}
