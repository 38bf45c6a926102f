//! Programs that a kubeconfig names for logging in (`exec`), as `client-go` runs them: they get
//! `KUBERNETES_EXEC_INFO` and print an `ExecCredential` to standard output.
//!
//! kube runs them too. It waits for ever, without a thread to spare; it runs them twice for a client; and its
//! errors have what they say to people, which may be a token. So windlass runs them itself, and kube gets
//! what they gave.
//!
//! A person sees what they write to standard error, at the terminal that is theirs as well. Of a controller
//! nobody does: it would be in a log that others read. No error repeats any of it.

use std::future::poll_fn;
use std::io::IsTerminal as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{BoxFuture, Either, ErrInto};
use futures::{FutureExt as _, TryFutureExt as _};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use kube::Config;
use kube::client::Body;
use kube::config::{ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use tower::{BoxError, Layer, Service};

use super::connect_error::ConnectError;
use super::kubeconfig::BAD_TOKEN;

/// Largest credential, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long before its end a token is replaced.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// Who is there while a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Somebody who typed a command.
    Person,
    /// Nobody: a program that runs for long.
    Nobody,
}

/// How a program is run.
#[derive(Debug, Clone, Copy)]
struct Terms {
    audience: Audience,
    /// Whether it may ask the person something.
    is_interactive: bool,
    /// How long it may take.
    patience: Duration,
}

impl Terms {
    /// The terms for a program of this mode; the error says why it cannot be run.
    fn of(
        audience: Audience,
        mode: Option<&ExecInteractiveMode>,
        has_terminal: bool,
    ) -> Result<Self, String> {
        let may_ask = audience == Audience::Person && has_terminal;
        let is_interactive = match mode {
            Some(ExecInteractiveMode::Never) => false,
            Some(ExecInteractiveMode::Always) if !may_ask => {
                return Err("it asks a person at a terminal, and there is none".to_owned());
            }
            _ => may_ask,
        };
        let minutes = match (audience, is_interactive) {
            (Audience::Nobody, _) => 1,
            // it may wait for somebody who logs in with a browser
            (Audience::Person, false) => 5,
            (Audience::Person, true) => 30,
        };
        Ok(Self {
            audience,
            is_interactive,
            patience: Duration::from_secs(minutes * 60),
        })
    }
}

/// What a program printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// A token that ends.
struct Token {
    header: HeaderValue,
    ends: Timestamp,
}

/// The configuration with the credential of the program that it names, if it names one, and what renews a
/// token that ends.
pub(super) async fn credential(
    mut config: Config,
    audience: Audience,
) -> Result<(Config, Renewal), ConnectError> {
    let info = &config.auth_info;
    // kube reads these first
    let is_used = info.token.is_none()
        && info.token_file.is_none()
        && info.auth_provider.is_none()
        && (info.username.is_none() || info.password.is_none());
    let Some(exec) = config.auth_info.exec.take().filter(|_| is_used) else {
        return Ok((config, Renewal(None)));
    };
    let status = run(&exec, audience).await?;
    let failed = |why: &str| failure(&exec, why);
    if let (Some(certificate), Some(key)) =
        (&status.client_certificate_data, &status.client_key_data)
    {
        config.auth_info.client_certificate = None;
        config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
        config.auth_info.client_key = None;
        config.auth_info.client_key_data = Some(STANDARD.encode(key).into());
    }
    let Some(token) = &status.token else {
        if status.client_certificate_data.is_some() && status.client_key_data.is_some() {
            return Ok((config, Renewal(None)));
        }
        let why = "its ExecCredential has neither a token nor a certificate with its key";
        return Err(failed(why));
    };
    let header = header(token).map_err(failed)?;
    match ends(&status).map_err(failed)? {
        None => {
            config.auth_info.token = Some(SecretString::from(token.clone()));
            Ok((config, Renewal(None)))
        }
        Some(ends) => {
            let source = Source {
                token: Mutex::new(Token { header, ends }),
                exec,
                audience,
            };
            Ok((config, Renewal(Some(Arc::new(source)))))
        }
    }
}

fn header(token: &str) -> Result<HeaderValue, &'static str> {
    let header = HeaderValue::try_from(format!("Bearer {token}"));
    let mut header = header.map_err(|_| BAD_TOKEN)?;
    header.set_sensitive(true);
    Ok(header)
}

fn ends(status: &Status) -> Result<Option<Timestamp>, &'static str> {
    let ends = status.expiration_timestamp.as_deref();
    let ends = ends.map(str::parse).transpose();
    ends.map_err(|_| "its expirationTimestamp is no time")
}

fn failure(exec: &ExecConfig, why: &str) -> ConnectError {
    ConnectError::Login {
        command: exec.command.clone().unwrap_or_default(),
        why: why.to_owned(),
    }
}

async fn run(exec: &ExecConfig, audience: Audience) -> Result<Status, ConnectError> {
    let has_terminal = std::io::stdin().is_terminal();
    let terms = Terms::of(audience, exec.interactive_mode.as_ref(), has_terminal);
    let ran = match terms {
        Ok(terms) => run_within(exec, terms).await,
        Err(why) => Err(why),
    };
    ran.map_err(|why| failure(exec, &why))
}

