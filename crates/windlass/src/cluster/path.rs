//! Paths of the Kubernetes API. Every request is made for an [`ApiPath`], and a path is made of a
//! [`Resource`] and of names that are checked here, so that no name becomes another path or a query.
//!
//! Runs choose names that end up in paths: of service accounts, of secrets, of task runs. A name that
//! no object can have is never sent. The request then fails with [`InvalidName`], which callers treat
//! like a missing object.
//!
//! Source: Kubernetes, "Object Names and IDs" (RFC 1123 subdomains and labels).

use windlass_core::run::Kind;
use windlass_core::terminal::quoted;

/// Longest name of an object.
const NAME_LIMIT: usize = 253;
/// Longest name of a namespace.
const LABEL_LIMIT: usize = 63;

/// A kind of object, as paths name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource {
    group: &'static str,
    plural: &'static str,
}

impl Resource {
    pub(crate) const CONFIG_MAPS: Self = Self::core("configmaps");
    pub(crate) const DEPLOYMENTS: Self = Self {
        group: "/apis/apps/v1",
        plural: "deployments",
    };
    pub(crate) const EVENTS: Self = Self::core("events");
    pub(crate) const LEASES: Self = Self {
        group: "/apis/coordination.k8s.io/v1",
        plural: "leases",
    };
    pub(crate) const NAMESPACES: Self = Self::core("namespaces");
    pub(crate) const PODS: Self = Self::core("pods");
    pub(crate) const SECRETS: Self = Self::core("secrets");
    pub(crate) const SELF_SUBJECT_ACCESS_REVIEWS: Self = Self::review("selfsubjectaccessreviews");
    pub(crate) const SERVICE_ACCOUNTS: Self = Self::core("serviceaccounts");
    pub(crate) const SUBJECT_ACCESS_REVIEWS: Self = Self::review("subjectaccessreviews");

    const fn review(plural: &'static str) -> Self {
        let group = "/apis/authorization.k8s.io/v1";
        Self { group, plural }
    }

    const fn core(plural: &'static str) -> Self {
        let group = "/api/v1";
        Self { group, plural }
    }

    /// Runs of a kind.
    pub(crate) const fn runs(kind: Kind) -> Self {
        Self {
            group: "/apis/tekton.dev/v1",
            plural: kind.plural(),
        }
    }
}

/// A name that no object can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} cannot be the name of an object: a name has up to 253 lower-case letters, digits, '-' and \
     '.', and starts and ends with a letter or digit"
)]
pub(crate) struct InvalidName {
    /// Its beginning, quoted.
    name: String,
}

/// Path and query of a request. If one of its names is invalid, the request is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiPath {
    text: Result<String, InvalidName>,
    has_query: bool,
}

impl ApiPath {
    /// All objects of a kind: those of all namespaces, or those that have no namespace.
    pub(crate) fn all(resource: Resource) -> Self {
        let Resource { group, plural } = resource;
        Self::of(Ok(format!("{group}/{plural}")))
    }

    /// All objects of a kind in one namespace.
    pub(crate) fn within(namespace: &str, resource: Resource) -> Self {
        let Resource { group, plural } = resource;
        let checked = check_label(namespace);
        Self::of(checked.map(|()| format!("{group}/namespaces/{namespace}/{plural}")))
    }

    fn of(text: Result<String, InvalidName>) -> Self {
        Self {
            text,
            has_query: false,
        }
    }

    /// The object of this name in the collection that the path names.
    pub(crate) fn object(self, name: &str) -> Self {
        let text = self.text.and_then(|collection| {
            check_name(name)?;
            Ok(format!("{collection}/{name}"))
        });
        Self { text, ..self }
    }

    /// A part of the object that the path names, such as its log.
    pub(crate) fn part(self, part: &'static str) -> Self {
        let text = self.text.map(|object| format!("{object}/{part}"));
        Self { text, ..self }
    }

