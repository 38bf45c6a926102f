//! "Did you mean": the known word that is closest to a misspelt one.

/// The closest of `known`, if it is close enough to be a slip: at most a third of the word's
/// letters changed, added or left out.
pub(super) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 128;
    if word.len() > LONGEST {
        return None;
    }
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, letters of either case being equal.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
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
