//! What is attached to an image, as far as a given key signed it.

use windlass_core::key::PublicKey;
use windlass_core::verify::{self, Claim, Expected, Story};
use windlass_registry::Digest;

use super::bounds::STORIES;
use super::told::Told;
use crate::inspect::image::ResolvedImage;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};
use crate::store::oci::attached::AttachedError;

/// Most statements of one image that are read for what they tell.
const READ: usize = 32;

/// What is known of an image.
#[derive(Debug, Default)]
pub(super) struct Signed {
    /// The provenances that a key signed.
    pub(super) told: Vec<Told>,
    /// How many things a key signed.
    pub(super) valid: usize,
    /// How many things were found.
    pub(super) found: usize,
}

/// A key as it is shown.
pub(crate) fn name_of(key: &PublicKey) -> String {
    format!("{} ({})", key.key_id(), key.algorithm())
}

/// Reads what is attached to an image.
pub(super) async fn read(
    image: &ResolvedImage,
    keys: &[PublicKey],
) -> Result<Signed, AttachedError> {
    let ResolvedImage {
        remote,
        tags,
        digest,
    } = image;
    let mut signed = Signed::default();
    let mut statements = 0;
    let wanted = Wanted::Image {
        remote,
        tags,
        digest,
    };
    wanted
        .each(|found| signed.judge(found, digest, keys, &mut statements))
        .await?;
    Ok(signed)
}

impl Signed {
    fn judge(&mut self, found: Found, digest: &Digest, keys: &[PublicKey], statements: &mut usize) {
        match found.evidence {
            Evidence::Signature {
                payload, signature, ..
            } => {
                self.found += 1;
                let payload = payload.unwrap_or_default();
                let is_valid = |key: &PublicKey| {
                    let digest = Some(digest.as_str());
                    verify::image_signature(&payload, &signature, key, digest).holds()
                };
                self.valid += usize::from(keys.iter().any(is_valid));
            }
            Evidence::Statement { envelope, .. } => {
                self.found += 1;
                *statements += 1;
                if *statements > READ {
                    return;
                }
                let expected = Expected {
                    subject: Some(Claim {
                        algorithm: digest.algorithm().to_owned(),
                        digest: digest.hex().to_owned(),
                    }),
                    ..Expected::default()
                };
                let signs =
                    |key: &&PublicKey| verify::attestation(&envelope, key, &expected).holds();
                let Some(key) = keys.iter().find(signs) else {
                    return;
                };
                self.valid += 1;
                let payload = envelope.decode_payload().unwrap_or_default();
                if let Some(story) = Story::of(&payload) {
                    self.tell(story, key, found.place);
                }
            }
            Evidence::Damaged(_) => self.found += 1,
            Evidence::Other(_) => {}
        }
    }

    fn tell(&mut self, story: Story, key: &PublicKey, place: String) {
        let is_known = self.told.iter().any(|told| told.story == story);
        if self.told.len() < STORIES && !is_known {
            let key = name_of(key);
            self.told.push(Told { story, key, place });
        }
    }
}
