//! The metadata of a repository and its targets, as files.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::kms::material::{Hash, Material, Padding};
use crate::kms::{Kind, MaterialError};
use crate::random::hex;

const VALID: &str = "2100-01-01T00:00:00Z";
const EXPIRED: &str = "2020-01-01T00:00:00Z";
const SPECIFICATION: &str = "1.0.31";

/// A role of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Which targets there are.
    Targets,
    /// Which version of the targets is the newest.
    Snapshot,
    /// Which version of the snapshot is the newest.
    Timestamp,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A repository.
#[derive(Debug)]
pub(super) struct Repository {
    root: Material,
    online: Material,
    root_version: u64,
    /// The newest version of everything else.
    version: u64,
    expired: Vec<Role>,
    targets: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

impl Repository {
    /// One with a root, and nothing else yet.
    pub(super) fn make() -> Result<Self, MaterialError> {
        let mut repository = Self {
            root: Material::generate(Kind::P256)?,
            online: Material::generate(Kind::P256)?,
            root_version: 1,
            version: 0,
            expired: Vec::new(),
            targets: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        repository.write_root(None)?;
        Ok(repository)
    }

    /// What is at a path.
    pub(super) fn file(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    pub(super) fn first_root(&self) -> String {
        self.file("1.root.json").unwrap_or_default()
    }

    pub(super) fn target(&self, name: &str) -> Option<String> {
        self.targets.get(name).cloned()
    }

    pub(super) fn put(&mut self, name: &str, content: &str) {
        self.targets.insert(name.to_owned(), content.to_owned());
    }

    pub(super) fn expire(&mut self, role: Role) {
        self.expired.push(role);
    }

    /// Writes everything but the root, in a new version.
    pub(super) fn publish(&mut self) -> Result<(), MaterialError> {
        self.publish_as(self.version + 1)
    }

    /// Writes everything but the root, in this version.
    pub(super) fn publish_as(&mut self, version: u64) -> Result<(), MaterialError> {
        self.version = version;
        let mut listed = Map::new();
        for (name, content) in &self.targets {
            let file = described(content);
            let path = format!("targets/{}.{name}", digest(content));
            self.files.insert(path, content.clone());
            listed.insert(name.clone(), file);
        }
        let targets = self.role(Role::Targets, "targets", &json!(listed))?;
        let meta = self.meta("targets.json", &targets);
        let snapshot = self.role(Role::Snapshot, "meta", &meta)?;
        let meta = self.meta("snapshot.json", &snapshot);
        let timestamp = self.role(Role::Timestamp, "meta", &meta)?;
        self.files
            .insert(format!("{version}.targets.json"), targets);
        self.files
            .insert(format!("{version}.snapshot.json"), snapshot);
        self.files.insert("timestamp.json".to_owned(), timestamp);
        Ok(())
    }

    /// Writes a new root with another key, signed by the key before it too.
    pub(super) fn replace_root_key(&mut self) -> Result<(), MaterialError> {
        let before = std::mem::replace(&mut self.root, Material::generate(Kind::P256)?);
        self.root_version += 1;
        self.write_root(Some(&before))
    }

    /// Writes a new root with another key that only that key signs.
    pub(super) fn usurp_root(&mut self) -> Result<(), MaterialError> {
        self.root = Material::generate(Kind::P256)?;
        self.root_version += 1;
        self.write_root(None)
    }

    fn write_root(&mut self, before: Option<&Material>) -> Result<(), MaterialError> {
        let role = |key: &Material| json!({ "keyids": [id(key)], "threshold": 1 });
        let online = role(&self.online);
        let mut keys = Map::new();
        for key in [&self.root, &self.online] {
            keys.insert(id(key), described_key(key));
        }
        let content = json!({
            "_type": "root",
            "spec_version": SPECIFICATION,
            "version": self.root_version,
            "expires": VALID,
            "consistent_snapshot": true,
            "keys": keys,
            "roles": {
                "root": role(&self.root),
                "targets": online, "snapshot": online, "timestamp": online,
            },
        });
        let signers: Vec<&Material> = before.into_iter().chain([&self.root]).collect();
        let root = signed(&content, &signers)?;
        let name = format!("{}.root.json", self.root_version);
        self.files.insert(name, root);
        Ok(())
    }

    /// The metadata of a role with this member.
    fn role(&self, role: Role, member: &str, value: &Value) -> Result<String, MaterialError> {
        let is_expired = self.expired.contains(&role);
        let content = json!({
            "_type": role.name(),
            "spec_version": SPECIFICATION,
            "version": self.version,
            "expires": if is_expired { EXPIRED } else { VALID },
            member: value,
        });
        signed(&content, &[&self.online])
    }

    /// What one role says of the file of another.
    fn meta(&self, name: &str, content: &str) -> Value {
        let mut file = described(content);
        file["version"] = json!(self.version);
        json!({ name: file })
    }
}

/// JSON as TUF signs it, in which a line break in a text stands for itself.
fn canonical(value: &Value) -> String {
    value.to_string().replace("\\n", "\n")
}

fn signed(content: &Value, keys: &[&Material]) -> Result<String, MaterialError> {
    let digest = Sha256::digest(canonical(content));
    let mut signatures = Vec::new();
    for key in keys {
        let signature = key.sign(Hash::Sha256, Padding::EcdsaDer, &digest);
        let signature = signature.ok_or(MaterialError)?;
        signatures.push(json!({ "keyid": id(key), "sig": hex(&signature) }));
    }
    Ok(json!({ "signatures": signatures, "signed": content }).to_string())
}

fn described_key(key: &Material) -> Value {
    json!({
        "keytype": "ecdsa",
        "scheme": "ecdsa-sha2-nistp256",
        "keyval": { "public": key.pem() },
    })
}

/// The identifier of a key: the hash of what metadata says of it.
fn id(key: &Material) -> String {
    digest(&canonical(&described_key(key)))
}

/// The length and the hash of a file.
fn described(content: &str) -> Value {
    json!({ "length": content.len(), "hashes": { "sha256": digest(content) } })
}

fn digest(content: &str) -> String {
    hex(&Sha256::digest(content))
}
