//! The verbs that change objects, each one step under the store's lock: create, replace (which
//! patches end in), delete. Rules: the registry strategies of the real API server, and those of
//! custom resources with a status subresource for Tekton's kinds.

mod create;
mod delete;
mod document;
mod replace;

pub(crate) use create::{Writer, create};
pub(crate) use delete::{Deletion, Preconditions, delete};
pub(crate) use document::check_document;
pub(crate) use replace::replace;
