//! The image of a small static program: its bytes, its digests, and that it runs.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// What the small program does: shows that it finds the files of the image.
const SOURCE: &str = r#"
    fn main() {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let authorities = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let address = std::net::ToSocketAddrs::to_socket_addrs("127.0.0.1:80").unwrap().next();
        println!("{} {} {address:?}", passwd.contains("nonroot:x:65532"), authorities.len() > 100_000);
    }
"#;

/// A program made with these flags, in a folder of its own.
fn program(flags: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("small.rs"), folder.path().join("small"));
    fs::write(&source, SOURCE).unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let made = Command::new(rustc)
        .args(flags)
        .arg("-o")
        .arg(&binary)
        .arg(&source)
        .status();
    assert!(made.unwrap().success());
    (folder, binary)
}

fn static_program() -> (TempDir, PathBuf) {
    program(&["-C", "target-feature=+crt-static"])
}

fn image(binary: &Path, output: &Path) -> Result<String> {
    let words = [
        "--binary",
        binary.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
    ];
    write(Path::new("/nowhere"), &words)
}

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Checks digest and size of a descriptor, and gives the blob.
fn blob(folder: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = fs::read(folder.join("blobs").join(digest.replace(':', "/"))).unwrap();
    assert_eq!(descriptor["size"], bytes.len(), "{descriptor}");
    assert_eq!(sha256(&bytes), digest);
    bytes
}

/// By the program of this machine, which is not what wrote it.
fn sha256(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bytes"), bytes).unwrap();
    let output = Command::new("sha256sum")
        .arg(folder.path().join("bytes"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    format!("sha256:{}", text.split(' ').next().unwrap())
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn the_same_program_gives_the_same_bytes_wherever_it_is_written() {
    let (_folder, binary) = static_program();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = image(&binary, &one.path().join("image")).unwrap();
    let again = image(&binary, &one.path().join("image")).unwrap();
    image(&binary, &two.path().join("image")).unwrap();
    assert_eq!(first, again);
    let (one, two) = (files(one.path()), files(two.path()));
    assert_eq!(one.len(), 5, "{:?}", one.keys());
    assert!(one == two, "the bytes differ");
}

#[test]
fn every_digest_and_size_is_right_and_the_user_is_not_root() {
    let (_folder, binary) = static_program();
    let output = tempfile::tempdir().unwrap();
    let report = image(&binary, output.path()).unwrap();
    let index = json(&fs::read(output.path().join("index.json")).unwrap());
    let descriptor = &index["manifests"][0];
    assert!(
        report.contains(descriptor["digest"].as_str().unwrap()),
        "{report}"
    );
    let manifest = json(&blob(output.path(), descriptor));
    let config = json(&blob(output.path(), &manifest["config"]));
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(
        config["architecture"],
        descriptor["platform"]["architecture"]
    );
    let layer = blob(output.path(), &manifest["layers"][0]);
    let packed = output.path().join("layer.gz");
    fs::write(&packed, layer).unwrap();
    let content = Command::new("gzip")
        .arg("-dc")
        .arg(&packed)
        .output()
        .unwrap()
        .stdout;
    assert_eq!(config["rootfs"]["diff_ids"][0], sha256(&content));
}

#[test]
fn the_unpacked_root_runs_on_its_own() {
    let (_folder, binary) = static_program();
    let output = tempfile::tempdir().unwrap();
    image(&binary, output.path()).unwrap();
    let index = json(&fs::read(output.path().join("index.json")).unwrap());
    let manifest = json(&blob(output.path(), &index["manifests"][0]));
    let layer = manifest["layers"][0]["digest"]
        .as_str()
        .unwrap()
        .replace(':', "/");
    let root = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["--no-same-owner", "-xzf"])
        .arg(output.path().join("blobs").join(layer))
        .arg("-C")
        .arg(root.path())
        .status();
    assert!(unpacked.unwrap().success());
    // a user namespace, for whoever is not root here
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "chroot"])
        .arg(root.path())
        .arg("/usr/bin/windlass")
        .output()
        .unwrap();
    let (text, error) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert_eq!(text, "true true Some(127.0.0.1:80)\n", "{error}");
}

#[test]
fn a_program_that_needs_libraries_and_what_is_no_program_are_refused() {
    let output = tempfile::tempdir().unwrap();
    let (folder, dynamic) = program(&[]);
    let error = format!("{:#}", image(&dynamic, output.path()).unwrap_err());
    assert!(error.contains("linked dynamically"), "{error}");
    let bytes = fs::read(&dynamic).unwrap();
    for length in [0, 3, 6, 17, 40, 64, 80] {
        let cut = folder.path().join("cut");
        fs::write(&cut, &bytes[..length]).unwrap();
        assert!(image(&cut, output.path()).is_err(), "{length} bytes");
    }
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let (_folder, binary) = static_program();
    let output = tempfile::tempdir().unwrap();
    fs::write(output.path().join("precious"), "x").unwrap();
    let error = image(&binary, output.path()).unwrap_err().to_string();
    assert!(error.contains("--output"), "{error}");
    assert_eq!(fs::read(output.path().join("precious")).unwrap(), b"x");
    let error = write(Path::new("/nowhere"), &["--outptu", "x"]).unwrap_err();
    assert!(error.to_string().contains("--ca-bundle"), "{error}");
}
