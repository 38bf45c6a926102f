//! What is uploaded for a signed artifact, and for which images: as the encoding of the settings and
//! the format of the payload want it.

use windlass_core::config::Storage;
use windlass_core::format::Format;
use windlass_core::image::Image;
use windlass_core::payload::Payload;
use windlass_core::run::Run;
use windlass_core::signed::{Artifact, Signed};
use windlass_core::terminal::quoted;

use super::bundle::Bundle;
use super::layer::Layer;
use super::layout::Layout;
use super::place::image_of;

/// Something to be attached to an image.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) image: Image,
    pub(super) content: Content,
}

/// What is attached. Clones share the content.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Layer(Layer),
    Bundle(Bundle),
}

/// The uploads of an artifact. What has no place in a registry is told in a warning.
pub(super) fn uploads(
    run: &Run<'_>,
    signed: &Signed,
    storage: &Storage,
    warnings: &mut Vec<String>,
) -> Vec<Upload> {
    let images = images(&signed.artifact, &signed.payload, warnings);
    if images.is_empty() {
        return Vec::new();
    }
    let contents = contents(run, signed, storage);
    let uploads = images.into_iter().flat_map(|image| {
        contents.iter().map(move |content| Upload {
            image: image.clone(),
            content: content.clone(),
        })
    });
    uploads.collect()
}

/// The images that an artifact is about: itself, or the subjects of its statement.
pub(super) fn images(
    artifact: &Artifact,
    payload: &Payload,
    warnings: &mut Vec<String>,
) -> Vec<Image> {
    let format = payload.format;
    match artifact {
        Artifact::Image(image) => return vec![image.clone()],
        Artifact::File => return Vec::new(),
        Artifact::Run { .. } if format.is_statement() => {}
        Artifact::Run { .. } => {
            warnings.push(format!(
                "nothing was stored in a registry: the format {format} has no subjects"
            ));
            return Vec::new();
        }
    }
    let mut images = Vec::new();
    for subject in &payload.subjects {
        let sha256 = subject.digest.get("sha256").map_or("", String::as_str);
        match image_of(&subject.name, sha256) {
            Ok(image) => images.push(image),
            Err(error) => warnings.push(format!(
                "nothing was attached to {}, which is not an image: {error}",
                quoted(&subject.name)
            )),
        }
    }
    images
}

fn contents(run: &Run<'_>, signed: &Signed, storage: &Storage) -> Vec<Content> {
    // runs that build one image sign it with the same bytes, which are attached once
    let created = match signed.artifact {
        Artifact::Image(_) => None,
        Artifact::Run { .. } | Artifact::File => run.completion_time(),
    };
    let layouts = layouts(signed.payload.format, storage).into_iter();
    let contents = layouts.filter_map(|layout| match layout {
        Layout::Tag => Some(Content::Layer(Layer::of(signed))),
        Layout::Bundle => Bundle::of(signed, created).map(Content::Bundle),
    });
    contents.collect()
}

/// In which layouts a format is attached.
fn layouts(format: Format, storage: &Storage) -> Vec<Layout> {
    let encoding = storage.oci_encoding;
    match format {
        // each is the one form of an image's signature in its encoding
        Format::SimpleSigning => vec![Layout::Tag],
        Format::ImageStatement => vec![Layout::Bundle],
        Format::Content => Vec::new(),
        Format::Tekton
        | Format::SlsaV1
        | Format::SlsaV2Alpha3
        | Format::SlsaV2Alpha4
        | Format::Statement => {
            let tag = encoding.in_tags().then_some(Layout::Tag);
            let bundle = encoding.in_bundles().then_some(Layout::Bundle);
            tag.into_iter().chain(bundle).collect()
        }
    }
}

/// In which layouts something signed is attached; none if it has no image.
pub(crate) fn layouts_of(signed: &Signed, storage: &Storage) -> Vec<Layout> {
    if images(&signed.artifact, &signed.payload, &mut Vec::new()).is_empty() {
        return Vec::new();
    }
    layouts(signed.payload.format, storage)
}
