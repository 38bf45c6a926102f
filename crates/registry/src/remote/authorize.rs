//! One request with one candidate: what it sends of the credential, and how a challenge is
//! answered.

use http::HeaderValue;
use reqwest::Url;

use super::call::Call;
use super::send::Remote;
use crate::auth::challenge::{Access, Challenge, Scopes};
use crate::auth::token::{Outcome, Wanted};
use crate::auth::{Credential, bearer};
use crate::error::{At, Error, Said};
use crate::http::Response;
use crate::keychain::Candidate;

/// What came of trying a candidate.
pub(super) enum Tried {
    Answered(Response),
    Denied {
        status: Option<u16>,
        message: String,
    },
}

/// What is sent of a credential.
enum Shown {
    Nothing,
    /// A header; a token that was kept may be out of date.
    Header {
        value: HeaderValue,
        is_kept: bool,
    },
    /// The credential is of no use here.
    Denied {
        status: Option<u16>,
        message: String,
    },
}

impl Shown {
    fn header(&self) -> Option<&HeaderValue> {
        match self {
            Self::Header { value, .. } => Some(value),
            _ => None,
        }
    }
}

impl Remote {
    pub(super) async fn try_with(
        &self,
        call: &Call<'_>,
        at: &At,
        base: &Url,
        url: &Url,
        candidate: &Candidate,
    ) -> Result<Tried, Error> {
        let credential = &candidate.credential;
        if let Credential::Unavailable(why) = credential {
            return Ok(Tried::Denied {
                status: None,
                message: why.clone(),
            });
        }
        // A place on another host gets no credential, and is not asked what it would take.
        let is_home = url.origin() == base.origin();
        let mut shown = match self.session.challenge(&self.repository) {
            _ if !is_home => Shown::Nothing,
            known => {
                self.show(call, at, known.as_ref(), credential, None)
                    .await?
            }
        };
        let mut is_last = false;
        loop {
            if let Shown::Denied { status, message } = shown {
                return Ok(Tried::Denied { status, message });
            }
            let mut request = call.request(at, url);
            request.authorization = shown.header().cloned();
            let response = self.session.http.send(request).await?;
            if !is_home || !response.at_home || !matches!(response.status, 401 | 403) {
                return Ok(Tried::Answered(response));
            }
            let said = Said::read(&response.body, &credential.secrets());
            if call.moves_tag && said.is_about_immutability() {
                return Ok(Tried::Answered(response));
            }
            let again = if is_last {
                None
            } else {
                self.answer_to(call, at, credential, &shown, &response)
                    .await?
            };
            let Some(again) = again else {
                let message = said.to_string();
                return Ok(Tried::Denied {
                    status: Some(response.status),
                    message: message.trim_start_matches(", ").to_owned(),
                });
            };
            shown = again;
            is_last = true;
        }
    }

    /// What to show after a refusal; none if there is nothing better than what was shown.
    async fn answer_to(
        &self,
        call: &Call<'_>,
        at: &At,
        credential: &Credential,
        shown: &Shown,
        response: &Response,
    ) -> Result<Option<Shown>, Error> {
        let challenge = if response.status == 401 {
            match Challenge::read(&response.headers) {
                Ok(challenge) => challenge,
                Err(problem) => {
                    return Ok(Some(Shown::Denied {
                        status: Some(401),
                        message: problem.to_string(),
                    }));
                }
            }
        } else {
            let is_kept = matches!(shown, Shown::Header { is_kept: true, .. });
            match self.session.challenge(&self.repository).filter(|_| is_kept) {
                Some(known) => known,
                None => return Ok(None),
            }
        };
        self.session.learn(&self.repository, &challenge);
        let sent = shown.header();
        let again = self
            .show(call, at, Some(&challenge), credential, sent)
            .await?;
        Ok(match &again {
            Shown::Nothing => None,
            Shown::Header { value, .. } if Some(value) == sent => None,
            _ => Some(again),
        })
    }

    /// What a credential shows to a challenge. `refused` is what was of no use.
    async fn show(
        &self,
        call: &Call<'_>,
        at: &At,
        challenge: Option<&Challenge>,
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<Shown, Error> {
        if let Credential::RegistryToken(token) = credential {
            return Ok(bearer(token).map_or(Shown::Nothing, fresh));
        }
        match challenge {
            None => Ok(Shown::Nothing),
            Some(Challenge::Basic) => Ok(match (credential.basic(), credential) {
                (Some(value), _) => fresh(value),
                (None, Credential::IdentityToken(_)) => Shown::Denied {
                    status: None,
                    message: "the registry asks for name and password, not for a token".to_owned(),
                },
                (None, _) => Shown::Nothing,
            }),
            Some(Challenge::Bearer {
                realm,
                service,
                scopes,
            }) => {
                let from = call.from.map(|from| Scopes::of(from, Access::Pull));
                let wanted = Wanted {
                    realm,
                    service: service.as_deref(),
                    scopes: &Scopes::of(&self.repository, self.intent)
                        .with(scopes)
                        .with(&from.unwrap_or_default()),
                    credential,
                    refused,
                };
                let (tokens, clock) = (&self.session.tokens, &self.session.options.clock);
                let outcome = tokens.get(&self.session.http, clock, at, &wanted).await?;
                Ok(match outcome {
                    Outcome::Granted { value, is_kept } => Shown::Header { value, is_kept },
                    Outcome::Denied { status, message } => Shown::Denied { status, message },
                })
            }
        }
    }
}

fn fresh(value: HeaderValue) -> Shown {
    Shown::Header {
        value,
        is_kept: false,
    }
}
