//! How views for people look: colours and pictograms on a terminal, plain text everywhere else, as `tkn`
//! has it. What a program reads never changes with the place.

use std::ffi::OsString;
use std::io::IsTerminal as _;

const BOLD: &str = "1";
const TITLE: &str = "4;1";
const RED: &str = "91";
const GREEN: &str = "92";
const YELLOW: &str = "93";
const BLUE: &str = "94";
const MAGENTA: &str = "95";
const CYAN: &str = "96";

/// What a view may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    has_colours: bool,
    has_pictograms: bool,
}

impl Look {
    /// For files, pipes and whoever asks for no colours.
    pub(crate) const PLAIN: Self = Self {
        has_colours: false,
        has_pictograms: false,
    };

    /// That of standard output.
    pub(crate) fn of_stdout() -> Self {
        Self::of(std::io::stdout().is_terminal(), |name| {
            std::env::var_os(name)
        })
    }

    /// The same, unless a person asks for plain text.
    pub(crate) fn wanted(no_color: bool) -> Self {
        if no_color {
            Self::PLAIN
        } else {
            Self::of_stdout()
        }
    }

    /// That of standard error.
    pub(crate) fn of_stderr() -> Self {
        Self::of(std::io::stderr().is_terminal(), |name| {
            std::env::var_os(name)
        })
    }

    /// `NO_COLOR` and `TERM=dumb` ask for plain text; pictograms need a locale with UTF-8.
    fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if !is_terminal
            || set("NO_COLOR").is_some()
            || set("TERM").is_none_or(|term| term == "dumb")
        {
            return Self::PLAIN;
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let locale = locale.map(|name| name.to_string_lossy().to_lowercase());
        Self {
            has_colours: true,
            has_pictograms: locale
                .is_some_and(|name| name.contains("utf-8") || name.contains("utf8")),
        }
    }

    /// The title of a section, with its pictogram.
    pub(crate) fn title(self, pictogram: &str, title: &str) -> String {
        let pictogram = if self.has_pictograms { pictogram } else { "" };
        format!("{pictogram}{}", self.coloured(TITLE, title))
    }

    /// The name of a field.
    pub(crate) fn field(self, name: &str) -> String {
        self.coloured(BOLD, name)
    }

    /// One of a list.
    pub(crate) fn bullet(self, name: &str) -> String {
        let bullet = if self.has_pictograms { "∙ " } else { "" };
        format!("{bullet}{name}")
    }

    /// A state, `Failed(TaskRunTimeout)`: its first word has a colour, that of `tkn` where it has one.
    pub(crate) fn state(self, text: &str) -> String {
        let end = text.find('(').unwrap_or(text.len());
        let (word, reason) = text.split_at(end);
        let colour = match word {
            "Failed" | "failed" | "no" | "Error" | "invalid" => RED,
            "Succeeded" | "yes" | "valid" => GREEN,
            "Cancelled" | "Pending" | "retrying" | "marked" | "skipped" => YELLOW,
            "Running" => BLUE,
            "Completed" => MAGENTA,
            "Started" => CYAN,
            _ => return text.to_owned(),
        };
        format!("{}{reason}", self.coloured(colour, word))
    }

    /// The word before an error.
    pub(crate) fn alarm(self, word: &str) -> String {
        self.coloured("1;31", word)
    }

    fn coloured(self, code: &str, text: &str) -> String {
        if self.has_colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The characters of a text without those that colour it: text of others is made safe before, so an escape
/// begins a colour of ours.
pub(crate) fn uncoloured(text: &str) -> impl Iterator<Item = char> {
    let mut is_code = false;
    text.chars().filter(move |character| {
        let was_code = is_code;
        is_code = if was_code {
            *character != 'm'
        } else {
            *character == '\u{1b}'
        };
        !was_code && !is_code
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(is_terminal: bool, variables: &[(&str, &str)]) -> Look {
        Look::of(is_terminal, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn only_a_terminal_that_shows_them_gets_colours_and_pictograms() {
        let term = ("TERM", "xterm-256color");
        let utf8 = ("LANG", "en_US.UTF-8");
        let all = look(true, &[term, utf8]);
        assert!(all.has_colours && all.has_pictograms);
        assert_eq!(look(false, &[term, utf8]), Look::PLAIN);
        assert_eq!(look(true, &[term, utf8, ("NO_COLOR", "1")]), Look::PLAIN);
        assert_eq!(look(true, &[("TERM", "dumb"), utf8]), Look::PLAIN);
        assert_eq!(look(true, &[utf8]), Look::PLAIN);
        assert_eq!(look(true, &[term, utf8, ("NO_COLOR", "")]), all);
        for locale in ["C", "POSIX", "de_DE.ISO-8859-1"] {
            let plain = look(true, &[term, ("LC_ALL", locale), utf8]);
            assert!(plain.has_colours && !plain.has_pictograms, "{locale}");
        }
        assert!(!look(true, &[term]).has_pictograms);
        assert!(look(true, &[term, ("LC_CTYPE", "C.utf8")]).has_pictograms);
    }

    #[test]
    fn plain_text_is_what_it_says_and_nothing_else() {
        let plain = Look::PLAIN;
        assert_eq!(plain.title("📂 ", "Workspaces"), "Workspaces");
        assert_eq!(plain.bullet("a"), "a");
        assert_eq!(plain.state("Failed(X)"), "Failed(X)");
        assert_eq!(plain.alarm("error:"), "error:");
    }

    #[test]
    fn a_state_has_one_colour_and_its_reason_none() {
        let look = look(true, &[("TERM", "xterm")]);
        assert_eq!(look.state("Failed(X)"), "\u{1b}[91mFailed\u{1b}[0m(X)");
        assert_eq!(look.state("Whatever"), "Whatever");
    }
}
