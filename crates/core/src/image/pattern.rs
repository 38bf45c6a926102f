//! Patterns of repositories: the keys of a Docker configuration, and the patterns of settings.
//!
//! A pattern is a host with an optional port and path. Within each part of the host, `*`, `?` and
//! `[a-z]` are wildcards, as in Kubernetes. A path matches itself and everything below it:
//! `r.io/foo` matches `r.io/foo/bar`, not `r.io/foobar`. All names of Docker Hub are equal.

use std::net::Ipv6Addr;

/// The name of Docker Hub in references.
const HUB: &str = "index.docker.io";
/// Other names of Docker Hub.
const HUB_ALIASES: [&str; 4] = [
    "docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
];

/// A pattern of repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    host: String,
    port: Option<String>,
    path: Vec<String>,
}

/// How well a pattern matches, ordered from worse to better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    path: usize,
    is_exact: bool,
    host: usize,
}

/// Why a text is not a pattern. The text says what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It begins with the scheme of a URL.
    #[error("the name of a repository without https://")]
    Scheme,
    /// Its host is empty, or has a letter or a port that no host has.
    #[error("the host of a registry, with an optional port and path")]
    Host,
    /// Its host is none that a registry can have: names without a dot and a port are of Docker Hub.
    #[error("the full name of the registry, such as docker.io/NAME for images of Docker Hub")]
    NoRegistry,
    /// Its path has a letter that no path has.
    #[error(
        "a path of a-z, 0-9 and _ . - between single slashes; it matches everything below it too"
    )]
    Path,
}

