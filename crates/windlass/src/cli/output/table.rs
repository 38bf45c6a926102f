//! A table: rows of cells in columns as wide as their widest cell, three spaces apart.

use super::look::uncoloured;

/// Space between two columns, as in `tkn`.
const GAP: usize = 3;

/// Rows to be printed one below the other.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its headings.
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![headings.map(str::to_owned).to_vec()],
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each starting with `indent` and without spaces at its end.
    pub(crate) fn text(&self, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(width)
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (cell, column) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', column + GAP - width(cell)));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[expect(clippy::ptr_arg, reason = "used as a function over rows of String")]
fn width(cell: &String) -> usize {
    uncoloured(cell).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_takes_no_place() {
        let mut table = Table::default();
        table.row(["\u{1b}[91mFailed\u{1b}[0m".to_owned(), "x".to_owned()]);
        table.row(["Succeeded".to_owned(), "y".to_owned()]);
        assert_eq!(
            table.text(""),
            "\u{1b}[91mFailed\u{1b}[0m      x\nSucceeded   y\n"
        );
    }

    #[test]
    fn columns_line_up_three_spaces_apart() {
        let mut table = Table::new(["NAME", "STATUS"]);
        table.row(["∙ build-and-push".to_owned(), "Completed".to_owned()]);
        table.row(["∙ echo".to_owned(), String::new()]);
        assert_eq!(
            table.text(" "),
            " NAME               STATUS\n ∙ build-and-push   Completed\n ∙ echo\n"
        );
    }
}
