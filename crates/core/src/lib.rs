//! The pure core of windlass: runs, what is attested about them, and how that is encoded and
//! signed.

pub mod annotation;
pub mod artifact;
pub mod certificate;
pub mod config;
pub mod decide;
pub mod dsse;
pub mod error;
pub mod explain;
pub mod extract;
pub mod format;
pub mod hex;
pub mod identity_token;
pub mod image;
pub mod intoto;
pub mod json;
pub mod key;
pub mod network;
pub mod payload;
pub mod percent;
pub mod recent;
pub mod retry;
pub mod run;
pub mod seal;
pub mod signed;
pub mod tekton;
pub mod terminal;
pub mod time_range;
pub mod timestamp;
pub mod tlog;
pub mod trusted_root;
pub mod verify;
pub mod warning;
