//! windlass on the command line, as a person types it, against servers on loopback.
//!
//! One program, so that everything it needs is linked once. Each module is about some verbs.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

mod attest;
mod audit;
mod blob;
#[cfg(target_os = "linux")]
mod controller;
#[cfg(all(feature = "sandbox", feature = "sigstore"))]
mod demo;
mod describe;
#[cfg(feature = "sandbox")]
mod dev;
mod docs;
#[cfg(feature = "sandbox")]
mod doctor;
mod envelope;
mod install;
#[cfg(feature = "sandbox")]
mod json;
mod key_url;
#[cfg(all(feature = "sandbox", feature = "sigstore"))]
mod keyless;
mod kms;
mod kms_clouds;
mod lenient;
#[cfg(feature = "sandbox")]
mod migrate;
#[cfg(target_os = "linux")]
mod plugin;
#[cfg(feature = "sandbox")]
mod readme;
#[cfg(feature = "sandbox")]
mod registry;
#[cfg(target_os = "linux")]
mod resign;
mod run_verbs;
mod scene;
#[cfg(feature = "sandbox")]
mod shape;
mod shell;
#[cfg(feature = "sandbox")]
mod sign;
#[cfg(feature = "sandbox")]
mod trace;
#[cfg(feature = "sandbox")]
mod transcripts;
mod transfer;
#[cfg(feature = "sandbox")]
mod verify;
