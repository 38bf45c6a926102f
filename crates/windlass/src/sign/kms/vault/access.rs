//! Requests with a login: a token that has ended is replaced once, and a refusal is told apart from it.

use reqwest::Method;
use zeroize::Zeroizing;

use super::login::Login;
use super::server::{Request, Server};
use super::session::Session;
use crate::service::http::Answer;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::means::Means;
use crate::sign::kms::reference::vault::Product;

/// Where the engine transit is unless the environment says otherwise.
const ENGINE: &str = "transit";
const ENGINE_VARIABLE: &str = "TRANSIT_SECRET_ENGINE_PATH";

/// The engine of a server, and the login for it.
pub(super) struct Access {
    server: Server,
    session: Session,
    engine: String,
}

/// A request that is made with the login.
pub(super) struct Asked {
    /// What is to be done, for errors.
    pub(super) doing: String,
    method: Method,
    /// Below `/v1/`.
    path: String,
    body: Option<Zeroizing<String>>,
}

impl Asked {
    pub(super) fn read(doing: String, path: String) -> Self {
        Self {
            doing,
            method: Method::GET,
            path,
            body: None,
        }
    }

    pub(super) fn write(doing: String, path: String, body: String) -> Self {
        Self {
            doing,
            method: Method::PUT,
            path,
            body: Some(Zeroizing::new(body)),
        }
    }

    /// What a policy has to allow.
    fn permission(&self) -> String {
        let capability = if self.method == Method::GET {
            "read"
        } else {
            "update"
        };
        format!(
            "`{capability}` on path {:?} to the policy of the token",
            self.path
        )
    }
}

impl Access {
    /// As the settings and the environment name it.
    pub(super) async fn of(product: Product, means: &Means) -> Result<Self, KmsError> {
        let server = Server::of(product, means).await?;
        let login = Login::of(&server, means)?;
        let engine = means.first(&[ENGINE_VARIABLE]);
        let engine = engine.unwrap_or_else(|| ENGINE.to_owned());
        let engine = engine.trim_matches('/').to_owned();
        if !engine.split('/').all(is_segment) {
            return Err(KmsError::Settings(format!(
                "{ENGINE_VARIABLE} is no path of a secrets engine; write one like `{ENGINE}`"
            )));
        }
        Ok(Self {
            server,
            session: Session::new(login),
            engine,
        })
    }

    /// Path of the engine.
    pub(super) fn engine(&self) -> &str {
        &self.engine
    }

    /// The server, for people.
    pub(super) fn place(&self) -> &str {
        self.server.place()
    }

    /// Makes a request. A status that is neither success nor a refusal is the caller's.
    pub(super) async fn ask(&self, asked: &Asked) -> Result<Answer, KmsError> {
        let mut token = self.session.token(&self.server).await?;
        for is_last in [false, true] {
            let request = Request {
                doing: &asked.doing,
                method: asked.method.clone(),
                path: &asked.path,
                token: Some(token.expose()),
                body: asked.body.as_deref().map(String::as_str),
            };
            let answer = self.server.send(&request).await?;
            if !matches!(answer.status, 401 | 403) {
                return Ok(answer);
            }
            match self.session.other_than(&token, &self.server).await? {
                Some(other) if !is_last => token = other,
                _ => break,
            }
        }
        Err(KmsError::Denied {
            doing: asked.doing.clone(),
            permission: asked.permission(),
        })
    }
}

fn is_segment(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    !text.is_empty() && text != ".." && text != "." && text.bytes().all(is_letter)
}
