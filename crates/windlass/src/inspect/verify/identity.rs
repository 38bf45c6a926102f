//! The repository that a signature or statement names, compared with the expected one.
//!
//! A signature is about a digest. The repository that it names comes from the results of the run that
//! built the image, whose author need not be able to push there: it is a claim, and the report says so.

use windlass_core::verify::{Attribution, Outcome, Standing};
use windlass_registry::{Reference, Repository};

/// Notes the repositories that are named, and a finding if none of them is the expected one.
pub(super) fn compare(
    outcome: &mut Outcome,
    named: impl IntoIterator<Item = String>,
    expected: Option<&Repository>,
) {
    outcome.references = named.into_iter().take(MOST_NAMES).collect();
    let Some(expected) = expected else { return };
    let is_expected = |name: &String| {
        let reference = Reference::parse(name);
        reference.is_ok_and(|reference| reference.repository == *expected)
    };
    if outcome.references.iter().any(is_expected) {
        outcome.attributions.push(Attribution {
            claim: "identity",
            value: expected.to_string(),
            standing: Standing::Claimed,
            by: "the run that reported the image".to_owned(),
        });
        return;
    }
    outcome.findings.push(match outcome.references.as_slice() {
        [] => format!("it names no repository, expected `{expected}`"),
        others => format!("it is for `{}`, expected `{expected}`", others.join("`, `")),
    });
}

/// Most names that are looked at.
const MOST_NAMES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(named: &[&str], expected: &str) -> bool {
        let mut outcome = Outcome::default();
        let named = named.iter().map(ToString::to_string);
        let expected = Repository::parse(expected).unwrap();
        compare(&mut outcome, named, Some(&expected));
        outcome.holds()
    }

    #[test]
    fn the_repository_that_an_image_is_said_to_be_in_is_a_claim() {
        let mut outcome = Outcome::default();
        let expected = Repository::parse("r.io/prod/app").unwrap();
        compare(&mut outcome, ["r.io/prod/app".to_owned()], Some(&expected));
        let [claim] = &outcome.attributions[..] else {
            panic!("{:?}", outcome.attributions);
        };
        assert_eq!(claim.claim, "identity");
        assert_eq!(claim.standing, Standing::Claimed);
        assert_eq!(claim.by, "the run that reported the image");
    }

    #[test]
    fn names_of_one_repository_are_equal_however_they_are_written() {
        assert!(holds(&["index.docker.io/library/app"], "app"));
        assert!(holds(&["docker.io/library/app"], "app"));
        assert!(holds(&["r.io/team/app"], "r.io/team/app"));
        assert!(holds(&["r.io/team/app:v1", "x"], "r.io/team/app"));
        for other in [
            "",
            "r.io/team/appx",
            "r.io/team",
            "evil.io/r.io/team/app",
            "%",
        ] {
            assert!(!holds(&[other], "r.io/team/app"), "{other}");
        }
        assert!(!holds(&[], "r.io/team/app"));
    }
}
