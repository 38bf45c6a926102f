//! Text of a length, in place of what a signer would write.

/// Lengths of what windlass writes for a run of `load`, in characters or bytes.
pub(crate) const ANNOTATIONS: [(&str, usize); 4] = [
    ("payload", 1_784),
    ("signature", 2_704),
    ("cert", 0),
    ("chain", 0),
];
pub(crate) const SEAL: usize = 256;
pub(crate) const ENVELOPE: usize = 2_000;
pub(crate) const SIMPLE_SIGNING: usize = 240;
pub(crate) const LAYER_SIGNATURE: usize = 96;
/// Media types of the layers.
pub(crate) const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
pub(crate) const SIMPLE_SIGNING_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Letters that nothing compresses, the same for the same name.
#[derive(Debug)]
pub(crate) struct Text(fastrand::Rng);

impl Text {
    pub(crate) fn new(name: &str) -> Self {
        let bytes = name.bytes();
        let seed = bytes.fold(7_u64, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn take(&mut self, length: usize) -> String {
        let letters = (0..length).map(|_| char::from(LETTERS[self.0.usize(..LETTERS.len())]));
        letters.collect()
    }
}
