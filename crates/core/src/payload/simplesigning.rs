//! The format `simplesigning`: docs/behaviour.md, "Simple signing".

use std::collections::BTreeMap;

use crate::image::Image;
use crate::json::{Json, Object};

/// What a signature says of an image besides its digest. None of it is checked by whoever signs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageClaims {
    /// What the image is called, in the place of its repository.
    pub identity: Option<String>,
    /// Values by their names.
    pub annotations: BTreeMap<String, String>,
}

pub(super) fn bytes(image: &Image, claims: &ImageClaims) -> Vec<u8> {
    let ImageClaims {
        identity,
        annotations,
    } = claims;
    let name = identity.clone().unwrap_or_else(|| image.repository());
    let identity = Object::default().with("docker-reference", name);
    let digest = Object::default().with("docker-manifest-digest", image.digest());
    let critical = Object::default()
        .with("identity", identity)
        .with("image", digest)
        .with("type", "cosign container image signature");
    let optional = if annotations.is_empty() {
        Json::Null
    } else {
        texts(annotations)
    };
    let document = Object::default()
        .with("critical", critical)
        .with("optional", optional);
    Json::from(document).to_go().into_bytes()
}

/// The annotations as an object.
pub(super) fn texts(annotations: &BTreeMap<String, String>) -> Json<'_> {
    let members = annotations.iter();
    Json::text_object(members.map(|(name, value)| (name.as_str(), value.as_str())))
}
