//! Whom a certificate has to name.

use regex::Regex;

/// Most characters of a name in a finding: whoever asks Fulcio for a certificate has a say in it.
const LONGEST: usize = 200;

/// A text, or a pattern for texts.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// Exactly this.
    Exact(String),
    /// A regular expression that matches anywhere in it, as cosign's do: `^` and `$` tie it down.
    Pattern(Regex),
}

impl Matcher {
    /// A regular expression as it is typed.
    pub(crate) fn pattern(text: &str) -> Result<Self, String> {
        let compiled = Regex::new(text);
        compiled
            .map(Self::Pattern)
            .map_err(|_| "it is no regular expression in the syntax of RE2".to_owned())
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(expected) => expected == text,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Exact(expected) => format!("`{expected}`"),
            Self::Pattern(pattern) => format!("a match of `{pattern}`"),
        }
    }
}

/// What a certificate says of a workflow of GitHub, by the flag of cosign that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkflowClaim {
    Trigger,
    Sha,
    Name,
    Repository,
    Ref,
}

impl WorkflowClaim {
    fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Sha => "commit",
            Self::Name => "name",
            Self::Repository => "repository",
            Self::Ref => "ref",
        }
    }
}

/// Whom a certificate has to name, and by whose word.
#[derive(Debug, Clone)]
pub(crate) struct Signatory {
    /// The name: an e-mail address or a URI.
    pub(crate) identity: Matcher,
    /// Who identified them: the URL of an OIDC issuer.
    pub(crate) issuer: Matcher,
    /// The workflow of GitHub that signed.
    pub(crate) workflow: Vec<(WorkflowClaim, String)>,
}

/// What a certificate says of whoever it was issued to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) identity: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) workflow: Vec<(WorkflowClaim, String)>,
}

impl Signatory {
    /// Compares it with what a certificate says; the error is the finding.
    pub(crate) fn check(&self, subject: &Subject) -> Result<(), String> {
        let Self {
            identity,
            issuer,
            workflow,
        } = self;
        compare("identity", identity, subject.identity.as_deref())?;
        compare("OIDC issuer", issuer, subject.issuer.as_deref())?;
        for (claim, expected) in workflow {
            let found = subject.workflow.iter().find(|(stated, _)| stated == claim);
            let found = found.map(|(_, value)| value.as_str());
            let what = format!("workflow {}", claim.name());
            compare(&what, &Matcher::Exact(expected.clone()), found)?;
        }
        Ok(())
    }

    /// It in a line.
    pub(crate) fn describe(&self) -> String {
        let (identity, issuer) = (self.identity.describe(), self.issuer.describe());
        format!("the identity {identity} by {issuer}")
    }
}

fn compare(what: &str, expected: &Matcher, found: Option<&str>) -> Result<(), String> {
    let Some(found) = found else {
        return Err(format!("the certificate has no {what}"));
    };
    if expected.matches(found) {
        return Ok(());
    }
    let expected = expected.describe();
    Err(format!(
        "the certificate's {what} is `{found:.LONGEST$}`, expected {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signatory(identity: Matcher) -> Signatory {
        Signatory {
            identity,
            issuer: Matcher::Exact("https://issuer.example".to_owned()),
            workflow: Vec::new(),
        }
    }

    fn subject(identity: &str) -> Subject {
        Subject {
            identity: Some(identity.to_owned()),
            issuer: Some("https://issuer.example".to_owned()),
            workflow: Vec::new(),
        }
    }

    #[test]
    fn a_pattern_matches_anywhere_in_a_name_unless_it_is_tied_down() {
        let open = signatory(Matcher::pattern("me@example[.]com").unwrap());
        assert!(open.check(&subject("me@example.com")).is_ok());
        assert!(open.check(&subject("not-me@example.com.evil")).is_ok());
        let tied = signatory(Matcher::pattern("^me@example[.]com$").unwrap());
        assert!(tied.check(&subject("me@example.com")).is_ok());
        assert!(tied.check(&subject("not-me@example.com.evil")).is_err());
        assert!(Matcher::pattern("(").is_err());
    }

    #[test]
    fn identity_issuer_and_workflow_all_have_to_be_those_expected() {
        let mut expected = signatory(Matcher::Exact("me".to_owned()));
        assert!(expected.check(&subject("me")).is_ok());
        assert!(expected.check(&subject("ME")).is_err());
        let mut other = subject("me");
        other.issuer = Some("https://issuer.example/".to_owned());
        let finding = expected.check(&other).unwrap_err();
        assert!(finding.contains("OIDC issuer is"), "{finding}");
        other.issuer = None;
        let finding = expected.check(&other).unwrap_err();
        assert_eq!(finding, "the certificate has no OIDC issuer");
        expected.workflow = vec![(WorkflowClaim::Ref, "refs/heads/main".to_owned())];
        let finding = expected.check(&subject("me")).unwrap_err();
        assert_eq!(finding, "the certificate has no workflow ref");
    }

    #[test]
    fn a_finding_repeats_no_more_than_the_beginning_of_a_name() {
        let finding = signatory(Matcher::Exact("me".to_owned()))
            .check(&subject(&"n".repeat(5000)))
            .unwrap_err();
        assert!(finding.len() < 300, "{finding}");
    }
}
