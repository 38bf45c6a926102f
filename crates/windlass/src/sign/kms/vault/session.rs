//! A token in use: renewed before it ends, and replaced where it has ended.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use windlass_core::config::Token;
use zeroize::Zeroizing;

use super::login::Login;
use super::server::{Request, Server};
use crate::sign::kms::error::KmsError;

/// A login, and the token that it gave.
pub(super) struct Session {
    login: Login,
    current: Mutex<Option<Lease>>,
}

/// A token, and how long it may be used.
struct Lease {
    token: Token,
    /// When it ends, as far as that is known.
    ends: Option<Instant>,
    /// When it has to be renewed.
    due: Option<Instant>,
    is_renewable: bool,
}

#[derive(Deserialize)]
struct LoginAnswer {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    client_token: Zeroizing<String>,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

#[derive(Deserialize)]
struct LookupAnswer {
    data: Lookup,
}

#[derive(Deserialize)]
struct Lookup {
    #[serde(default)]
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

impl Lease {
    fn new(token: Token, seconds: u64, is_renewable: bool) -> Self {
        let (now, time) = (Instant::now(), Duration::from_secs(seconds));
        // no time means no end
        let at = |time| (seconds > 0).then(|| now.checked_add(time)).flatten();
        Self {
            token,
            ends: at(time),
            due: at(time * 2 / 3),
            is_renewable,
        }
    }
}

impl Session {
    pub(super) fn new(login: Login) -> Self {
        Self {
            login,
            current: Mutex::default(),
        }
    }

    /// The token for a request that is made now. One obtains or renews it, the others wait.
    pub(super) async fn token(&self, server: &Server) -> Result<Token, KmsError> {
        let mut current = self.current.lock().await;
        let now = Instant::now();
        let is_over = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        if let Some(lease) = &mut *current
            && !is_over(lease.ends)
        {
            if is_over(lease.due) && !self.renew(lease, server).await {
                match self.obtain(server).await {
                    Ok(other) => *lease = other,
                    // it may be used to its end
                    Err(error) => tracing::debug!("the token stays in use: {error}"),
                }
            }
            return Ok(lease.token.clone());
        }
        let lease = self.obtain(server).await?;
        Ok(current.insert(lease).token.clone())
    }

    /// A token other than this one, which was refused; none if it is valid all the same, so that a
    /// permission is missing.
    pub(super) async fn other_than(
        &self,
        refused: &Token,
        server: &Server,
    ) -> Result<Option<Token>, KmsError> {
        let mut current = self.current.lock().await;
        if let Some(lease) = &*current
            && lease.token != *refused
        {
            return Ok(Some(lease.token.clone()));
        }
        if lookup(refused, server).await?.is_some() {
            return Ok(None);
        }
        *current = None;
        let lease = self.obtain(server).await?;
        if lease.token == *refused {
            let remedy = self.login.remedy();
            let why = format!("the token has ended, was revoked or never was one; {remedy}");
            return Err(server.refuse(why));
        }
        Ok(Some(current.insert(lease).token.clone()))
    }

    /// A token by the login.
    async fn obtain(&self, server: &Server) -> Result<Lease, KmsError> {
        if let Some(token) = self.login.written(server).await? {
            let known = lookup(&token, server).await?;
            let known = known.unwrap_or(Lookup {
                ttl: 0,
                renewable: false,
            });
            return Ok(Lease::new(token, known.ttl, known.renewable));
        }
        let Some((path, body)) = self.login.exchange(server).await? else {
            return Err(server.refuse("there is no login"));
        };
        let doing = format!("log in to {}", server.place());
        let request = Request {
            doing: &doing,
            method: Method::PUT,
            path: &path,
            token: None,
            body: Some(&body),
        };
        let answer = server.send(&request).await?;
        if matches!(answer.status, 400 | 401 | 403 | 404) {
            let (status, remedy) = (answer.status, self.login.remedy());
            return Err(server.refuse(format!("{path} responds with HTTP {status}; {remedy}")));
        }
        let LoginAnswer { auth } = answer.json(&doing)?;
        if auth.client_token.is_empty() {
            return Err(server.refuse(format!("{path} gave no token")));
        }
        let token = Token::from(auth.client_token.as_str());
        Ok(Lease::new(token, auth.lease_duration, auth.renewable))
    }

    /// Whether the token may be used for longer now.
    async fn renew(&self, lease: &mut Lease, server: &Server) -> bool {
        if !lease.is_renewable {
            return false;
        }
        let request = Request {
            doing: "renew the token",
            method: Method::PUT,
            path: "auth/token/renew-self",
            token: Some(lease.token.expose()),
            body: Some("{}"),
        };
        let answer = server.send(&request).await;
        let Ok(Ok(LoginAnswer { auth })) = answer.map(|answer| answer.json(request.doing)) else {
            return false;
        };
        let time = Duration::from_secs(auth.lease_duration);
        let left = lease
            .ends
            .map(|ends| ends.saturating_duration_since(Instant::now()));
        // at the end of its longest life a renewal adds nothing
        let is_worth_it = auth.lease_duration == 0 || time >= left.unwrap_or_default() * 2;
        if is_worth_it {
            let token = lease.token.clone();
            *lease = Lease::new(token, auth.lease_duration, auth.renewable);
        }
        is_worth_it
    }
}

/// What the server knows of a token; none if it is not valid.
async fn lookup(token: &Token, server: &Server) -> Result<Option<Lookup>, KmsError> {
    let doing = format!("look up the token at {}", server.place());
    let request = Request {
        doing: &doing,
        method: Method::GET,
        path: "auth/token/lookup-self",
        token: Some(token.expose()),
        body: None,
    };
    let answer = server.send(&request).await?;
    if matches!(answer.status, 400 | 401 | 403 | 404) {
        return Ok(None);
    }
    let LookupAnswer { data } = answer.json(&doing)?;
    Ok(Some(data))
}
