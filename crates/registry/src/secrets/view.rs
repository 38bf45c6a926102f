//! Views: a text with its escapes resolved, where each byte knows its place in the text.

/// Most layers of escapes that are resolved.
const LAYERS: usize = 3;

/// A piece of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    /// The word around the piece, such as base64 or a token, with its escapes.
    pub(super) fn word_around(self, text: &str) -> Self {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/_-=.~%\\".contains(byte);
        let bytes = text.as_bytes();
        let before = bytes.get(..self.start).unwrap_or_default();
        let after = bytes.get(self.end..).unwrap_or_default();
        Self {
            start: self.start - before.iter().rev().take_while(|byte| is_word(byte)).count(),
            end: self.end + after.iter().take_while(|byte| is_word(byte)).count(),
        }
    }
}

/// The bytes of a text, and where each is from.
#[derive(Debug, Clone)]
pub(super) struct View {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl View {
    /// The text as it is, and with each layer of escapes resolved.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let mut views = vec![Self::of(text)];
        for _ in 0..LAYERS {
            let resolved = views.last().map(Self::resolved);
            match resolved.filter(|resolved| {
                views
                    .last()
                    .is_some_and(|last| last.bytes != resolved.bytes)
            }) {
                Some(resolved) => views.push(resolved),
                None => break,
            }
        }
        views
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a piece of the view is from.
    pub(super) fn place(&self, start: usize, end: usize) -> Place {
        let found = self.places.get(start..end).unwrap_or_default();
        Place {
            start: found.first().map_or(0, |place| place.start),
            end: found.last().map_or(0, |place| place.end),
        }
    }

    fn of(text: &str) -> Self {
        let places = (0..text.len()).map(|start| Place {
            start,
            end: start + 1,
        });
        Self {
            bytes: text.as_bytes().to_vec(),
            places: places.collect(),
        }
    }

    fn resolved(&self) -> Self {
        let mut view = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            places: Vec::with_capacity(self.bytes.len()),
        };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (resolved, length) = escape(rest).unwrap_or_else(|| (rest[..1].to_vec(), 1));
            let place = self.place(at, at + length);
            view.places.extend(resolved.iter().map(|_| place));
            view.bytes.extend(resolved);
            at += length;
        }
        view
    }
}

/// The escape at the beginning, and how many bytes it takes.
fn escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text {
        [b'%', one, two, ..] => {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(*one)? * 16 + digit(*two)?;
            Some((vec![u8::try_from(value).ok()?], 3))
        }
        [b'\\', b'u', rest @ ..] => {
            let digits = std::str::from_utf8(rest.get(..4)?).ok()?;
            let letter = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            Some((letter.to_string().into_bytes(), 6))
        }
        [b'\\', letter, ..] if !letter.is_ascii_alphanumeric() => Some((vec![*letter], 2)),
        _ => None,
    }
}
