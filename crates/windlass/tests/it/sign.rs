//! `sign`, `attest`, `sign-blob`, `attest-blob` and `import-key-pair`: what they make is verified, once.

mod files;
mod images;
#[cfg(feature = "sigstore")]
mod keyless;
mod keys;
#[cfg(feature = "sigstore")]
mod other_keys;
mod scene;
mod services;
#[cfg(feature = "sigstore")]
mod several;
#[cfg(feature = "sigstore")]
mod version_two;
