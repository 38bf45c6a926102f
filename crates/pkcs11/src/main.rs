//! `sigstore-kms-pkcs11`: signs with keys of PKCS#11 tokens, as a plugin of windlass, cosign and whatever else
//! has sigstore's Go library in it.
//!
//! A program of its own, because a token's driver is a library of its vendor: a static program cannot load
//! one, and one that crashes shall not take the controller with it. Each run does one thing, so a token
//! that was unplugged, or a driver that hangs, concerns one signature.
//!
//! Protocol: sigstore/sigstore, `pkg/signature/kms/cliplugin`, version 1. Keys are named by the URIs of
//! RFC 7512, without their `pkcs11:`. Arguments may be read by other users, so no PIN is taken from them.

use std::process::ExitCode;

use self::protocol::Request;

mod create;
mod ecdsa;
mod environment;
mod error;
mod hash;
mod key;
mod module;
mod pin;
mod protocol;
mod respond;
mod sign;
mod token;
mod uri;

const USAGE: &str = "sigstore-kms-pkcs11 is a plugin: windlass, cosign and the like run it with `v1` and a JSON \
                     object as arguments. Name a key to them, as in\n  \
                     windlass public-key --key 'pkcs11:token=TOKEN;object=LABEL'";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.len() != 2 {
        return protocol::refuse(USAGE);
    }
    let response =
        Request::read(&arguments[0], &arguments[1]).and_then(|request| respond::to(&request));
    protocol::print(&response)
}
