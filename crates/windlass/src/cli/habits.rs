//! Verbs of cosign, tkn and kubectl that windlass does not have: what to type instead, in place of a
//! guess by the letters.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Guesses by the letters that are shown.
const GUESSES: usize = 3;

/// Verbs, and what to type instead.
const VERBS: [(&[&str], &str); 19] = [
    (
        &["attach", "upload"],
        "`windlass attest --predicate FILE IMAGE` attaches an attestation; use oras for other files",
    ),
    (
        &["clean"],
        "windlass removes nothing; remove the tag that `windlass triangulate IMAGE` prints in the \
         registry",
    ),
    (
        &["initialize"],
        "`windlass trust initialize` chooses a mirror and its root, as cosign's `initialize` does",
    ),
    (
        &["trusted-root"],
        "`windlass trust show` shows the trusted root, and prints it with `-o root`",
    ),
    (
        &["signing-config", "bundle"],
        "windlass reads them and makes none; use cosign",
    ),
    (
        &["manifest", "dockerfile", "policy"],
        "`windlass verify` takes several images but finds none in files; name the images",
    ),
    (
        &["piv-tool", "pkcs11-tool"],
        "windlass signs with keys of hardware (`--key pkcs11:…`) and manages none; use the tools of its \
         vendor",
    ),
    (
        &["sbom"],
        "`windlass download attestation --predicate-type spdxjson IMAGE` prints one that was attested; \
         for one that is only attached use cosign or oras",
    ),
    (
        &["logout"],
        "remove the entry of the registry from the Docker configuration with `docker logout`",
    ),
    (
        &["discover", "referrers"],
        "`windlass tree IMAGE` lists what is attached to an image",
    ),
    (
        &["generate"],
        "`windlass payload -f RUN` prints what is signed for a run",
    ),
    (
        &["logs", "log"],
        "use `windlass tr logs` or `windlass pr logs`",
    ),
    (
        &["list", "ls", "get"],
        "use `windlass tr list` or `windlass pr list`",
    ),
    (
        &["describe", "desc"],
        "use `windlass tr describe` or `windlass pr describe`",
    ),
    (
        &["cancel"],
        "use `windlass tr cancel` or `windlass pr cancel`",
    ),
    (
        &["delete", "rm"],
        "use `windlass tr delete` or `windlass pr delete`",
    ),
    (
        &["export"],
        "use `describe -o yaml`, which prints the run as it is",
    ),
    (
        &[
            "task",
            "pipeline",
            "clustertask",
            "customrun",
            "hub",
            "eventlistener",
            "triggerbinding",
            "triggertemplate",
            "clustertriggerbinding",
            "start",
        ],
        "windlass is about runs; use tkn or kubectl for what they are started from",
    ),
    (
        &["apply", "create"],
        "use kubectl, which also speaks to the cluster of `windlass dev`",
    ),
];

/// What to say of a verb that does not exist, if it is one of another program.
pub(super) fn instead(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    if typed.contains(['/', ':', '@']) {
        return Some(no_verb(error, typed));
    }
    let mut verbs = VERBS.iter();
    let (_, instead) = verbs.find(|(verbs, _)| verbs.contains(&typed.as_str()))?;
    Some(format!("windlass has no verb {typed}; {instead}"))
}

/// What to say of an image or a run where a verb has to be.
fn no_verb(error: &clap::Error, typed: &str) -> String {
    let usage = error.get(ContextKind::Usage);
    let usage = usage.map(ToString::to_string).unwrap_or_default();
    let instead = if usage.contains(" download ") {
        "write `windlass download signature IMAGE` or `windlass download attestation IMAGE`"
    } else {
        "write what to do with it, such as `windlass verify --key cosign.pub TARGET` or \
         `windlass tree IMAGE`"
    };
    format!("{typed} is no verb; {instead}")
}

/// The error with guesses that help: the nearest verbs first, and no advice to pass a flag as a value.
pub(super) fn with_better_guesses(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(verbs)) = error.get(ContextKind::SuggestedSubcommand) {
        // clap has the nearest last
        let nearest = verbs.iter().rev().take(GUESSES).cloned().collect();
        error.insert(
            ContextKind::SuggestedSubcommand,
            ContextValue::Strings(nearest),
        );
    }
    if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
        let is_useful = |tip: &&StyledStr| !tip.to_string().contains("as a value");
        let useful: Vec<StyledStr> = tips.iter().filter(is_useful).cloned().collect();
        if useful.is_empty() {
            error.remove(ContextKind::Suggested);
        } else {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(useful));
        }
    }
    error
}
