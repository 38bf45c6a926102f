//! Keys of a Docker configuration: the repositories that a credential is for.
//!
//! A key is a host with an optional scheme, port and path. Within each part of the host, `*`, `?`
//! and `[a-z]` are wildcards, as in Kubernetes. A path matches itself and everything below it:
//! `r.io/foo` matches `r.io/foo/bar`, not `r.io/foobar`. All names of Docker Hub are equal.

use crate::reference::Repository;

/// The name of Docker Hub in references.
const HUB: &str = "index.docker.io";
/// Other names of Docker Hub.
const HUB_ALIASES: [&str; 4] = [
    "docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
];

/// A parsed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    host: String,
    port: Option<String>,
    path: Vec<String>,
}

/// How well a key matches, ordered from worse to better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fit {
    path: usize,
    is_exact: bool,
    host: usize,
}

impl Pattern {
    /// Reads a key; none if it is no address of a registry.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        let rest = match key.trim().split_once("://") {
            Some(("http" | "https", rest)) => rest,
            Some(_) => return None,
            None => key.trim(),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || authority.contains('@') || rest.contains(char::is_whitespace) {
            return None;
        }
        let (host, port) = split_port(authority);
        if host.is_empty() || port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
        let path = path.split('/').filter(|part| !part.is_empty());
        let mut path: Vec<_> = path.map(str::to_owned).collect();
        // The API version that Docker writes after the host is no part of a repository.
        if matches!(path.first().map(String::as_str), Some("v1" | "v2")) {
            path.remove(0);
        }
        Some(Self {
            host: canonical(host),
            port: port.filter(|port| *port != "443").map(str::to_owned),
            path,
        })
    }

    /// How well the key matches a repository; none if it does not.
    pub(crate) fn fit(&self, repository: &Repository) -> Option<Fit> {
        let (host, port) = split_port(repository.registry());
        let port = port.filter(|port| *port != "443");
        self.fit_parts(&canonical(host), port, repository.path().split('/'))
    }

    /// How well the key matches all that another one is for; none if it does not.
    pub(crate) fn covers(&self, other: &Self) -> Option<Fit> {
        let path = other.path.iter().map(String::as_str);
        self.fit_parts(&other.host, other.port.as_deref(), path)
    }

    /// Whether the key is for some of what another one is for, and not for all of it.
    pub(crate) fn is_part_of(&self, other: &Self) -> bool {
        self.port == other.port
            && (self.host == other.host || hosts_match(&self.host, &other.host))
            && self.path.len() > other.path.len()
            && self.path.starts_with(&other.path)
    }

    /// Whether the host stands for more than one.
    pub(crate) fn has_wildcards(&self) -> bool {
        // an address of IPv6 is in brackets
        let is_address = self.host.starts_with('[') && self.host.contains(':');
        self.host.contains(['*', '?']) || (self.host.contains('[') && !is_address)
    }

    fn fit_parts<'p>(
        &self,
        host: &str,
        port: Option<&str>,
        mut path: impl Iterator<Item = &'p str>,
    ) -> Option<Fit> {
        let is_exact = self.host == host;
        if self.port.as_deref() != port || !(is_exact || hosts_match(&self.host, host)) {
            return None;
        }
        let covers = self.path.iter().all(|part| path.next() == Some(part));
        covers.then_some(Fit {
            path: self.path.len(),
            is_exact,
            host: self.host.len(),
        })
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn canonical(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if HUB_ALIASES.contains(&host.as_str()) {
        return HUB.to_owned();
    }
    host
}

fn hosts_match(pattern: &str, host: &str) -> bool {
    let (patterns, parts) = (pattern.split('.'), host.split('.'));
    patterns.clone().count() == parts.clone().count()
        && patterns
            .zip(parts)
            .all(|(pattern, part)| part_matches(pattern.as_bytes(), part.as_bytes()))
}

/// Matches one part of a host. Only the last `*` is ever tried anew, so that time stays linear in
/// the product of both lengths.
fn part_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
            continue;
        }
        if let Some(length) = one_matches(&pattern[p..], text[t]) {
            p += length;
            t += 1;
            continue;
        }
        let Some((at, from)) = star else {
            return false;
        };
        star = Some((at, from + 1));
        (p, t) = (at + 1, from + 1);
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether the pattern begins with something that stands for this letter, and how long that is.
fn one_matches(pattern: &[u8], letter: u8) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => {
            let end = pattern.iter().position(|byte| *byte == b']')?;
            let class = &pattern[1..end];
            let (is_negated, class) = match class.strip_prefix(b"^") {
                Some(rest) => (true, rest),
                None => (false, class),
            };
            (class_holds(class, letter) != is_negated).then_some(end + 1)
        }
        byte => (byte == letter).then_some(1),
    }
}

