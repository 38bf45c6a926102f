//! The root file system of the image, and the layer that has it.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::program::Program;

/// The user of the image, whom distroless images call so too.
pub(super) const USER: u64 = 65532;
/// Where the program is.
pub(super) const PROGRAM: &str = "usr/bin/windlass";
/// Where libraries look for certificate authorities.
pub(super) const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\n\
                      nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnonroot:x:65532:\n";
/// Hosts are looked for in /etc/hosts and by DNS.
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

/// What is at a path.
enum Node<'a> {
    Folder { mode: u32, owner: u64 },
    File { mode: u32, content: &'a [u8] },
}

/// Everything in the image, parents before children.
pub(super) struct Root<'a>(Vec<(&'static str, Node<'a>)>);

/// A layer as it is stored, and the digest of what it unpacks to.
pub(super) struct Layer {
    pub(super) compressed: Vec<u8>,
    pub(super) content: Vec<u8>,
}

impl<'a> Root<'a> {
    pub(super) fn new(program: &'a Program, authorities: &'a [u8]) -> Self {
        let folder = || Node::Folder {
            mode: 0o755,
            owner: 0,
        };
        let file = |content| Node::File {
            mode: 0o644,
            content,
        };
        let program = Node::File {
            mode: 0o755,
            content: &program.bytes,
        };
        let home = Node::Folder {
            mode: 0o700,
            owner: USER,
        };
        let shared = Node::Folder {
            mode: 0o1777,
            owner: 0,
        };
        Self(vec![
            ("etc", folder()),
            ("etc/group", file(GROUP.as_bytes())),
            ("etc/nsswitch.conf", file(NSSWITCH.as_bytes())),
            ("etc/passwd", file(PASSWD.as_bytes())),
            ("etc/ssl", folder()),
            ("etc/ssl/certs", folder()),
            (AUTHORITIES, file(authorities)),
            ("home", folder()),
            ("home/nonroot", home),
            ("tmp", shared),
            ("usr", folder()),
            ("usr/bin", folder()),
            (PROGRAM, program),
        ])
    }

    /// The layer with all of it.
    pub(super) fn layer(&self) -> Result<Layer> {
        let mut archive = Builder::new(Vec::new());
        for (path, node) in &self.0 {
            let mut header = Header::new_ustar();
            header.set_mtime(0);
            let content: &[u8] = match *node {
                Node::Folder { mode, owner } => {
                    header.set_entry_type(EntryType::Directory);
                    header.set_mode(mode);
                    header.set_uid(owner);
                    header.set_gid(owner);
                    &[]
                }
                Node::File { mode, content } => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_mode(mode);
                    header.set_uid(0);
                    header.set_gid(0);
                    content
                }
            };
            header.set_size(u64::try_from(content.len())?);
            let added = archive.append_data(&mut header, path, content);
            added.with_context(|| format!("adding {path} to the layer"))?;
        }
        let content = archive.into_inner().context("ending the layer")?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        std::io::Write::write_all(&mut encoder, &content).context("compressing the layer")?;
        let compressed = encoder.finish().context("compressing the layer")?;
        Ok(Layer {
            compressed,
            content,
        })
    }
}

/// The certificate authorities that Mozilla trusts, in PEM.
pub(super) fn mozilla() -> Vec<u8> {
    let mut text = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        text += "-----BEGIN CERTIFICATE-----\n";
        let encoded = STANDARD.encode(certificate);
        for line in encoded.as_bytes().chunks(64) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text += "-----END CERTIFICATE-----\n";
    }
    text.into_bytes()
}
