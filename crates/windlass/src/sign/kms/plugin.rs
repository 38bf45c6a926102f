//! Keys of plugins: programs `sigstore-kms-NAME` that speak the protocol of sigstore's `cliplugin`,
//! version 1. One run of the program is one request: the arguments are `v1` and a JSON object, the data
//! comes on standard input, and a JSON object goes to standard output.
//! Source: sigstore/sigstore, `pkg/signature/kms/cliplugin`.
//!
//! A plugin is asked for its public key and for signatures of SHA-256, as by cosign and Tekton Chains, and
//! for nothing else: signatures are verified here. Nothing that it says is repeated where others read.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use windlass_core::key::PublicKey;

use self::protocol::Method;
use super::error::KmsError;
use super::means::Means;
use super::plugins::Program;
use super::reference::plugin::PluginKey;

mod process;
mod protocol;
#[cfg(test)]
mod tests;

/// Most runs of one plugin at a time: each is a process, and tokens do one thing after another.
const AT_ONCE: usize = 8;

/// Has a plugin create a key, of the algorithm that it takes if nobody says which.
pub(super) async fn create(key: &PluginKey, means: &Means) -> Result<(), KmsError> {
    let (program, places) = (means.plugins.find(key)?, Semaphore::new(1));
    let name = name(key);
    let doing = format!("read which algorithms there are for {name}");
    let asked = Method::DefaultAlgorithm.arguments(&key.resource);
    let printed = run(&places, &program, &asked, &[], &doing).await?;
    let algorithm = protocol::read(&printed, &doing, &program)?.default_algorithm(&doing)?;
    let doing = format!("create {name}");
    let asked = Method::CreateKey(&algorithm).arguments(&key.resource);
    let printed = run(&places, &program, &asked, &[], &doing).await?;
    protocol::read(&printed, &doing, &program).map(drop)
}

/// A key of a plugin.
pub(crate) struct Plugin {
    program: Arc<Program>,
    key: PluginKey,
    places: Arc<Semaphore>,
    public: PublicKey,
}

impl Plugin {
    /// Finds the plugin, and reads the public key.
    pub(super) async fn open(key: &PluginKey, means: &Means) -> Result<Self, KmsError> {
        let program = Arc::new(means.plugins.find(key)?);
        Self::read(key, program, Arc::new(Semaphore::new(AT_ONCE))).await
    }

    /// The same key as it is now.
    pub(super) async fn reopen(&self) -> Result<Self, KmsError> {
        let (program, places) = (Arc::clone(&self.program), Arc::clone(&self.places));
        Self::read(&self.key, program, places).await
    }

    async fn read(
        key: &PluginKey,
        program: Arc<Program>,
        places: Arc<Semaphore>,
    ) -> Result<Self, KmsError> {
        let name = name(key);
        let doing = format!("read the public key of {name}");
        let asked = Method::PublicKey.arguments(&key.resource);
        let printed = run(&places, &program, &asked, &[], &doing).await?;
        let response = protocol::read(&printed, &doing, &program)?;
        let pem = response.public_key(&doing)?;
        let public = PublicKey::from_pem(&pem);
        let public = public.map_err(|source| KmsError::PublicKey { key: name, source })?;
        Ok(Self {
            program,
            key: key.clone(),
            places,
            public,
        })
    }

    /// The public key that was read.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The key, for people.
    pub(super) fn name(&self) -> String {
        name(&self.key)
    }

    /// Has the plugin sign.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let doing = format!("sign with {}", self.name());
        let asked = Method::SignMessage.arguments(&self.key.resource);
        let printed = run(&self.places, &self.program, &asked, message, &doing).await?;
        protocol::read(&printed, &doing, &self.program)?.signature(&doing)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.name())
    }
}

fn name(key: &PluginKey) -> String {
    format!("key {key} of the plugin sigstore-kms-{}", key.name)
}

async fn run(
    places: &Semaphore,
    program: &Program,
    arguments: &str,
    input: &[u8],
    doing: &str,
) -> Result<Vec<u8>, KmsError> {
    // it is never closed
    let _place = places.acquire().await.ok();
    let printed = process::run(program, arguments, input).await;
    printed.map_err(|failure| KmsError::failed(doing, failure.to_string()))
}
