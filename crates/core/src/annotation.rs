//! Names of the annotations and finalizers that record the outcome of a run.
//!
//! Every name has the prefix `chains.tekton.dev/` and is shared with Tekton Chains, so that either
//! controller can replace the other (docs/behaviour.md, "Annotations"). The names of our own are
//! [`REASON`], [`SEAL`], [`log_entry`] and [`proof`].

/// Prefix of every annotation, label and finalizer named here.
pub const PREFIX: &str = "chains.tekton.dev/";

/// `true` once everything enabled is confirmed, `failed` after a permanent error.
pub const SIGNED: &str = "chains.tekton.dev/signed";
/// How many passes over the run failed, minus one: `0` to `3`.
pub const RETRIES: &str = "chains.tekton.dev/retries";
/// Why the run is not signed, or what was left out of its record. One line. Ours alone.
pub const REASON: &str = "chains.tekton.dev/reason";
/// The signature over the mark, see [`seal`](crate::seal). Ours alone.
pub const SEAL: &str = "chains.tekton.dev/seal";
/// URL of the last transparency log entry.
pub const TRANSPARENCY: &str = "chains.tekton.dev/transparency";
/// Set to `true` by the user to ask for a log entry when transparency is `manual`.
pub const TRANSPARENCY_UPLOAD: &str = "chains.tekton.dev/transparency-upload";

/// Finalizer of `TaskRuns`.
pub const TASKRUN_FINALIZER: &str = "chains.tekton.dev/taskrun";
/// Finalizer of `PipelineRuns`.
pub const PIPELINERUN_FINALIZER: &str = "chains.tekton.dev/pipelinerun";
/// Finalizer that very old releases put on `TaskRuns`.
pub const LEGACY_FINALIZER: &str = "chains.tekton.dev";

/// Field manager of the record.
pub const FIELD_MANAGER: &str = "tekton-chains-controller";
/// Field manager of the finalizer.
pub const FINALIZER_FIELD_MANAGER: &str = "tekton-chains-controller/finalizers";

/// Most bytes that the keys and values of all annotations of one object may have together
/// (Kubernetes' `TotalAnnotationSizeLimitB`).
pub const TOTAL_SIZE_LIMIT: usize = 256 * 1024;

/// Longest text written into [`REASON`], in bytes.
pub const REASON_LIMIT: usize = 512;
/// Most bytes of the start of a longer reason.
const REASON_START: usize = 160;

/// Annotation that holds the base64 payload of the artifact with this short key.
pub fn payload(short_key: &str) -> String {
    format!("{PREFIX}payload-{short_key}")
}

/// Annotation that holds the base64 signature (or envelope) of the artifact with this short key.
pub fn signature(short_key: &str) -> String {
    format!("{PREFIX}signature-{short_key}")
}

/// Annotation that holds the base64 PEM certificate; empty for plain keys.
pub fn certificate(short_key: &str) -> String {
    format!("{PREFIX}cert-{short_key}")
}

/// Annotation that holds the base64 PEM chain; empty for plain keys.
pub fn chain(short_key: &str) -> String {
    format!("{PREFIX}chain-{short_key}")
}

/// Annotation with the URL of the log entry of the artifact with this short key. Ours alone: written
/// while not every store has the artifact, so that no second entry is made.
pub fn log_entry(short_key: &str) -> String {
    format!("{PREFIX}transparency-{short_key}")
}

/// Annotation with the log entry of the artifact with this short key, its proof and the timestamp, as in
/// a Sigstore bundle. Ours alone: with it, the run is enough to verify a certificate that has ended.
pub fn proof(short_key: &str) -> String {
    format!("{PREFIX}proof-{short_key}")
}

/// A reason as it may stand in an annotation: one line, at most 512 bytes. Of a longer one the middle is
/// left out: it begins with what was being done, and ends with the status and what to do.
pub fn reason(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.len() <= REASON_LIMIT {
        return line;
    }
    let rest = REASON_LIMIT - REASON_START - '…'.len_utf8();
    let start = line.floor_char_boundary(REASON_START);
    let end = line.ceil_char_boundary(line.len() - rest);
    format!("{}…{}", &line[..start], &line[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason("a\nb"), "a b");
        let long = reason(&"ü".repeat(600));
        assert!(long.len() <= REASON_LIMIT);
        assert!(long.contains('…'));
        let told = format!("could not read {}: HTTP 401, log in", "x".repeat(600));
        let told = reason(&told);
        assert_eq!(told.len(), REASON_LIMIT);
        assert!(told.starts_with("could not read x"), "{told}");
        assert!(told.ends_with(": HTTP 401, log in"), "{told}");
    }
}
