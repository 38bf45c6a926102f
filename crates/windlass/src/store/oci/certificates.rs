//! Certificates that this machine keeps for a registry: authorities to trust, and the client's own.

use std::path::{Path, PathBuf};

use windlass_registry::ClientCertificate;
use zeroize::Zeroizing;

use super::error::UploadError;

/// Most bytes of a certificate or key.
const FILE_LIMIT: u64 = 1 << 20;

/// What is kept for one registry in `certs.d/HOST[:PORT]`, where Docker, Podman and their kin look
/// too: `*.crt` are authorities, `NAME.cert` and `NAME.key` the client's certificate and key.
/// Source: containers-certs.d(5).
#[derive(Debug, Default)]
pub(super) struct Certificates {
    pub(super) authorities: Vec<Vec<u8>>,
    pub(super) client: Option<ClientCertificate>,
}

/// Where certificates of registries are kept, the nearest first.
pub(super) fn folders() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let of_user = home.map(|home| home.join(".config/containers/certs.d"));
    let of_machine = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    of_user.into_iter().chain(of_machine).collect()
}

impl Certificates {
    /// Reads the first of the folders that has something for the registry.
    pub(super) fn of(registry: &str, folders: &[PathBuf]) -> Result<Self, UploadError> {
        let mut places = folders.iter().map(|folder| folder.join(registry));
        let Some(place) = places.find(|place| place.is_dir()) else {
            return Ok(Self::default());
        };
        let unreadable = |path: &Path, source| UploadError::Certificate {
            path: path.display().to_string(),
            source,
        };
        let entries = std::fs::read_dir(&place).map_err(|source| unreadable(&place, source))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let mut found = Self::default();
        for path in &files {
            let content = || read(path).map_err(|source| unreadable(path, source));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.push(content()?),
                Some("cert") if found.client.is_none() => {
                    let key = path.with_extension("key");
                    let key_pem = read(&key).map_err(|source| unreadable(&key, source))?;
                    found.client = Some(ClientCertificate {
                        certificate_pem: content()?,
                        key_pem: Zeroizing::new(key_pem),
                    });
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    std::fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_with_something_for_the_registry_counts() {
        let scratch = tempfile::tempdir().unwrap();
        let (near, far) = (scratch.path().join("near"), scratch.path().join("far"));
        let place = far.join("r.io:5000");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::create_dir_all(near.join("other.io")).unwrap();
        for (name, content) in [
            ("a.crt", "A"),
            ("b.crt", "B"),
            ("c.cert", "C"),
            ("c.key", "K"),
        ] {
            std::fs::write(place.join(name), content).unwrap();
        }
        let folders = [near, far];
        let found = Certificates::of("r.io:5000", &folders).unwrap();
        assert_eq!(found.authorities, [b"A", b"B"]);
        assert_eq!(found.client.unwrap().certificate_pem, b"C");
        let none = Certificates::of("r.io", &folders).unwrap();
        assert!(none.authorities.is_empty() && none.client.is_none());
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error_that_names_the_file() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("r.io");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("c.cert"), "C").unwrap();
        let error = Certificates::of("r.io", &[scratch.path().to_owned()]).unwrap_err();
        assert!(error.to_string().contains("c.key"), "{error}");
    }
}