    /// The same with these parameters, which are escaped; empty ones are left out.
    pub(crate) fn query(self, parameters: &[(&str, &str)]) -> Self {
        let stated = parameters.iter().filter(|(_, value)| !value.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(stated).finish();
        if query.is_empty() {
            return self;
        }
        let before = if self.has_query { '&' } else { '?' };
        Self {
            text: self.text.map(|text| format!("{text}{before}{query}")),
            has_query: true,
        }
    }

    /// Whether these are all objects of a kind, somewhere or everywhere.
    pub(super) fn is_collection_of(&self, resource: Resource) -> bool {
        let Resource { group, plural } = resource;
        let rest = self.as_str().strip_prefix(group);
        rest.and_then(|rest| rest.strip_suffix(plural))
            .is_some_and(|rest| rest.ends_with('/'))
    }

    /// What is sent.
    pub(super) fn into_uri(self) -> Result<String, InvalidName> {
        self.text
    }

    /// What names this path in messages and maps.
    pub(crate) fn as_str(&self) -> &str {
        self.text.as_deref().unwrap_or("invalid")
    }
}

/// Tests write paths out, to say what the API server sees.
#[cfg(test)]
impl From<String> for ApiPath {
    fn from(text: String) -> Self {
        let has_query = text.contains('?');
        Self {
            text: Ok(text),
            has_query,
        }
    }
}

/// Checks the name of an object: an RFC 1123 subdomain.
pub(crate) fn check_name(name: &str) -> Result<(), InvalidName> {
    let fits = name.len() <= NAME_LIMIT && name.split('.').all(is_part);
    fits.then_some(()).ok_or_else(|| invalid(name))
}

/// Checks the name of a namespace: an RFC 1123 label.
pub(crate) fn check_label(name: &str) -> Result<(), InvalidName> {
    let fits = name.len() <= LABEL_LIMIT && is_part(name);
    fits.then_some(()).ok_or_else(|| invalid(name))
}

/// Whether this can be a name without dots, or what is between two dots of a name.
fn is_part(part: &str) -> bool {
    let is_inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    let bytes = part.as_bytes();
    bytes.iter().all(|byte| is_inner(*byte)) && is_edge(bytes.first()) && is_edge(bytes.last())
}

fn invalid(name: &str) -> InvalidName {
    InvalidName { name: quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that tenants tried, or may try, to get into a path.
    const HOSTILE: [&str; 20] = [
        "",
        ".",
        "..",
        "../../team-a/serviceaccounts/pusher",
        "?labelSelector=x",
        "?watch=true",
        "x#y",
        "default/token",
        "%2e%2e%2f",
        "a b",
        "a\nb",
        "a\0b",
        "Default",
        "é",
        "ｄefault",
        "-a",
        "a-",
        "a..b",
        "a_b",
        "a;b",
    ];

    fn secret(namespace: &str, name: &str) -> Result<String, InvalidName> {
        let path = ApiPath::within(namespace, Resource::SECRETS).object(name);
        path.query(&[("a", "b&c")]).into_uri()
    }

    #[test]
    fn no_hostile_name_gets_into_a_path() {
        let long = "a".repeat(254);
        for name in HOSTILE.into_iter().chain([long.as_str()]) {
            assert!(secret("ns", name).is_err(), "{name:?} as a name");
            assert!(secret(name, "token").is_err(), "{name:?} as a namespace");
        }
        assert!(secret("a.b", "token").is_err());
        assert!(secret(&"a".repeat(64), "token").is_err());
    }

    #[test]
    fn every_name_that_an_object_can_have_gets_into_a_path() {
        let longest = "a".repeat(253);
        for name in ["a", "0", "a-b", "a.b", "1.2-3.x", &longest] {
            let path = format!("/api/v1/namespaces/ns/secrets/{name}?a=b%26c");
            assert_eq!(secret("ns", name), Ok(path));
        }
        let all = ApiPath::all(Resource::runs(Kind::Task));
        let queried = all
            .query(&[("x", "")])
            .query(&[("a", "1")])
            .query(&[("b", "2")]);
        assert_eq!(queried.as_str(), "/apis/tekton.dev/v1/taskruns?a=1&b=2");
    }

    #[test]
    fn an_invalid_name_is_shown_quoted_and_cut() {
        let error = check_name(&format!("a\n{}", "b".repeat(1000))).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("\"a\\nbbb") && text.len() < 300, "{text}");
    }
}
