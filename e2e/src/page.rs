//! Pages of the documentation, as far as scenarios read them.

use std::fmt::Write as _;

/// The end of a document within a command.
const END: &str = "END";

/// The commands of all `console` blocks, each with the document that it reads, if it reads one.
pub fn commands(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let (mut in_block, mut in_document) = (false, false);
    for line in page.lines() {
        let text = line.trim_start();
        if text.starts_with("```") {
            (in_block, in_document) = (text == "```console", false);
        } else if in_document {
            // blocks in lists are indented
            let text = line.strip_prefix("   ").unwrap_or(line);
            if let Some(command) = commands.last_mut() {
                let _ = write!(command, "\n{text}");
            }
            in_document = text != END;
        } else if let (true, Some(command)) = (in_block, text.strip_prefix("$ ")) {
            in_document = command.contains("<<'END'");
            commands.push(command.to_owned());
        }
    }
    commands
}

/// The cells of the row of a table whose first cell names this.
pub fn row(page: &str, name: &str) -> Option<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut rows = page.lines().filter(|line| line.starts_with('|')).map(cells);
    rows.find(|row| row.first().is_some_and(|first| first.contains(name)))
}