impl Pattern {
    /// Reads a pattern from the settings. It is stricter than [`Pattern::of_key`], so that no text
    /// matches more or less than its author meant: there is no scheme, no empty part, no wildcard
    /// in the path, and `v2` is a part of a path like any other.
    ///
    /// ```
    /// use windlass_core::image::Pattern;
    ///
    /// let pattern = Pattern::parse("*.example.com/team")?;
    /// assert!(pattern.fit("eu.example.com", "team/app").is_some());
    /// assert!(pattern.fit("eu.example.com", "team-b/app").is_none());
    /// assert!(Pattern::parse("example.com/team/*").is_err());
    /// # Ok::<(), windlass_core::image::PatternError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.contains("://") {
            return Err(PatternError::Scheme);
        }
        let (authority, path) = match text.split_once('/') {
            Some((authority, path)) => (authority, path.strip_suffix('/').unwrap_or(path)),
            None => (text, ""),
        };
        let (host, port) = split_port(authority);
        if !is_host_pattern(host) || port.is_some_and(|port| !is_port(port)) {
            return Err(PatternError::Host);
        }
        let is_local = host.eq_ignore_ascii_case("localhost");
        if !host.contains(['.', ':']) && port.is_none() && !is_local {
            return Err(PatternError::NoRegistry);
        }
        let path: Vec<_> = match path {
            "" => Vec::new(),
            path => path.split('/').map(str::to_owned).collect(),
        };
        if !path.iter().all(|part| is_path_part(part)) {
            return Err(PatternError::Path);
        }
        Ok(Self::of(host, port, path))
    }

    /// Reads a key of a Docker configuration, which may be a URL; none if it is no address of a
    /// registry.
    pub fn of_key(key: &str) -> Option<Self> {
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
        Some(Self::of(host, port, path))
    }

    fn of(host: &str, port: Option<&str>, path: Vec<String>) -> Self {
        Self {
            host: canonical(host),
            port: port.filter(|port| *port != "443").map(str::to_owned),
            path,
        }
    }

    /// How well the pattern matches the repository at a path of a registry; none if it does not.
    pub fn fit(&self, registry: &str, path: &str) -> Option<Fit> {
        let (host, port) = split_port(registry);
        let port = port.filter(|port| *port != "443");
        self.fit_parts(&canonical(host), port, path.split('/'))
    }

    /// How well the pattern matches all that another one is for; none if it does not.
    pub fn covers(&self, other: &Self) -> Option<Fit> {
        let path = other.path.iter().map(String::as_str);
        self.fit_parts(&other.host, other.port.as_deref(), path)
    }

    /// Whether the pattern is for some of what another one is for, and not for all of it.
    pub fn is_part_of(&self, other: &Self) -> bool {
        self.port == other.port
            && (self.host == other.host || hosts_match(&self.host, &other.host))
            && self.path.len() > other.path.len()
            && self.path.starts_with(&other.path)
    }

    /// Whether the host stands for more than one.
    pub fn has_wildcards(&self) -> bool {
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

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_path_part(part: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    !matches!(part, "" | "." | "..") && part.bytes().all(is_allowed)
}

/// Whether a host has no empty part and no letter other than those of names and wildcards, or is an
/// IPv6 address.
fn is_host_pattern(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
        return true;
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*?[]^".contains(&byte);
    host.split('.').all(|part| {
        let mut classes = part.split('[').skip(1);
        let are_closed = classes.all(|class| class.contains(']'));
        !part.is_empty() && part.bytes().all(is_allowed) && are_closed
    })
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
    use crate::image::repository;

    fn fit(pattern: &Pattern, name: &str) -> Option<Fit> {
        let (registry, path) = repository(name).unwrap();
        pattern.fit(&registry, &path)
    }

    fn fits(key: &str, name: &str) -> bool {
        Pattern::of_key(key).is_some_and(|pattern| fit(&pattern, name).is_some())
    }

    fn setting_fits(text: &str, name: &str) -> bool {
        fit(&Pattern::parse(text).unwrap(), name).is_some()
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
        let fit = |key| fit(&Pattern::of_key(key).unwrap(), "eu.r.io/team/app").unwrap();
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
            assert_eq!(Pattern::of_key(key), None, "{key}");
        }
    }

    #[test]
    fn a_pattern_of_the_settings_matches_no_neighbour_of_its_repositories() {
        for name in [
            "r.io/prod",
            "r.io/prod/app",
            "R.IO/prod/app",
            "r.io:443/prod",
        ] {
            assert!(setting_fits("r.io/prod", name), "{name}");
        }
        for name in [
            "r.io/production",
            "r.io/prod-b/app",
            "r.io/team/prod",
            "r.io:5000/prod",
            "r.io.example.com/prod",
            "r.io./prod",
            "r.io:/prod",
            "r.io:0443/prod",
            "xr.io/prod",
            "prod/app",
        ] {
            assert!(!setting_fits("r.io/prod", name), "{name}");
        }
        assert!(setting_fits("docker.io/team", "team/app"));
        assert!(setting_fits("docker.io/team", "index.docker.io/team/app"));
        assert!(!setting_fits("docker.io/team", "team.io/team/app"));
    }

    #[test]
    fn the_api_version_is_no_wildcard_in_the_settings() {
        assert!(setting_fits("r.io/v2/app", "r.io/v2/app"));
        assert!(!setting_fits("r.io/v2", "r.io/team/app"));
    }

    #[test]
    fn a_pattern_of_the_settings_that_means_something_else_is_refused() {
        let cases = [
            ("https://r.io/team", PatternError::Scheme),
            ("", PatternError::Host),
            ("/team", PatternError::Host),
            ("r..io/team", PatternError::Host),
            (".r.io", PatternError::Host),
            ("user:word@r.io/team", PatternError::Host),
            ("r.io:x/team", PatternError::Host),
            ("r.io:/team", PatternError::Host),
            ("r.[io/team", PatternError::Host),
            ("r.io team", PatternError::Host),
            ("é.io/team", PatternError::Host),
            ("team/app", PatternError::NoRegistry),
            ("*", PatternError::NoRegistry),
            ("*/app", PatternError::NoRegistry),
            ("r.io/team/*", PatternError::Path),
            ("r.io/team*", PatternError::Path),
            ("r.io//team", PatternError::Path),
            ("r.io/team/../prod", PatternError::Path),
            ("r.io/Team", PatternError::Path),
            ("r.io/app:v1", PatternError::Path),
            ("r.io/app@sha256:00", PatternError::Path),
            ("r.io/app%2f", PatternError::Path),
        ];
        for (text, error) in cases {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
        for text in [
            "localhost/a",
            "registry:5000",
            "[::1]:5000/a",
            "*.r[a-c].io/a/",
            "r.io/",
        ] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_the_settings_accept_matches_no_more_than_the_same_key(
            text in "[a-z*.:/]{1,20}", name in "[a-z.]{1,6}/[a-z/]{1,6}",
        ) {
            if let (Ok(pattern), Ok((registry, path))) = (Pattern::parse(&text), repository(&name)) {
                let key = Pattern::of_key(&text).unwrap();
                prop_assert!(pattern.fit(&registry, &path) <= key.fit(&registry, &path));
            }
        }

        #[test]
        fn no_key_makes_it_panic_or_slow(key in "[a-z*?\\[\\]^./:-]{0,60}") {
            let _ = fits(&key, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.r.io:5000/foo/bar");
        }
    }
}
