//! What is attached to an image, as far as somebody who is expected signed it.

use windlass_core::verify::{self, Claim, Expected, Story};
use windlass_registry::Digest;

use super::bounds::STORIES;
use super::told::Told;
use crate::inspect::image::ResolvedImage;
use crate::inspect::verify::ExpectedSigner;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};
use crate::store::oci::attached::AttachedError;

/// Most statements of one image that are read for what they tell.
const READ: usize = 32;

/// What is known of an image.
#[derive(Debug, Default)]
pub(super) struct Signed {
    /// The provenances that somebody who is expected signed.
    pub(super) told: Vec<Told>,
    /// How many things they signed.
    pub(super) valid: usize,
    /// How many things were found.
    pub(super) found: usize,
}

/// Reads what is attached to an image.
pub(super) async fn read(
    image: &ResolvedImage,
    signers: &[ExpectedSigner],
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
        .each(|found| signed.judge(found, digest, signers, &mut statements))
        .await?;
    Ok(signed)
}

impl Signed {
    fn judge(
        &mut self,
        found: Found,
        digest: &Digest,
        signers: &[ExpectedSigner],
        statements: &mut usize,
    ) {
        match found.evidence {
            Evidence::Signature {
                payload,
                signature,
                material,
            } => {
                self.found += 1;
                let payload = payload.unwrap_or_default();
                let is_valid = |signer: &ExpectedSigner| {
                    let signed = signer.message(&payload, &signature, &material);
                    verify::image_payload(&payload, signed, Some(digest.as_str())).holds()
                };
                self.valid += usize::from(signers.iter().any(is_valid));
            }
            Evidence::Statement {
                envelope, material, ..
            } => {
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
                let signs = |signer: &&ExpectedSigner| {
                    let outcome = signer.attestation(&envelope, &material, &expected);
                    outcome.holds()
                };
                let Some(signer) = signers.iter().find(signs) else {
                    return;
                };
                self.valid += 1;
                let payload = envelope.decode_payload().unwrap_or_default();
                if let Some(story) = Story::of(&payload) {
                    self.tell(story, signer, found.place);
                }
            }
            Evidence::Damaged(_) => self.found += 1,
            Evidence::Other(_) => {}
        }
    }

    fn tell(&mut self, story: Story, signer: &ExpectedSigner, place: String) {
        let is_known = self.told.iter().any(|told| told.story == story);
        if self.told.len() < STORIES && !is_known {
            let key = signer.describe();
            self.told.push(Told { story, key, place });
        }
    }
}
