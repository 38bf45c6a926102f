//! The image layout: blobs by their digests, and an index that names the image.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::root::{AUTHORITIES, Layer, PROGRAM, USER};

/// The only time in the image.
const EPOCH: &str = "1970-01-01T00:00:00Z";
/// The file by which a folder is known as a layout.
const MARKER: &str = "oci-layout";

/// What was written.
pub(super) struct Image {
    /// Digest of its manifest.
    pub(super) digest: String,
    /// Bytes of all files.
    pub(super) bytes: u64,
}

/// Writes the layout, in place of one that is there.
pub(super) fn write(folder: &Path, tag: &str, architecture: &str, layer: &Layer) -> Result<Image> {
    clear(folder)?;
    fs::create_dir_all(folder.join("blobs/sha256"))
        .with_context(|| format!("creating {}", folder.display()))?;
    let mut files = Files { folder, bytes: 0 };
    let stored = files.blob(
        "application/vnd.oci.image.layer.v1.tar+gzip",
        &layer.compressed,
    )?;
    let config = config(architecture, &digest(&layer.content));
    let config = files.blob("application/vnd.oci.image.config.v1+json", &text(&config)?)?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [stored],
    });
    let mut manifest = files.blob(media_type, &text(&manifest)?)?;
    let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
    manifest["platform"] = json!({ "architecture": architecture, "os": "linux" });
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    files.write("index.json", &text(&index)?)?;
    files.write(MARKER, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let bytes = files.bytes;
    Ok(Image { digest, bytes })
}

/// Removes an earlier layout. A folder with anything else in it is left alone.
fn clear(folder: &Path) -> Result<()> {
    if folder.join(MARKER).is_file() {
        return fs::remove_dir_all(folder)
            .with_context(|| format!("clearing {}", folder.display()));
    }
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    ensure!(
        is_free,
        "{} exists and is no image layout; choose another folder with --output",
        folder.display()
    );
    Ok(())
}

/// How the image runs: as the controller unless arguments say otherwise.
fn config(architecture: &str, content: &str) -> Value {
    let user = format!("{USER}:{USER}");
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "created": EPOCH,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": user,
            "WorkingDir": "/home/nonroot",
            "Entrypoint": [format!("/{PROGRAM}")],
            "Cmd": ["controller"],
            "Env": ["PATH=/usr/bin", format!("SSL_CERT_FILE=/{AUTHORITIES}")],
            "ExposedPorts": { "8080/tcp": {}, "9090/tcp": {} },
            "Labels": {
                "org.opencontainers.image.title": "windlass",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [content] },
        "history": [{ "created": EPOCH, "created_by": "xtask image" }],
    })
}

/// A document as it is stored. Members are in one order on every machine.
fn text(document: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(document).context("writing JSON")
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

/// The files of a layout.
struct Files<'a> {
    folder: &'a Path,
    bytes: u64,
}

impl Files<'_> {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        self.bytes += u64::try_from(bytes.len())?;
        Ok(())
    }

    /// Adds a blob, and gives its descriptor.
    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let digest = digest(bytes);
        let name = digest.replacen(':', "/", 1);
        self.write(&format!("blobs/{name}"), bytes)?;
        Ok(json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() }))
    }
}