fn class_holds(mut class: &[u8], letter: u8) -> bool {
    while let [first, rest @ ..] = class {
        if let [b'-', last, after @ ..] = rest {
            if (*first..=*last).contains(&letter) {
                return true;
            }
            class = after;
        } else if *first == letter {
            return true;
        } else {
            class = rest;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(key: &str, repository: &str) -> bool {
        let repository = Repository::parse(repository).unwrap();
        Pattern::parse(key).is_some_and(|pattern| pattern.fit(&repository).is_some())
    }

    #[test]
    fn a_path_ends_at_a_slash() {
        for key in [
            "r.io/foo",
            "https://r.io/foo/",
            "http://r.io/v2/foo",
            "r.io",
            "r.io:443/",
        ] {
            assert!(fits(key, "r.io/foo"), "{key}");
            assert!(fits(key, "r.io/foo/bar"), "{key}");
        }
        assert!(!fits("r.io/foo", "r.io/foobar"));
        assert!(!fits("r.io/foo/bar", "r.io/foo"));
        assert!(!fits("r.io/team", "r.io/team-b"));
    }

    #[test]
    fn ports_have_to_be_equal() {
        assert!(fits("r.io:5000", "r.io:5000/app"));
        assert!(!fits("r.io", "r.io:5000/app"));
        assert!(!fits("r.io:5000", "r.io/app"));
        assert!(fits("[::1]:5000", "[::1]:5000/app"));
    }

    #[test]
    fn a_wildcard_stands_within_one_part_of_the_host() {
        assert!(fits("*.r.io", "eu.r.io/app"));
        assert!(!fits("*.r.io", "a.eu.r.io/app"));
        assert!(!fits("*.r.io", "r.io/app"));
        assert!(fits("*.*.r.io", "a.eu.r.io/app"));
        assert!(fits("e?.r[h-j]o.c[^x]m", "eu.rio.com/app"));
        assert!(!fits("e?.r[h-j]o.c[^o]m", "eu.rio.com/app"));
        assert!(fits("1*3.r.io", "1232123.r.io/app"));
        assert!(!fits("[.r.io", "a.r.io/app"));
    }

    #[test]
    fn the_names_of_docker_hub_are_one() {
        let keys = [
            "docker.io",
            "https://index.docker.io/v1/",
            "index.docker.io",
            "registry-1.docker.io",
            "https://registry.hub.docker.com",
            "docker.io/library",
        ];
        for key in keys {
            assert!(fits(key, "app"), "{key}");
            assert!(fits(key, "docker.io/library/app"), "{key}");
        }
        assert!(!fits("docker.io/team", "app"));
        assert!(!fits("docker.io", "example.docker.io/app"));
    }

    #[test]
    fn the_longest_match_is_the_best() {
        let repository = Repository::parse("eu.r.io/team/app").unwrap();
        let fit = |key| Pattern::parse(key).unwrap().fit(&repository).unwrap();
        assert!(fit("*.r.io/team/app") > fit("eu.r.io/team"));
        assert!(fit("eu.r.io/team") > fit("*.r.io/team"));
        assert!(fit("eu.r.io") > fit("*.r.io"));
    }

    #[test]
    fn what_is_no_address_is_no_key() {
        for key in [
            "",
            "ftp://r.io",
            "https://",
            "user:pass@r.io",
            "r.io:x",
            "a b",
            "/foo",
        ] {
            assert_eq!(Pattern::parse(key), None, "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_key_makes_it_panic_or_slow(key in "[a-z*?\\[\\]^./:-]{0,60}") {
            let _ = fits(&key, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.r.io:5000/foo/bar");
        }
    }
}
