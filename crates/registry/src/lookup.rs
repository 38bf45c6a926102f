//! Lookups: the addresses of a name. Tests use a scripted one.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

type Script = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// How names are resolved.
#[derive(Clone, Default)]
pub struct Lookup(Option<Arc<Script>>);

impl Lookup {
    /// The resolver of the system.
    pub fn system() -> Self {
        Self(None)
    }

    /// This function, which returns the addresses of a name.
    pub fn scripted(script: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(script)))
    }

    pub(crate) async fn of(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Some(script) = &self.0 {
            return Ok(script(host));
        }
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "Lookup(scripted)",
            None => "Lookup(system)",
        })
    }
}
