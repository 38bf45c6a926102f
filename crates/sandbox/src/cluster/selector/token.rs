//! The tokens of a label selector.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'s> {
    /// A key, a value, or the words `in` and `notin`, which may be either of them.
    Word(&'s str),
    Not,
    Equal,
    NotEqual,
    Above,
    Below,
    Comma,
    Open,
    Closed,
    End,
}

impl Token<'_> {
    /// As it was written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Not => "!",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Above => ">",
            Self::Below => "<",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Closed => ")",
            Self::End => "",
        }
    }
}

/// The tokens of a text, the end of it last.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match (first, rest.as_bytes().get(1)) {
            ('!', Some(b'=')) => (Token::NotEqual, 2),
            ('=', Some(b'=')) => (Token::Equal, 2),
            ('!', _) => (Token::Not, 1),
            ('=', _) => (Token::Equal, 1),
            ('>', _) => (Token::Above, 1),
            ('<', _) => (Token::Below, 1),
            (',', _) => (Token::Comma, 1),
            ('(', _) => (Token::Open, 1),
            (')', _) => (Token::Closed, 1),
            _ => {
                let word = rest.split(|c| is_blank(c) || "=!(),<>".contains(c)).next();
                let word = word.unwrap_or_default();
                (Token::Word(word), word.len())
            }
        };
        tokens.push(token);
        rest = rest
            .get(length..)
            .unwrap_or_default()
            .trim_start_matches(is_blank);
    }
    tokens.push(Token::End);
    tokens
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_need_no_blanks_between_them() {
        let shown: Vec<_> = tokens("!a, b!=c,d in(e)\tf==g>1")
            .iter()
            .map(|token| token.text().to_owned())
            .collect();
        let expected = [
            "!", "a", ",", "b", "!=", "c", ",", "d", "in", "(", "e", ")", "f", "=", "g", ">", "1",
            "",
        ];
        assert_eq!(shown, expected);
        assert_eq!(tokens(" "), [Token::End]);
    }
}
