//! Checkpoints: the size and the root of a log's tree, signed by the log. Source: the checkpoint and note
//! formats of transparency.dev (C2SP `tlog-checkpoint`, `signed-note`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::merkle::Hash;
use crate::key::PublicKey;

/// Most bytes of a checkpoint.
const LONGEST: usize = 16 << 10;
/// Most signatures of a checkpoint that are tried.
const MOST_SIGNATURES: usize = 32;
/// Bytes before a signature that hint at its key.
const HINT: usize = 4;
/// Kinds of keys in signed notes, and what is added to name that of RSA.
const ED25519: u8 = 1;
const NAMED: u8 = 0xff;
const RSA: &str = "PKIX-RSA-PKCS#1v1.5";

/// A checkpoint as it stands, its signature not looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checkpoint<'t> {
    /// What is signed.
    text: &'t str,
    /// What the log calls itself.
    origin: &'t str,
    /// The lines with signatures.
    signatures: &'t str,
    /// Leaves of the tree.
    pub(super) size: u64,
    /// The root of the tree.
    pub(super) root: Hash,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It has another form.
    #[error("it is malformed")]
    Malformed,
    /// None of its signatures is by the key of the log.
    #[error("the log did not sign it")]
    Signature,
    /// It is of a log of another name.
    #[error("it is of a log of another name")]
    Origin,
}

impl<'t> Checkpoint<'t> {
    pub(super) fn parse(note: &'t str) -> Result<Self, CheckpointError> {
        const MALFORMED: CheckpointError = CheckpointError::Malformed;
        if note.len() > LONGEST {
            return Err(MALFORMED);
        }
        let end = note.rfind("\n\n").ok_or(MALFORMED)?;
        let (text, signatures) = (&note[..=end], &note[end + 2..]);
        let mut lines = text.lines();
        let origin = lines.next().ok_or(MALFORMED)?;
        let size = lines.next().ok_or(MALFORMED)?;
        // one number has one form
        let is_plain = size == "0" || !size.starts_with(['0', '+']);
        let size = size.parse().ok().filter(|_| is_plain).ok_or(MALFORMED)?;
        let root = STANDARD.decode(lines.next().ok_or(MALFORMED)?);
        let root = root.ok().and_then(|root| root.try_into().ok());
        if origin.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self {
            text,
            origin,
            signatures,
            size,
            root: root.ok_or(MALFORMED)?,
        })
    }

    /// Checks that the log with this key and name signed it: the line with its signature has that name
    /// and the hint at that key.
    pub(super) fn check_named(&self, key: &PublicKey, origin: &str) -> Result<(), CheckpointError> {
        if self.origin != origin {
            return Err(CheckpointError::Origin);
        }
        let id = key_id(key, origin);
        let start = format!("\u{2014} {origin} ");
        let lines = self.signatures.lines().take(MOST_SIGNATURES);
        let mut signatures = lines.filter_map(|line| {
            let bytes = STANDARD.decode(line.strip_prefix(&start)?).ok()?;
            let (hint, signature) = bytes.split_at_checked(HINT)?;
            id.starts_with(hint).then(|| signature.to_vec())
        });
        let is_theirs = signatures.any(|one| key.verify(self.text.as_bytes(), &one).is_ok());
        if is_theirs {
            Ok(())
        } else {
            Err(CheckpointError::Signature)
        }
    }

    /// Checks that the log with this key signed it.
    pub(super) fn check(&self, key: &PublicKey) -> Result<(), CheckpointError> {
        let signatures = self.signatures.lines().take(MOST_SIGNATURES);
        let mut signatures = signatures.filter_map(signature);
        let is_theirs = signatures.any(|one| key.verify(self.text.as_bytes(), &one).is_ok());
        if is_theirs {
            Ok(())
        } else {
            Err(CheckpointError::Signature)
        }
    }
}

/// What names a key under a name in signed notes; for ECDSA the name does not count.
pub(super) fn key_id(key: &PublicKey, origin: &str) -> Hash {
    let hash = Sha256::new();
    let hash = match key.ed25519_bytes() {
        Some(bytes) => {
            let hash = hash.chain_update(origin).chain_update([b'\n', ED25519]);
            hash.chain_update(bytes)
        }
        None if key.is_ecdsa() => hash.chain_update(key.der()),
        None => {
            let hash = hash.chain_update(origin).chain_update([b'\n', NAMED]);
            hash.chain_update(RSA).chain_update(key.der())
        }
    };
    hash.finalize().into()
}

/// The signature in a line.
fn signature(line: &str) -> Option<Vec<u8>> {
    let (_, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let mut bytes = STANDARD.decode(encoded).ok()?;
    (bytes.len() > HINT).then(|| bytes.split_off(HINT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::generate_p256(&[seed; 32]).unwrap()
    }

    fn signed(text: &str, seed: u8) -> String {
        let signature = key(seed).sign(text.as_bytes()).unwrap();
        let line = STANDARD.encode([&[1, 2, 3, 4], &signature[..]].concat());
        format!("{text}\n\u{2014} log.example {line}\n")
    }

    fn text(size: &str) -> String {
        format!("log.example - 7\n{size}\n{}\n", STANDARD.encode([9; 32]))
    }

    #[test]
    fn a_checkpoint_is_read_and_its_signature_checked_with_the_key_of_the_log() {
        let note = signed(&text("12"), 1);
        let checkpoint = Checkpoint::parse(&note).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (12, [9; 32]));
        assert_eq!(checkpoint.check(key(1).public_key()), Ok(()));
        let other = checkpoint.check(key(2).public_key());
        assert_eq!(other, Err(CheckpointError::Signature));
        let changed = note.replacen("12", "13", 1);
        let changed = Checkpoint::parse(&changed).unwrap();
        assert_eq!(
            changed.check(key(1).public_key()),
            Err(CheckpointError::Signature)
        );
    }

    #[test]
    fn the_signature_of_a_witness_beside_that_of_the_log_is_no_trouble() {
        let mut note = signed(&text("12"), 1);
        note.push_str(signed(&text("12"), 2).rsplit("\n\n").next().unwrap());
        let checkpoint = Checkpoint::parse(&note).unwrap();
        for seed in [1, 2] {
            assert_eq!(checkpoint.check(key(seed).public_key()), Ok(()));
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let good = signed(&text("12"), 1);
        for note in [
            String::new(),
            "\n\n".to_owned(),
            text("12"),
            good.replacen("12", "012", 1),
            good.replacen("12", "+12", 1),
            good.replacen("12", "-1", 1),
            good.replacen("12", "18446744073709551616", 1),
            good.replacen(&STANDARD.encode([9; 32]), &STANDARD.encode([9; 31]), 1),
            good.replacen("log.example - 7", "", 1),
            format!("{}{good}", "x".repeat(LONGEST)),
        ] {
            let parsed = Checkpoint::parse(&note);
            assert_eq!(parsed, Err(CheckpointError::Malformed), "{note:.100}");
        }
    }
}
