//! Image references: what is accepted reads back as itself, with or without a tag.

#![no_main]

use libfuzzer_sys::fuzz_target;
use windlass_core::image::Image;
use windlass_core::payload::Payload;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // Half of all inputs get a good digest, so that names are reached at once.
    let full = format!("{text}@sha256:{}", "0123456789abcdef".repeat(4));
    for reference in [text, &full] {
        if let Ok(image) = Image::parse(reference) {
            check(&image);
        }
    }
});

fn check(image: &Image) {
    let written = image.to_string();
    assert_eq!(
        written,
        format!("{}@{}", image.repository(), image.digest())
    );
    // Chains counts the path's letters before it puts `library/` in front.
    if image.path().len() <= 255 {
        assert_eq!(Image::parse(&written).as_ref(), Ok(image), "{written:?}");
        let tagged = format!("{}:v1@{}", image.repository(), image.digest());
        assert_eq!(Image::parse(&tagged).as_ref(), Ok(image), "{tagged:?}");
    }
    assert_eq!((image.hex().len(), image.short_key().len()), (64, 12));
    assert!((2..=263).contains(&image.path().len()), "{written:?}");

    let payload = Payload::of_image(image);
    let json: serde_json::Value = serde_json::from_slice(&payload.bytes).expect("JSON");
    let critical = &json["critical"];
    assert_eq!(critical["image"]["docker-manifest-digest"], image.digest());
    assert_eq!(critical["identity"]["docker-reference"], image.repository());
}
