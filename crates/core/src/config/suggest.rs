//! "Did you mean": the known word that is closest to a misspelt one.

use strsim::levenshtein;

/// The closest of `known`, if it is close enough to be a slip: at most a third of the word's
/// letters changed, added or left out. Letters of either case are equal.
pub(super) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 128;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    known
        .map(|candidate| (levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = [
            "artifacts.taskrun.format",
            "artifacts.taskrun.signer",
            "builder.id",
        ];
        let find = |word| closest(word, known.into_iter());
        assert_eq!(
            find("artifacts.taskrun.fromat"),
            Some("artifacts.taskrun.format")
        );
        assert_eq!(find("Builder.ID"), Some("builder.id"));
        assert_eq!(find("something.else"), None);
        assert_eq!(find(&"x".repeat(1_000_000)), None);
    }
}
