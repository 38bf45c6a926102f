//! What the demo shows: in colour and at a pace on a terminal, plain and at once elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use crate::cli::output;

/// How long a person gets to read before the next section.
const PAUSE: Duration = Duration::from_millis(1500);
/// The same before a command of a section.
const BREATH: Duration = Duration::from_millis(400);

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";

/// Where the demo is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    has_colour: bool,
    is_paced: bool,
}

impl Screen {
    /// Standard output. `NO_COLOR` and `TERM=dumb` ask for no colours.
    pub(super) fn here() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let is_plain =
            variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb");
        Self {
            has_colour: is_terminal && !is_plain,
            is_paced: is_terminal,
        }
    }

    /// The title of a section, after time to read the one before.
    pub(super) async fn say(self, title: &str) {
        self.wait(PAUSE).await;
        print(&format!("\n{}", self.colour(BOLD, title)));
    }

    /// A command, before it is run.
    pub(super) async fn show(self, line: &str) {
        self.wait(BREATH).await;
        print(&self.colour(GREEN, &format!("$ {line}")));
    }

    /// What a command prints that was refused.
    pub(super) fn refuse(self, text: &str) {
        print(&self.colour(RED, text));
    }

    async fn wait(self, time: Duration) {
        if self.is_paced {
            tokio::time::sleep(time).await;
        }
    }

    fn colour(self, code: &str, text: &str) -> String {
        if self.has_colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Shows what needs neither colour nor time.
pub(super) fn print(text: &str) {
    if !text.is_empty() {
        // a reader that went away does not end the demo: its exit code still tells
        let _ = output::write(format!("{text}\n"));
    }
}
