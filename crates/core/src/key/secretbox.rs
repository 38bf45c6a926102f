//! `NaCl`'s secretbox, the cipher of cosign's key file: `XSalsa20`, with a `Poly1305` tag in front of
//! the ciphertext.
//!
//! It is made here of the two primitives. `crypto_secretbox` 0.1 is the crate for it, but rests on
//! an older generation of the `RustCrypto` crates and would bring seven of them in twice.
//! Source: D. J. Bernstein, "Cryptography in `NaCl`".

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

const TAG_SIZE: usize = 16;

/// The message inside `sealed`; `None` if the key is another one or the box is damaged.
pub(super) fn open(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, ciphertext) = sealed.split_first_chunk::<TAG_SIZE>()?;
    let (mut stream, mac) = start(key, nonce);
    let expected = mac.compute_unpadded(ciphertext);
    if !bool::from(expected.as_slice().ct_eq(tag)) {
        return None;
    }
    let mut message = Zeroizing::new(ciphertext.to_vec());
    stream.apply_keystream(&mut message);
    Some(message)
}

/// `message` under the key. The nonce must never be used again with it.
pub(super) fn seal(key: &[u8; 32], nonce: &[u8; 24], message: &[u8]) -> Vec<u8> {
    let (mut stream, mac) = start(key, nonce);
    // large enough from the start: growing would leave a copy of the message behind
    let mut sealed = Vec::with_capacity(TAG_SIZE + message.len());
    sealed.resize(TAG_SIZE, 0);
    sealed.extend_from_slice(message);
    let (tag, text) = sealed.split_at_mut(TAG_SIZE);
    stream.apply_keystream(text);
    tag.copy_from_slice(&mac.compute_unpadded(text));
    sealed
}

/// The stream from its 33rd byte on, and the tag's hash, whose key the first 32 bytes are.
fn start(key: &[u8; 32], nonce: &[u8; 24]) -> (XSalsa20, Poly1305) {
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut mac_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(&mut *mac_key);
    let mac = Poly1305::new((&*mac_key).into());
    (stream, mac)
}

#[cfg(test)]
mod tests {
    use super::{TAG_SIZE, open, seal};

    // the example of "Cryptography in NaCl"
    const KEY: &str = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389";
    const NONCE: &str = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
    const MESSAGE: &str = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc\
        e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31\
        0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde\
        048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864\
        5e0705";
    const SEALED: &str = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce\
        48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972\
        71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae\
        90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3\
        7973f622a43d14a6599b1f654cb45a74e355a5";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| str::from_utf8(pair).unwrap());
        digits
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    fn key_and_nonce() -> ([u8; 32], [u8; 24]) {
        (
            bytes(KEY).try_into().unwrap(),
            bytes(NONCE).try_into().unwrap(),
        )
    }

    #[test]
    fn the_published_example_is_sealed_to_the_published_box_and_opens() {
        let (key, nonce) = key_and_nonce();
        assert_eq!(seal(&key, &nonce, &bytes(MESSAGE)), bytes(SEALED));
        assert_eq!(*open(&key, &nonce, &bytes(SEALED)).unwrap(), bytes(MESSAGE));
    }

    #[test]
    fn a_box_opens_for_messages_of_every_length_around_a_block() {
        let (key, nonce) = key_and_nonce();
        for length in 0..=130 {
            let message: Vec<u8> = (0..length).collect();
            let sealed = seal(&key, &nonce, &message);
            assert_eq!(sealed.len(), message.len() + TAG_SIZE);
            assert_eq!(*open(&key, &nonce, &sealed).unwrap(), message);
        }
    }

    #[test]
    fn a_change_of_any_byte_keeps_the_box_shut() {
        let (key, nonce) = key_and_nonce();
        let sealed = bytes(SEALED);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 0x80;
            assert!(open(&key, &nonce, &damaged).is_none(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(
                open(&key, &nonce, &sealed[..length]).is_none(),
                "{length} bytes"
            );
        }
        for at in 0..key.len() {
            let mut other = key;
            other[at] ^= 1;
            assert!(open(&other, &nonce, &sealed).is_none(), "key byte {at}");
        }
        for at in 0..nonce.len() {
            let mut other = nonce;
            other[at] ^= 1;
            assert!(open(&key, &other, &sealed).is_none(), "nonce byte {at}");
        }
    }
}
