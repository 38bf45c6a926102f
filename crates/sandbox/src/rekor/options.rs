//! The options of a log, and how it lies.

/// How a log is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What paths begin with, such as `/log/1`; empty for nothing.
    pub prefix: String,
}

/// What only a log does wrong: the entry is added, and the response is a lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// The first entry of the log, whatever was proposed.
    OtherEntry,
    /// The ID of another log.
    OtherLogId,
    /// A promise that was made of another number.
    OtherPromise,
    /// A time in the future.
    Future,
    /// A proof that leads to another root.
    OtherRoot,
    /// A checkpoint that another key signed.
    OtherSigner,
    /// A checkpoint of another tree.
    OtherTree,
    /// No inclusion proof.
    NoProof,
    /// A checkpoint of a log of another name, by the same key.
    OtherOrigin,
    /// Of an entry that is there already, the number of another one.
    OtherNumber,
}
