//! `registries.shared-credentials`: the repositories for which the runs of a namespace may use the
//! credentials of the controller itself.
//!
//! Each line is `NAMESPACE PATTERN[,PATTERN…]`. A `*` in place of the namespace or of a pattern
//! stands for any. Empty lines and lines that begin with `#` are comments.

use std::collections::BTreeMap;

use crate::image::{Pattern, PatternError};

/// What stands for any namespace and any repository.
const ANY: &str = "*";
/// Most letters of the name of a namespace.
const LONGEST_NAME: usize = 63;

/// Which namespaces share the credentials of the controller, and for which repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedCredentials {
    of_any: Repositories,
    by_namespace: BTreeMap<String, Repositories>,
}

/// The repositories of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Repositories {
    is_any: bool,
    patterns: Vec<Pattern>,
}

/// A line that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed<'a> {
    /// Its number, counted from 1.
    pub(super) number: usize,
    pub(super) line: &'a str,
    /// What to write instead.
    pub(super) instead: Instead,
}

/// What to write instead of a part of a line that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Instead {
    /// There are no patterns.
    #[error("NAMESPACE PATTERN[,PATTERN...]")]
    Line,
    /// The namespace cannot exist.
    #[error("the name of one namespace (a-z, 0-9 and -) or *")]
    Namespace,
    /// There is a comma without a pattern, or a space without a comma.
    #[error("one pattern between commas")]
    Comma,
    /// A pattern is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl SharedCredentials {
    /// All repositories for all namespaces: the line `* *`, as in Tekton Chains.
    pub fn everywhere() -> Self {
        Self {
            of_any: Repositories {
                is_any: true,
                patterns: Vec::new(),
            },
            by_namespace: BTreeMap::new(),
        }
    }

    /// Whether runs of a namespace share them for the repository at a path of a registry.
    pub fn include(&self, namespace: &str, registry: &str, path: &str) -> bool {
        let of_namespace = self.by_namespace.get(namespace);
        let mut lists = std::iter::once(&self.of_any).chain(of_namespace);
        lists.any(|list| list.include(registry, path))
    }

    /// Reads the lines; the error is every line that is not valid.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Malformed<'_>>> {
        let mut shared = Self::default();
        let mut malformed = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if let Err(instead) = shared.add(content) {
                malformed.push(Malformed {
                    number,
                    line: content,
                    instead,
                });
            }
        }
        if malformed.is_empty() {
            Ok(shared)
        } else {
            Err(malformed)
        }
    }

    fn add(&mut self, line: &str) -> Result<(), Instead> {
        let (namespace, patterns) = line.split_once(char::is_whitespace).ok_or(Instead::Line)?;
        let read = Repositories::parse(patterns)?;
        let known = match namespace {
            ANY => &mut self.of_any,
            name if is_name(name) => self.by_namespace.entry(name.to_owned()).or_default(),
            _ => return Err(Instead::Namespace),
        };
        known.is_any |= read.is_any;
        known.patterns.extend(read.patterns);
        Ok(())
    }
}

impl Repositories {
    fn parse(text: &str) -> Result<Self, Instead> {
        let mut read = Self::default();
        for pattern in text.split(',').map(str::trim) {
            if pattern.is_empty() || pattern.contains(char::is_whitespace) {
                return Err(Instead::Comma);
            }
            if pattern == ANY {
                read.is_any = true;
            } else {
                read.patterns.push(Pattern::parse(pattern)?);
            }
        }
        Ok(read)
    }

    fn include(&self, registry: &str, path: &str) -> bool {
        let mut patterns = self.patterns.iter();
        self.is_any || patterns.any(|pattern| pattern.fit(registry, path).is_some())
    }
}

/// Whether a namespace can have this name: a label of RFC 1123.
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    name.len() <= LONGEST_NAME
        && name.bytes().all(is_allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> SharedCredentials {
        SharedCredentials::parse(text).unwrap()
    }

    #[test]
    fn nobody_shares_anything_unless_a_line_says_so() {
        for shared in [SharedCredentials::default(), parse(""), parse("# * *\n \n")] {
            assert!(!shared.include("team-a", "r.io", "team-a/app"));
        }
    }

    #[test]
    fn a_line_is_for_its_namespace_and_its_repositories_alone() {
        let shared = parse("team-a r.io/team-a, q.io:5000\r\n\nteam-b\tr.io/team-b\nteam-a s.io");
        for (registry, path) in [
            ("r.io", "team-a"),
            ("r.io", "team-a/app"),
            ("q.io:5000", "any/app"),
            ("s.io", "app"),
        ] {
            assert!(
                shared.include("team-a", registry, path),
                "{registry}/{path}"
            );
            assert!(
                !shared.include("team-b", registry, path),
                "{registry}/{path}"
            );
            assert!(!shared.include("team-a2", registry, path));
            assert!(!shared.include("", registry, path));
            assert!(!shared.include("*", registry, path));
        }
        assert!(!shared.include("team-a", "r.io", "team-b/app"));
        assert!(!shared.include("team-a", "q.io", "any/app"));
        assert!(shared.include("team-b", "r.io", "team-b/app"));
    }

    #[test]
    fn an_asterisk_stands_for_any_namespace_and_any_repository() {
        let central = parse("* r.io/central");
        assert!(central.include("any", "r.io", "central"));
        assert!(!central.include("any", "r.io", "other"));
        let one = parse("team-a *");
        assert!(one.include("team-a", "127.0.0.1:5000", "any/app"));
        assert!(!one.include("team-b", "127.0.0.1:5000", "any/app"));
        assert_eq!(parse("* *"), SharedCredentials::everywhere());
    }

    #[test]
    fn each_line_that_is_not_valid_is_told_by_its_number() {
        let text = "team-a r.io/a\nteam-b\n# fine\nTeam r.io\nteam-* r.io\nx r.io,,q.io\n\
                    x r.io q.io\nx r.io,\nx r.io/a/*\n-x r.io\nx\u{a0}r.io/\u{a0}";
        let found = SharedCredentials::parse(text).unwrap_err();
        let found: Vec<_> = found.iter().map(|one| (one.number, one.instead)).collect();
        let expected = [
            (2, Instead::Line),
            (4, Instead::Namespace),
            (5, Instead::Namespace),
            (6, Instead::Comma),
            (7, Instead::Comma),
            (8, Instead::Comma),
            (9, Instead::Pattern(PatternError::Path)),
            (10, Instead::Namespace),
        ];
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_share_with_a_namespace_it_does_not_name(
            text in "[a-z*# ,./\n\t-]{0,60}",
        ) {
            if let Ok(shared) = SharedCredentials::parse(&text) {
                let names_any = text.lines().any(|line| line.trim_start().starts_with('*'));
                prop_assert!(names_any || !shared.include("zz9", "r.io", "app"));
            }
        }
    }
}
