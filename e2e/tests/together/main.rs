//! The scenarios that run beside each other: each has a folder, ports and servers of its own, and most of its time
//! one waits for its servers.

mod attestation;
mod cloud_kms;
mod crash;
mod differential;
mod exchange;
mod installed;
mod keyless;
mod keys;
mod kms;
mod kms_logged;
mod lines;
mod matrix;
mod memory;
mod operator;
mod pipeline;
mod pkcs11;
mod private_registry;
mod readme;
mod registry_writers;
mod rekor_v2;
mod rotation;
mod saved_images;
mod section_a;
mod section_b;
mod several_logs;
mod sign;
mod sign_v2;
mod signed_by_cosign;
mod swap;
mod tampering;
mod transparency;
mod tuf_mirror;
mod tutorials;
mod two_tenants;
mod without_a_key;
