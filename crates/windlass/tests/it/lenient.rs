//! What specifications allow and Go's tools take: files, flags and configurations as others write
//! them.

#[cfg(feature = "sandbox")]
mod cluster;
mod documents;
mod envelopes;
mod flags;
#[cfg(feature = "sandbox")]
mod refusals;
mod registry;
mod table;
mod verbs;
