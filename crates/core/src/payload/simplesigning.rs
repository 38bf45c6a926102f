//! The format `simplesigning`: docs/behaviour.md, "Simple signing".

use crate::image::Image;
use crate::json::{Json, Object};

pub(super) fn bytes(image: &Image) -> Vec<u8> {
    let identity = Object::default().with("docker-reference", image.repository());
    let digest = Object::default().with("docker-manifest-digest", image.digest());
    let critical = Object::default()
        .with("identity", identity)
        .with("image", digest)
        .with("type", "cosign container image signature");
    let document = Object::default()
        .with("critical", critical)
        .with("optional", Json::Null);
    Json::from(document).to_go().into_bytes()
}
