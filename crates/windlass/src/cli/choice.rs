//! The choice of a run by a person at a terminal: a list on standard error, newest first, that is made
//! shorter by typing a part of a name, and a number.
//!
//! `tkn` opens a finder that takes the whole screen. A list needs no more of a terminal than lines, and
//! leaves standard output to what is asked for.

use std::io::{BufRead, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use windlass_core::run::Kind;

use crate::cli::output::look::Look;
use crate::cli::output::table::Table;
use crate::cli::output::{self, cells, clean};
use crate::input::take_stdin;
use crate::inspect::listing::{Detail, newest};
use crate::inspect::runs::Runs;
use crate::inspect::summary::Summary;

/// Longest line that is read.
const LINE: u64 = 1024;
/// Most runs that are shown at once.
const SHOWN: usize = 20;

/// A run of the list.
struct Entry {
    name: String,
    /// Its other cells.
    cells: [String; 3],
}

impl Entry {
    fn of(run: &Summary, look: Look) -> Self {
        Self {
            name: run.metadata.name.clone(),
            cells: cells::status(&run.status, Timestamp::now(), look),
        }
    }

    /// Whether each of the words is in the name or in another cell.
    fn fits(&self, words: &str) -> bool {
        let all = format!("{} {}", self.name, self.cells.join(" ")).to_lowercase();
        words.split_whitespace().all(|word| all.contains(word))
    }
}

/// The name of the run that a person chooses from the newest ones, at most `limit`. A run that is the only one
/// is not asked for.
pub(super) async fn run(runs: &Runs<'_>, kind: Kind, limit: usize) -> anyhow::Result<String> {
    let mut warnings = Vec::new();
    let rows = newest(runs, None, limit, Detail::Summary, &mut warnings).await?;
    output::warn(&warnings);
    let look = Look::of_stderr();
    let mut entries: Vec<_> = rows
        .iter()
        .map(|row| Entry::of(&row.summary, look))
        .collect();
    ensure!(!entries.is_empty(), "no {kind}s found {}", runs.place());
    if entries.len() == 1 {
        return Ok(entries.remove(0).name);
    }
    ensure!(
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        "--fzf asks a person at a terminal, and there is none; name one of the {} {kind}s, or use --last \
         for the newest one",
        entries.len()
    );
    let mut input = take_stdin().context("cannot ask which run is meant")?;
    choose(&entries, kind, &mut input, output::say)
}

/// Asks until one is chosen.
fn choose(
    entries: &[Entry],
    kind: Kind,
    input: &mut impl BufRead,
    mut say: impl FnMut(&str),
) -> anyhow::Result<String> {
    let mut fitting: Vec<&Entry> = entries.iter().collect();
    say(&list(&fitting));
    loop {
        say("Number, or part of a name: ");
        let mut line = Vec::new();
        let read = (&mut *input).take(LINE).read_until(b'\n', &mut line);
        let read = read.context("cannot read which run is meant")?;
        let typed = String::from_utf8_lossy(&line).trim().to_lowercase();
        if read == 0 || typed.is_empty() {
            bail!("no {kind} was chosen; name one, or use --last for the newest one");
        }
        if let Some(entry) = entries.iter().find(|entry| entry.name == typed) {
            return Ok(entry.name.clone());
        }
        if let Ok(number) = typed.parse::<usize>() {
            let shown = fitting.iter().take(SHOWN);
            if let Some(entry) = number.checked_sub(1).and_then(|at| shown.clone().nth(at)) {
                return Ok(entry.name.clone());
            }
        }
        let found: Vec<_> = entries.iter().filter(|entry| entry.fits(&typed)).collect();
        match found.as_slice() {
            [] => say(&format!("No {kind} has that; type something else.\n")),
            [entry] => {
                say(&format!("{}\n", clean::line(&entry.name)));
                return Ok(entry.name.clone());
            }
            _ => {
                fitting = found;
                say(&list(&fitting));
            }
        }
    }
}

/// The first of the runs with their numbers, and how many there are besides.
fn list(entries: &[&Entry]) -> String {
    let mut table = Table::default();
    for (index, entry) in entries.iter().take(SHOWN).enumerate() {
        let number = format!("{:>2}", index + 1);
        let name = clean::line(&entry.name).into_owned();
        table.row([number, name].into_iter().chain(entry.cells.clone()));
    }
    let text = table.text("");
    let more = entries.len().saturating_sub(SHOWN);
    if more == 0 {
        return text;
    }
    format!("{text}and {more} more; type a part of the name to find one\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<Entry> {
        let cells = |name: &str| {
            let state = if name.contains("bad") {
                "Failed"
            } else {
                "Succeeded"
            };
            ["1 hour ago", "5s", state].map(str::to_owned)
        };
        let entry = |name: &&str| Entry {
            name: (*name).to_owned(),
            cells: cells(name),
        };
        names.iter().map(entry).collect()
    }

    /// What is chosen of the runs by these lines, and what is shown.
    fn typed(names: &[&str], lines: &str) -> (Result<String, String>, String) {
        let mut shown = String::new();
        let mut input = lines.as_bytes();
        let chosen = choose(&entries(names), Kind::Task, &mut input, |text| {
            shown.push_str(text);
        });
        (chosen.map_err(|error| error.to_string()), shown)
    }

    const NAMES: [&str; 4] = ["build-b7", "build-a1", "bad-build", "push-2"];

    #[test]
    fn a_number_chooses_what_it_stands_at() {
        let (chosen, shown) = typed(&NAMES, "2\n");
        assert_eq!(chosen.unwrap(), "build-a1");
        assert!(
            shown.starts_with(" 1   build-b7    1 hour ago   5s   Succeeded\n 2   build-a1"),
            "{shown}"
        );
    }

    #[test]
    fn parts_of_a_name_make_the_list_shorter_until_one_is_left() {
        let (chosen, shown) = typed(&NAMES, "BUILD\n3\n");
        assert_eq!(chosen.unwrap(), "bad-build");
        assert!(!shown.contains("4   push-2\n 1"), "{shown}");
        for (lines, expected) in [
            ("push\n", "push-2"),
            ("failed\n", "bad-build"),
            ("build b7\n", "build-b7"),
            ("push-2\n", "push-2"),
            ("nothing\n9\nbuild\n1\n", "build-b7"),
        ] {
            assert_eq!(typed(&NAMES, lines).0.unwrap(), expected, "{lines}");
        }
        // a number that is none of the list is a part of a name
        assert_eq!(typed(&NAMES, "7\n").0.unwrap(), "build-b7");
        assert_eq!(typed(&["a1", "2", "c"], "2\n").0.unwrap(), "2");
    }

    #[test]
    fn nothing_that_is_typed_chooses_nothing() {
        for lines in ["", "\n", "nothing\n", "build\n\n"] {
            let error = typed(&NAMES, lines).0.unwrap_err();
            assert!(error.contains("no TaskRun was chosen"), "{error}");
            assert!(error.contains("--last"), "{error}");
        }
    }

    #[test]
    fn a_long_list_says_how_many_it_leaves_out() {
        let names: Vec<String> = (0..50).map(|number| format!("run-{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (chosen, shown) = typed(&names, "49\n");
        assert_eq!(chosen.unwrap(), "run-49");
        assert!(shown.contains("20   run-19"), "{shown}");
        assert!(!shown.contains("run-20"), "{shown}");
        assert!(shown.contains("and 30 more; type a part"), "{shown}");
    }

    #[test]
    fn what_is_typed_has_a_bound_and_names_cannot_move_the_cursor() {
        let (chosen, shown) = typed(&["a\u{1b}[2J", "b"], &"x".repeat(5000));
        assert!(chosen.is_err());
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}