/// Runs the program; the error says why it is of no use.
async fn run_within(exec: &ExecConfig, terms: Terms) -> Result<Status, String> {
    let command = exec.command.as_deref().unwrap_or_default();
    if command.is_empty() {
        return Err("its exec names no command".to_owned());
    }
    let mut child = started(exec, command, terms)?;
    let printed = async {
        let mut printed = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(LARGEST + 1).read_to_end(&mut printed).await?;
        }
        if printed.len() as u64 > LARGEST {
            return Ok((None, printed));
        }
        Ok::<_, std::io::Error>((Some(child.wait().await?), printed))
    };
    let printed = tokio::time::timeout(terms.patience, printed).await;
    let Ok(printed) = printed else {
        // dropped with the rest, it is killed
        return Err(format!(
            "it did not end within {} and was stopped; run it by itself to see what it waits for",
            minutes(terms.patience)
        ));
    };
    let (status, printed) = printed.map_err(|error| error.to_string())?;
    let Some(status) = status else {
        return Err("it printed more than 1 MiB".to_owned());
    };
    if !status.success() {
        return Err(ended(status, terms.audience));
    }
    if printed.trim_ascii().is_empty() {
        return Err("it printed nothing, and an ExecCredential is needed".to_owned());
    }
    let credential: ExecCredential = serde_saphyr::from_slice(&printed)
        .map_err(|_| "what it printed is no ExecCredential".to_owned())?;
    if let (Some(asked), Some(given)) = (&exec.api_version, &credential.api_version)
        && asked != given
    {
        return Err(format!(
            "its ExecCredential is of another version than {asked}, which the kubeconfig asks for"
        ));
    }
    let status = credential.status;
    status.ok_or_else(|| "its ExecCredential has no status".to_owned())
}

fn started(
    exec: &ExecConfig,
    command: &str,
    terms: Terms,
) -> Result<tokio::process::Child, String> {
    let mut spec = json!({ "interactive": terms.is_interactive });
    if exec.provide_cluster_info {
        let Some(cluster) = &exec.cluster else {
            return Err(
                "it wants to know the cluster (provideClusterInfo), which the kubeconfig does not say"
                    .to_owned(),
            );
        };
        spec["cluster"] = serde_json::to_value(cluster).map_err(|error| error.to_string())?;
    }
    let info = json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        "spec": spec,
    });
    let variables = exec.env.iter().flatten();
    let variables = variables.filter_map(|pair| Some((pair.get("name")?, pair.get("value")?)));
    let mut program = Command::new(command);
    program
        .args(exec.args.iter().flatten())
        .envs(variables)
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(if terms.is_interactive {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(match terms.audience {
            Audience::Person => Stdio::inherit(),
            Audience::Nobody => Stdio::null(),
        })
        .kill_on_drop(true);
    program.spawn().map_err(|error| error.to_string())
}

fn minutes(patience: Duration) -> String {
    match patience.as_secs() {
        60 => "a minute".to_owned(),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        _ => format!("{patience:?}"),
    }
}

/// How a program ended, without a word of what it said.
fn ended(status: ExitStatus, audience: Audience) -> String {
    let how = match status.code() {
        Some(code) => format!("it ended with code {code}"),
        None => "a signal ended it".to_owned(),
    };
    match audience {
        Audience::Person => how,
        Audience::Nobody => {
            format!("{how}, and what it said is not in the log: run it by itself to see that")
        }
    }
}

/// Gives each request the token that is valid, where there is one that ends.
#[derive(Clone)]
pub(super) struct Renewal(Option<Arc<Source>>);

/// A program that gives a new token, and the latest one.
pub(super) struct Source {
    token: Mutex<Token>,
    exec: ExecConfig,
    audience: Audience,
}

impl Source {
    /// The token; one asks for a new one, and the others wait.
    async fn header(&self) -> Result<HeaderValue, ConnectError> {
        let mut token = self.token.lock().await;
        if Timestamp::now() + EARLY >= token.ends {
            let status = run(&self.exec, self.audience).await?;
            let failed = |why: &str| failure(&self.exec, why);
            let text = status.token.as_deref();
            let text = text.ok_or_else(|| failed("its ExecCredential has no token any more"))?;
            token.header = header(text).map_err(failed)?;
            // one without an end is asked for once only
            token.ends = ends(&status)
                .map_err(failed)?
                .unwrap_or(Timestamp::MAX - EARLY);
        }
        Ok(token.header.clone())
    }
}

impl<S> Layer<S> for Renewal {
    type Service = Authorized<S>;

    fn layer(&self, inner: S) -> Authorized<S> {
        match &self.0 {
            None => Authorized::Always(inner),
            Some(source) => Authorized::Renewed {
                source: Arc::clone(source),
                inner: Arc::new(Mutex::new(inner)),
            },
        }
    }
}

/// A client whose requests have the token.
pub(super) enum Authorized<S> {
    /// It does not end.
    Always(S),
    Renewed {
        source: Arc<Source>,
        inner: Arc<Mutex<S>>,
    },
}

impl<S> Service<Request<Body>> for Authorized<S>
where
    S: Service<Request<Body>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future =
        Either<ErrInto<S::Future, BoxError>, BoxFuture<'static, Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Always(inner) => inner.poll_ready(context).map_err(Into::into),
            // each request waits for the service by itself, once it has its token
            Self::Renewed { .. } => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let (source, inner) = match self {
            Self::Always(inner) => return Either::Left(inner.call(request).err_into()),
            Self::Renewed { source, inner } => (Arc::clone(source), Arc::clone(inner)),
        };
        let sent = async move {
            let header = source.header().await?;
            request.headers_mut().insert(AUTHORIZATION, header);
            let sent = {
                let mut inner = inner.lock().await;
                let ready = poll_fn(|context| inner.poll_ready(context)).await;
                ready.map_err(Into::into)?;
                inner.call(request)
            };
            sent.await.map_err(Into::into)
        };
        Either::Right(sent.boxed())
    }
}

#[cfg(test)]
mod tests;
