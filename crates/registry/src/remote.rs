//! A repository with the credentials to access it.
//!
//! A request is sent with the candidate that worked last. If the response is 401, its challenge is
//! met once. If the response is still 401 or 403, the candidate has no access, and the next one is
//! tried. If every candidate is refused, the error lists each.

mod append;
mod blobs;
mod call;
mod exchange;
mod lists;
mod manifests;
mod parts;
mod referrers;
mod send;
mod uploads;

pub use append::change::{Merge, Write};
pub(crate) use append::queue::WriteQueues;
pub use append::{Advance, Append, TagUpdate};
pub use manifests::PushedManifest;
pub use parts::{PART, Parts};
pub use referrers::{ListedBy, PushedReferrer};
pub use send::Remote;
