//! What windlass does otherwise on purpose, as data: each row stands in the page for users, and says how
//! the two outputs are made alike.

use anyhow::{Result, ensure};

/// The page that lists them.
const PAGE: &str = include_str!("../../../../docs/differences.md");

/// A difference of texts.
pub struct Difference {
    /// The first cell of its row in the page.
    pub row: &'static str,
    /// The runs it is about; all, if none is named.
    pub of: &'static [&'static str],
    /// What windlass prints, made like what tkn prints.
    pub ours: fn(&str) -> String,
    /// What tkn prints, made like what windlass prints.
    pub theirs: fn(&str) -> String,
}

/// For the side that is left as it is.
pub fn same(text: &str) -> String {
    text.to_owned()
}

impl Difference {
    fn is_about(&self, name: &str) -> bool {
        self.of.is_empty() || self.of.contains(&name)
    }
}

/// Two outputs about one thing.
pub struct Pair {
    pub name: String,
    pub ours: String,
    pub theirs: String,
}

impl Pair {
    /// Both, without all listed differences but the one of this number.
    fn without(&self, list: &[Difference], but: Option<usize>) -> (String, String) {
        let mut both = (self.ours.clone(), self.theirs.clone());
        for (number, difference) in list.iter().enumerate() {
            if difference.is_about(&self.name) && Some(number) != but {
                both = ((difference.ours)(&both.0), (difference.theirs)(&both.1));
            }
        }
        both
    }
}

/// Every pair is alike without the listed differences, and each of these is needed for one of them.
pub fn check(pairs: &[Pair], list: &[Difference]) -> Result<()> {
    let mut unlike = Vec::new();
    for pair in pairs {
        let (ours, theirs) = pair.without(list, None);
        if ours != theirs {
            unlike.push(format!(
                "{}\n--- windlass\n{ours}\n--- the original\n{theirs}",
                pair.name
            ));
        }
    }
    ensure!(
        unlike.is_empty(),
        "{} of {} differ:\n{}",
        unlike.len(),
        pairs.len(),
        unlike.join("\n")
    );
    for (number, difference) in list.iter().enumerate() {
        let is_needed = pairs.iter().any(|pair| {
            let (ours, theirs) = pair.without(list, Some(number));
            ours != theirs
        });
        ensure!(is_needed, "nothing differs any more: {}", difference.row);
        is_documented(difference.row)?;
    }
    Ok(())
}

/// Whether the page has a row that begins like this.
pub fn is_documented(row: &str) -> Result<()> {
    let row = format!("| {row} |");
    ensure!(
        PAGE.lines().any(|line| line.starts_with(&row)),
        "docs/differences.md has no row {row:?}"
    );
    Ok(())
}
