//! Facts about blobs that are copied in parts.

use bytes::Bytes;
use windlass_registry::manifest::Descriptor;
use windlass_registry::{Digest, Error, PART, Remote};
use windlass_sandbox::registry::{Fault, FaultAnswer, Options};

use crate::at::start;

/// A blob that takes three parts.
fn large() -> Bytes {
    let size = usize::try_from(2 * PART + 5).unwrap();
    (0..size)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

async fn copy(from: &Remote, to: &Remote, blob: &Descriptor) -> Result<(), Error> {
    let mut parts = from.blob_parts(blob);
    let next = async |_| Ok::<_, Error>(parts.next().await?.unwrap_or_default());
    to.push_parts(&blob.digest, blob.size, next).await?;
    parts.finish()
}

#[tokio::test]
async fn a_blob_of_any_size_is_copied_with_one_part_in_memory() {
    let at = start(Options::default()).await;
    let (from, to) = (at.remote("team/app"), at.remote("team/mirror"));
    for content in [Bytes::new(), Bytes::from_static(b"small"), large()] {
        let digest = at.registry.put_blob("team/app", content.clone());
        assert_eq!(digest, Digest::of(&content).as_str());
        let blob = Descriptor::of("text/plain", &content);
        at.registry.clear_requests();
        copy(&from, &to, &blob).await.unwrap();
        let parts = at.registry.count("GET", "/blobs/") as u64;
        assert_eq!(parts, blob.size.div_ceil(PART));
        let copied = to.get_blob(&blob.digest, content.len()).await.unwrap();
        assert_eq!(copied.unwrap(), content);
    }
}

#[tokio::test]
async fn a_part_that_is_not_what_was_named_is_never_taken_for_the_blob() {
    let at = start(Options::default()).await;
    let (from, to) = (at.remote("team/app"), at.remote("team/mirror"));
    for content in [Bytes::from_static(b"small"), large()] {
        at.registry.put_blob("team/app", content.clone());
        let blob = Descriptor::of("text/plain", &content);
        let mut fault = Fault::new("GET", "/blobs/", FaultAnswer::WrongContent);
        fault.times = 1;
        at.registry.fail(fault);
        let copied = copy(&from, &to, &blob).await;
        assert!(copied.is_err(), "{} bytes", content.len());
        assert_eq!(to.head_blob(&blob.digest).await.unwrap(), None);
    }
    // a descriptor that states another size
    let mut lie = Descriptor::of("text/plain", &large());
    lie.size -= 1;
    assert!(copy(&from, &to, &lie).await.is_err());
    lie.size = 4;
    lie.digest = Digest::of(b"small");
    assert!(copy(&from, &to, &lie).await.is_err());
}

#[tokio::test]
async fn a_blob_that_exists_or_can_be_mounted_is_not_copied() {
    let at = start(Options::default()).await;
    let (from, to) = (at.remote("team/app"), at.remote("team/mirror"));
    at.registry.put_blob("team/app", "layer");
    let digest = Digest::of(b"layer");
    assert!(!to.has_or_mounts(&digest, None).await.unwrap());
    assert!(
        !to.has_or_mounts(&digest, Some(to.repository()))
            .await
            .unwrap()
    );
    assert!(
        to.has_or_mounts(&digest, Some(from.repository()))
            .await
            .unwrap()
    );
    assert!(to.has_or_mounts(&digest, None).await.unwrap());
}
