//! The rows of an audit as they are printed, one by one: nothing is kept until the end, so that any
//! number of runs needs the memory of one.

use clap::ValueEnum;
use serde_json::json;

use crate::cli::output::{self, age, clean};
use crate::inspect::audit::{Counts, Row, State};

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    Table,
    Csv,
    Json,
}

/// Prints rows.
pub(super) struct Writer {
    form: Form,
    has_rows: bool,
}

impl Writer {
    /// Prints what comes before the rows.
    pub(super) fn start(form: Form) -> anyhow::Result<Self> {
        match form {
            Form::Table => {}
            Form::Csv => output::write("state,kind,namespace,name,finished,why\n")?,
            Form::Json => output::write("{\"runs\":[")?,
        }
        let has_rows = false;
        Ok(Self { form, has_rows })
    }

    /// Prints a row.
    pub(super) fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        let text = match self.form {
            Form::Table if !self.has_rows => format!("{}\n{}", line(&HEADINGS), table(row)),
            Form::Table => table(row),
            Form::Csv => csv(row),
            Form::Json => {
                let comma = if self.has_rows { ",\n" } else { "\n" };
                comma.to_owned() + &serde_json::to_string(row)?
            }
        };
        self.has_rows = true;
        output::write(text)
    }

    /// Prints what comes after the rows: how many runs are in each state, and why there are no more.
    pub(super) fn end(&self, counts: &Counts, failure: Option<&str>) -> anyhow::Result<()> {
        match self.form {
            Form::Csv => Ok(()),
            Form::Table => {
                // without a list nobody knows whether there are runs
                if failure.is_none() || !counts.is_empty() {
                    output::note(&summary(counts));
                }
                Ok(())
            }
            Form::Json => {
                let counts: serde_json::Map<_, _> = State::ALL
                    .iter()
                    .map(|state| {
                        (
                            state.word().to_owned(),
                            json!(counts.get(state).unwrap_or(&0)),
                        )
                    })
                    .collect();
                let error =
                    failure.map_or(String::new(), |why| format!(",\"error\":{}", json!(why)));
                let counts = json!(counts);
                output::write(format!("\n],\"summary\":{counts}{error}}}\n"))
            }
        }
    }
}

/// `120 signed, 1 failed`.
fn summary(counts: &Counts) -> String {
    let parts = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.word()));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        "No runs found".to_owned()
    } else {
        parts.join(", ")
    }
}

const HEADINGS: [&str; 4] = ["STATE", "RUN", "FINISHED", "WHY"];

/// Columns of these widths, which longer cells push on: the widest one of all is not known.
fn line(cells: &[&str; 4]) -> String {
    let [state, run, finished, why] = cells;
    let line = format!("{state:<10} {run:<48} {finished:<20} {why}");
    line.trim_end().to_owned()
}

fn table(row: &Row) -> String {
    let run = format!(
        "{}/{} -n {}",
        row.kind.to_ascii_lowercase(),
        row.name,
        row.namespace
    );
    let finished = row
        .finished
        .map_or(age::NONE.to_owned(), |at| at.to_string());
    let (run, why) = (clean::line(&run), clean::line(&row.why));
    line(&[row.state.word(), &run, &finished, &why]) + "\n"
}

/// RFC 4180. A cell that a spreadsheet would take for a formula is no formula: whoever may write a
/// run chooses what it says.
fn csv(row: &Row) -> String {
    let finished = row.finished.map_or(String::new(), |at| at.to_string());
    let cells = [
        row.state.word(),
        row.kind,
        &row.namespace,
        &row.name,
        &finished,
        &row.why,
    ];
    let cells = cells.map(|cell| {
        let cell = clean::line(cell).replace('"', "\"\"");
        let formula = if cell.starts_with(['=', '+', '-', '@']) {
            "'"
        } else {
            ""
        };
        format!("\"{formula}{cell}\"")
    });
    cells.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(why: &str) -> Row {
        Row {
            kind: "TaskRun",
            namespace: "a".to_owned(),
            name: "build".to_owned(),
            state: State::Failed,
            finished: None,
            why: why.to_owned(),
        }
    }

    #[test]
    fn no_text_of_a_run_becomes_a_formula_another_cell_or_another_line() {
        let cells = csv(&row("=HYPERLINK(\"http://x\")\n,\u{1b}[31m"));
        assert_eq!(
            cells,
            "\"failed\",\"TaskRun\",\"a\",\"build\",\"\",\
             \"'=HYPERLINK(\"\"http://x\"\")\\n,\\u{1b}[31m\"\n"
        );
        let line = table(&row("\u{1b}[2J\nsigned taskrun/other"));
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn counts_are_told_in_the_order_of_the_states() {
        let counts = Counts::from([(State::Failed, 1), (State::Signed, 120)]);
        assert_eq!(summary(&counts), "120 signed, 1 failed");
        assert_eq!(summary(&Counts::new()), "No runs found");
    }
}
