//! A repository, with the credentials to use there.
//!
//! A request goes out with the candidate that worked last. A response of 401 is looked at for a
//! challenge, which is answered once; 401 or 403 after that means that the candidate is not
//! allowed, and the next one is tried. Only when all were refused is that an error, and it lists
//! each.

mod append;
mod blobs;
mod call;
mod exchange;
mod lists;
mod manifests;
mod referrers;
mod send;
mod uploads;

pub use append::TagUpdate;
pub use append::change::{Merge, Write};
pub(crate) use append::queue::WriteQueues;
pub use manifests::PushedManifest;
pub use referrers::{ListedBy, PushedReferrer};
pub use send::Remote;
