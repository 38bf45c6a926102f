//! Challenges: how a registry that responds with 401 wants clients to authenticate.
//! Sources: RFC 9110, section 11.6.1 (several challenges may share a header); "Token Authentication
//! Specification" of CNCF Distribution for realm, service and scope.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use reqwest::Url;

use crate::http::{Origin, Place};
use crate::reference::Repository;

/// Longest header that is read, in bytes: it is remembered.
const LONGEST: usize = 4 * 1024;

/// The access that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read.
    Pull,
    /// Read and write.
    Push,
}

/// A challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token.
    Bearer {
        /// The token endpoint.
        realm: Place,
        /// The registry's name at that endpoint.
        service: Option<String>,
        /// The scopes that the token has to have.
        scopes: Scopes,
    },
}

/// Why a response has no usable challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChallengeError {
    /// There is none.
    Missing,
    /// The header breaks the rules.
    Syntax,
    /// Its schemes are unknown.
    Unknown,
    /// The token endpoint is not a URL.
    Realm,
}

impl ChallengeError {
    /// What is wrong.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "the registry does not say how to authenticate",
            Self::Syntax => "the header WWW-Authenticate is malformed",
            Self::Unknown => "the registry asks for a scheme other than Basic and Bearer",
            Self::Realm => "the realm in WWW-Authenticate is not an http or https URL",
        }
    }
}

/// The scopes of a token: actions by resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// The scope of access to a repository.
    pub(crate) fn of(repository: &Repository, access: Access) -> Self {
        Self::parse(&match access {
            Access::Pull => format!("repository:{}:pull", repository.path()),
            Access::Push => format!("repository:{}:pull,push", repository.path()),
        })
    }

    /// Reads scopes separated by spaces.
    pub(crate) fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        for scope in text.split_whitespace() {
            let (resource, actions) = scope.rsplit_once(':').unwrap_or((scope, ""));
            let actions = actions.split(',').filter(|action| !action.is_empty());
            let known = scopes.0.entry(resource.to_owned()).or_default();
            known.extend(actions.map(str::to_owned));
        }
        scopes
    }

    /// Both sets of scopes.
    pub(crate) fn with(mut self, more: &Self) -> Self {
        for (resource, actions) in &more.0 {
            let known = self.0.entry(resource.clone()).or_default();
            known.extend(actions.iter().cloned());
        }
        self
    }

    /// Each scope as `type:name:action,action`.
    pub(crate) fn each(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        })
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().collect::<Vec<_>>().join(" "))
    }
}

impl Challenge {
    /// The challenge of a response. A token is preferred over a password.
    pub(crate) fn read(headers: &HeaderMap, from: &Origin) -> Result<Self, ChallengeError> {
        let mut basic = None;
        let mut found = Err(ChallengeError::Missing);
        for header in headers.get_all(WWW_AUTHENTICATE) {
            let header = header.to_str().map_err(|_| ChallengeError::Syntax)?;
            if header.len() > LONGEST {
                return Err(ChallengeError::Syntax);
            }
            let parsed = http_auth::parse_challenges(header).map_err(|_| ChallengeError::Syntax)?;
            for challenge in &parsed {
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    return bearer(challenge, from);
                }
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
                found = Err(ChallengeError::Unknown);
            }
        }
        basic.map_or(found, Ok)
    }
}

fn bearer(
    challenge: &http_auth::ChallengeRef<'_>,
    from: &Origin,
) -> Result<Challenge, ChallengeError> {
    let param = |name: &str| {
        let mut params = challenge.params.iter();
        let found = params.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped())
    };
    let realm = param("realm").ok_or(ChallengeError::Realm)?;
    let realm = Url::parse(&realm).map_err(|_| ChallengeError::Realm)?;
    let is_plain = realm.username().is_empty() && realm.password().is_none();
    if !matches!(realm.scheme(), "http" | "https") || !realm.has_host() || !is_plain {
        return Err(ChallengeError::Realm);
    }
    Ok(Challenge::Bearer {
        realm: from.leads_to(realm),
        service: param("service"),
        scopes: Scopes::parse(&param("scope").unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use windlass_core::network::Reach;

    use super::*;

    fn origin() -> Origin {
        Origin {
            place: Place {
                url: Url::parse("https://r.io/v2/").unwrap(),
                within: Reach::Private,
            },
            reach: Reach::Public,
        }
    }

    fn read(lines: &[&str]) -> Result<Challenge, ChallengeError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(line).unwrap());
        }
        Challenge::read(&headers, &origin())
    }

    fn scopes(challenge: &Challenge) -> String {
        match challenge {
            Challenge::Basic => "basic".to_owned(),
            Challenge::Bearer { scopes, .. } => scopes.to_string(),
        }
    }

    #[test]
    fn realm_service_and_scope_are_read_whatever_their_case_and_order() {
        let line =
            r#"bearer Scope="repository:a/b:push,pull",SERVICE=r.io, realm="https://t.io/x?a=\"b""#;
        let challenge = read(&[line]).unwrap();
        let Challenge::Bearer { realm, service, .. } = &challenge else {
            panic!("{challenge:?}");
        };
        assert_eq!(realm.url.as_str(), "https://t.io/x?a=%22b");
        assert_eq!(realm.within, Reach::Public);
        assert_eq!(service.as_deref(), Some("r.io"));
        assert_eq!(scopes(&challenge), "repository:a/b:pull,push");
    }

    #[test]
    fn a_token_is_preferred_among_several_challenges() {
        let one = r#"Basic realm="x, y", Negotiate, Bearer realm="https://t.io""#;
        assert_eq!(scopes(&read(&[one]).unwrap()), "");
        let two = [
            r#"Basic realm="x""#,
            r#"Bearer realm="https://t.io",scope="a:b:c""#,
        ];
        assert_eq!(scopes(&read(&two).unwrap()), "a:b:c");
        assert_eq!(
            read(&[r#"Digest realm="x", Basic realm="y""#]),
            Ok(Challenge::Basic)
        );
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        assert_eq!(read(&[]), Err(ChallengeError::Missing));
        assert_eq!(read(&["Negotiate"]), Err(ChallengeError::Unknown));
        assert_eq!(
            read(&["Bearer realm=\"https://t.io"]),
            Err(ChallengeError::Syntax)
        );
        for realm in ["/token", "file:///etc/passwd", "https://a:b@t.io", ""] {
            let line = format!("Bearer realm=\"{realm}\"");
            assert_eq!(read(&[&line]), Err(ChallengeError::Realm), "{realm}");
        }
    }

    #[test]
    fn scopes_of_one_resource_are_joined() {
        let asked = Scopes::parse("repository:a:pull repository:b:pull");
        let repository = Repository::parse("r.io/team/a").unwrap();
        let joined = Scopes::of(&repository, Access::Push).with(&asked);
        let expected = "repository:a:pull repository:b:pull repository:team/a:pull,push";
        assert_eq!(joined.to_string(), expected);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(line in "[ -~]{0,80}") {
            let _ = read(&[&line]);
        }
    }
}
