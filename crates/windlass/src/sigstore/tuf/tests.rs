//! Mirrors that are right, and mirrors that lie.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::origin::PUBLIC_ROOT;
use super::*;
use crate::sigstore::tests::stack::{Party, hex_of};

/// The metadata of a mirror, signed by one key.
struct Repository {
    key: Party,
}

/// JSON as TUF signs it, in which a line break in a text stands for itself.
fn canonical(value: &Value) -> String {
    value.to_string().replace("\\n", "\n")
}

impl Repository {
    fn new() -> Self {
        Self { key: Party::new() }
    }

    fn signed(&self, content: &Value) -> String {
        let signature = self.key.sign(canonical(content).as_bytes());
        let signature = json!({ "keyid": "k", "sig": hex_of(&signature) });
        json!({ "signed": content, "signatures": [signature] }).to_string()
    }

    fn root(&self, version: u64) -> Vec<u8> {
        let role = json!({ "keyids": ["k"], "threshold": 1 });
        let content = json!({
            "_type": "root",
            "spec_version": "1.0",
            "version": version,
            "expires": "2100-01-01T00:00:00Z",
            "consistent_snapshot": false,
            "keys": {
                "k": {
                    "keytype": "ecdsa",
                    "scheme": "ecdsa-sha2-nistp256",
                    "keyval": { "public": self.key.pem() },
                },
            },
            "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        });
        self.signed(&content).into_bytes()
    }

    /// Everything but roots, with this trusted root.
    fn files(&self, version: u64, expires: &str, content: &str) -> Files {
        let base = |kind: &str, expires: &str| {
            json!({
                "_type": kind,
                "spec_version": "1.0",
                "version": version,
                "expires": expires,
            })
        };
        let far = "2100-01-01T00:00:00Z";
        let mut targets = base("targets", far);
        let sha256 = hex_of(&Sha256::digest(content));
        targets["targets"] = json!({
            "trusted_root.json": { "length": content.len(), "hashes": { "sha256": sha256 } },
        });
        let mut snapshot = base("snapshot", far);
        snapshot["meta"] = json!({ "targets.json": { "version": version } });
        let mut timestamp = base("timestamp", expires);
        timestamp["meta"] = json!({ "snapshot.json": { "version": version } });
        HashMap::from([
            ("/targets.json".to_owned(), self.signed(&targets)),
            ("/snapshot.json".to_owned(), self.signed(&snapshot)),
            ("/timestamp.json".to_owned(), self.signed(&timestamp)),
            ("/targets/trusted_root.json".to_owned(), content.to_owned()),
        ])
    }
}

type Files = HashMap<String, String>;

/// A mirror on loopback that counts who connects.
struct Served {
    address: String,
    connections: Arc<AtomicUsize>,
    files: Arc<Mutex<Files>>,
}

impl Served {
    async fn new(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let files = Arc::new(Mutex::new(files));
        let (counter, served) = (Arc::clone(&connections), Arc::clone(&files));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let files = Arc::clone(&served);
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let read = stream.read(&mut request).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&request[..read]).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default();
                    let body = files.lock().unwrap().get(path).cloned();
                    let (status, body) = match body {
                        Some(body) => ("200 OK", body),
                        None => ("404 Not Found", String::new()),
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all([head, body].concat().as_bytes()).await;
                });
            }
        });
        Self {
            address,
            connections,
            files,
        }
    }

    fn origin(&self, root: Vec<u8>, folder: &Path) -> Origin {
        Origin {
            mirror: self.address.clone(),
            root,
            folder: folder.to_owned(),
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

const FAR: &str = "2100-01-01T00:00:00Z";

fn why(error: &TrustError) -> String {
    error.to_string()
}

#[test]
fn the_pinned_root_of_the_public_instance_is_signed_by_its_own_keys() {
    assert!(is_root(PUBLIC_ROOT));
    let changed = String::from_utf8(PUBLIC_ROOT.to_vec()).unwrap();
    assert!(!is_root(
        changed
            .replacen("\"threshold\": 3", "\"threshold\": 2", 1)
            .as_bytes()
    ));
    let root: Value = serde_json::from_slice(PUBLIC_ROOT).unwrap();
    assert_eq!(root["signed"]["version"], 16);
}

#[tokio::test]
async fn nothing_is_asked_of_a_mirror_offline() {
    let repository = Repository::new();
    let mirror = Served::new(repository.files(1, FAR, "{\"a\":1}")).await;
    let folder = tempfile::tempdir().unwrap();
    let origin = mirror.origin(repository.root(1), folder.path());

    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(why(&error).contains("windlass trust update"), "{error}");
    assert_eq!(mirror.connections(), 0);

    let fetched = trusted_root(&origin, Freshness::Now).await.unwrap();
    assert_eq!(fetched.content, b"{\"a\":1}");
    let asked = mirror.connections();
    assert!(asked > 0);

    for freshness in [Freshness::Offline, Freshness::Today] {
        let kept = trusted_root(&origin, freshness).await.unwrap();
        assert_eq!(kept.content, b"{\"a\":1}");
        assert_eq!((kept.at, kept.root_version), (fetched.at, 1));
    }
    // whatever would have been asked has been asked by now: one more question is counted at once
    assert_eq!(mirror.connections(), asked);
    trusted_root(&origin, Freshness::Now).await.unwrap();
    assert!(mirror.connections() > asked);
}

#[tokio::test]
async fn a_mirror_is_believed_by_its_pinned_root_only() {
    let (right, wrong) = (Repository::new(), Repository::new());
    let mirror = Served::new(wrong.files(1, FAR, "{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let origin = mirror.origin(right.root(1), folder.path());
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("not signed by enough of the keys"),
        "{error}"
    );

    // nor is a root that only the mirror vouches for
    let next = String::from_utf8(wrong.root(2)).unwrap();
    mirror
        .files
        .lock()
        .unwrap()
        .insert("/2.root.json".to_owned(), next);
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("not signed by enough of the keys"),
        "{error}"
    );
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(matches!(error, TrustError::NeverFetched { .. }), "{error}");

    *mirror.files.lock().unwrap() = right.files(1, FAR, "{}");
    trusted_root(&origin, Freshness::Now).await.unwrap();
    // what is kept for one root is not used for another
    let other = mirror.origin(wrong.root(1), folder.path());
    let error = trusted_root(&other, Freshness::Offline).await.unwrap_err();
    assert!(matches!(error, TrustError::NeverFetched { .. }), "{error}");
}

#[tokio::test]
async fn metadata_that_is_older_expired_or_changed_is_refused() {
    let repository = Repository::new();
    let mirror = Served::new(repository.files(2, FAR, "{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let origin = mirror.origin(repository.root(1), folder.path());
    trusted_root(&origin, Freshness::Now).await.unwrap();

    *mirror.files.lock().unwrap() = repository.files(1, FAR, "{}");
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("older than what was fetched before"),
        "{error}"
    );

    *mirror.files.lock().unwrap() = repository.files(3, "2020-01-01T00:00:00Z", "{}");
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("its timestamp metadata has expired at 2020"),
        "{error}"
    );

    let mut files = repository.files(4, FAR, "{\"a\":1}");
    files.insert(
        "/targets/trusted_root.json".to_owned(),
        "{\"a\":2}".to_owned(),
    );
    *mirror.files.lock().unwrap() = files;
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("not the one that its metadata names"),
        "{error}"
    );

    let mut files = repository.files(5, FAR, "{}");
    files.insert("/timestamp.json".to_owned(), "x".repeat(1 << 20));
    *mirror.files.lock().unwrap() = files;
    let error = trusted_root(&origin, Freshness::Now).await.unwrap_err();
    assert!(
        why(&error).contains("it sends a file of more than 16384 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_kept_is_verified_again_each_time() {
    let repository = Repository::new();
    let mirror = Served::new(repository.files(1, FAR, "{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let origin = mirror.origin(repository.root(1), folder.path());
    trusted_root(&origin, Freshness::Now).await.unwrap();
    let kept = Cache::of(&origin)
        .folder()
        .join("targets/trusted_root.json");
    std::fs::write(&kept, "[]").unwrap();
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(why(&error).contains("is damaged or has expired"), "{error}");
    let huge = std::fs::File::create(&kept).unwrap();
    huge.set_len(1 << 40).unwrap();
    let error = trusted_root(&origin, Freshness::Offline).await.unwrap_err();
    assert!(why(&error).contains("is damaged or has expired"), "{error}");
    // and fetched again where the network may be asked
    trusted_root(&origin, Freshness::Today).await.unwrap();
}

#[test]
fn an_address_of_a_mirror_has_no_secret_and_none_is_repeated() {
    for (address, expected) in [
        ("ftp://h.example.com", "use https://"),
        ("https://user:secret@h.example.com", "a name or a password"),
        (
            "https://h.example.com?token=secret",
            "a query or a fragment",
        ),
        ("nonsense", "no URL"),
    ] {
        let error = mirror::parse(address).unwrap_err().to_string();
        assert!(error.contains(expected), "{address}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
