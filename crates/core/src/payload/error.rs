//! Why a run has no payload.

use crate::format::Format;
use crate::json::JsonError;
use crate::run::Kind;
use crate::terminal::quoted;

/// Why a run has no payload. None of these goes away by trying again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The format describes something else.
    #[error("the format {format} cannot describe a {kind}")]
    Unsuitable {
        /// The format.
        format: Format,
        /// Kind of the run.
        kind: Kind,
    },
    /// The status could be taken for another kind of document that is signed with the same key.
    #[error(
        "the status has the member {}, with which its signature could be taken for that of an image or a \
         statement; Tekton writes no such member, so look for who did",
        quoted(member)
    )]
    Ambiguous {
        /// Name of the member.
        member: String,
    },
    /// A part that is copied into the payload cannot be read.
    #[error("cannot copy {part} of the run into a payload")]
    Copy {
        /// Where it is in the run.
        part: &'static str,
        /// What is wrong with it.
        #[source]
        source: JsonError,
    },
}
