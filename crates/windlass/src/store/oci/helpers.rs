//! Credential helpers of this machine: the programs that its Docker configuration names, run as Docker
//! and cosign run them, with a limit of time and of output.
//!
//! Only the configuration of this process is read for them. What a helper says of an error is not
//! repeated: it may be a secret.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::Instant;
use windlass_once::{Expiry, OnceMap};
use windlass_registry::keychain::{Candidate, Helper, Source};
use windlass_registry::{Credential, Repository};
use zeroize::Zeroizing;

/// Longest time that a helper may take: some of them ask a cloud.
const TIME: Duration = Duration::from_secs(30);
/// Most bytes that a helper may print.
const LIMIT: u64 = 64 << 10;
/// How long an answer counts. Helpers give what is valid for hours, and may take seconds.
const FRESH: Duration = Duration::from_secs(60);
/// Most answers that are kept.
const REMEMBERED: usize = 100;

/// The answers of helpers.
pub(super) struct Helpers(OnceMap<Helper, Option<Candidate>>);

impl Default for Helpers {
    fn default() -> Self {
        Self(OnceMap::new(REMEMBERED))
    }
}

impl Helpers {
    /// The credential that the helper of a configuration has for a repository. A helper that fails
    /// gives a candidate that says so where all others were refused.
    pub(super) async fn candidate(
        &self,
        configuration: Option<&Source>,
        repository: &Repository,
    ) -> Option<Source> {
        let Some(Source::DockerConfig { content, .. }) = configuration else {
            return None;
        };
        let helper = Helper::of(content, repository)?;
        let now = Instant::now().into_std();
        let make = || async {
            let answer = ask(&helper).await;
            Ok::<_, std::convert::Infallible>((answer, Expiry::At(now + FRESH)))
        };
        let Ok(found) = self.0.get_or_try_make(&helper, now, make).await;
        found.map(Source::Candidate)
    }
}

/// Asks a helper; nothing if it has nothing for the server.
async fn ask(helper: &Helper) -> Option<Candidate> {
    let unavailable = |why: String| {
        Some(Candidate {
            source: format!("credential helper {}", helper.program),
            key: None,
            credential: Credential::Unavailable(why),
        })
    };
    match tokio::time::timeout(TIME, run(helper)).await {
        Err(_) => unavailable(format!("it took longer than {} s", TIME.as_secs())),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            unavailable("it is not in PATH; install it, or log in without it".to_owned())
        }
        Ok(Err(error)) => unavailable(format!("it could not be run: {}", error.kind())),
        Ok(Ok(None)) => None,
        Ok(Ok(Some(output))) => helper
            .candidate(&output)
            .or_else(|| unavailable("it printed no credential".to_owned())),
    }
}

/// What the helper printed; none if it ended with an error, as it does for a server that it does not
/// know.
async fn run(helper: &Helper) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut child = Command::new(&helper.program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // a helper that reads nothing may close it
        let _ = input.write_all(helper.server.as_bytes()).await;
    }
    let mut output = Zeroizing::new(Vec::new());
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LIMIT).read_to_end(&mut output).await?;
    }
    let status = child.wait().await?;
    Ok(status.success().then_some(output))
}
