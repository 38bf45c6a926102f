//! Forms: what a secret looks like in the encodings that are looked for.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Shortest secret that is looked for within a text, and fewest characters of base64. A text with a
/// shorter secret is masked as a whole.
pub(super) const SHORTEST: usize = 4;

/// Bytes of a secret that nothing has by chance.
const LONG: usize = 8;

/// Most bytes of a secret that are looked for. A longer one is found by its beginning.
const BEGINNING: usize = 24;

/// What is kept of a secret.
#[derive(PartialEq, Eq)]
pub(super) struct Beginning {
    text: Zeroizing<String>,
    rest: Rest,
}

/// What follows the beginning of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing: it is the whole secret.
    None,
    /// Characters that stand within a word, as those of tokens.
    Word,
    /// Anything.
    Text,
}

/// How a form of a secret is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Whether it is so long that nothing has it by chance.
    pub(super) is_long: bool,
    pub(super) extent: Extent,
}

/// What is masked where a form is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The form.
    Whole,
    /// The word that it is a part of.
    Word,
    /// It and all that follows.
    Rest,
}

impl Beginning {
    pub(super) fn of(secret: &str) -> Self {
        let (text, rest) = secret.split_at(secret.floor_char_boundary(BEGINNING));
        let is_in_words = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let rest = match rest {
            "" => Rest::None,
            _ if secret.bytes().all(is_in_words) => Rest::Word,
            _ => Rest::Text,
        };
        let text = Zeroizing::new(text.to_owned());
        Self { text, rest }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is too short to be looked for within a text.
    pub(super) fn is_short(&self) -> bool {
        self.text.len() < SHORTEST
    }
}

/// Whether a name and password together are looked for besides the password: their beginning has some
/// of it, or it is so short that base64 mixes it with what stands before it.
pub(super) fn tells_more(username: &str, password: &str) -> bool {
    username.len() + LONG <= BEGINNING || password.len() < LONG
}

/// Each form of a secret. Characters escaped as in URLs or JSON are the matter of a view.
pub(super) fn forms(secret: &Beginning) -> Vec<(Zeroizing<String>, Form)> {
    if secret.is_short() {
        return Vec::new();
    }
    let text = secret.text();
    let hex = text.bytes().map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<Vec<_>>().concat();
    let url: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let is_long = text.len() >= LONG;
    let (plain, encoded) = match secret.rest {
        Rest::None => (Extent::Whole, Extent::Whole),
        Rest::Word => (Extent::Word, Extent::Word),
        Rest::Text => (Extent::Rest, Extent::Word),
    };
    let whole = [(text.to_owned(), plain), (url, plain), (hex, encoded)];
    let whole = whole.map(|(text, extent)| (Zeroizing::new(text), Form { is_long, extent }));
    let mut forms = Vec::from(whole);
    for before in 0..3 {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = middle(engine, before, text);
            let form = Form {
                is_long,
                extent: Extent::Word,
            };
            // without `+` and `/` both alphabets give the same
            let is_new = !forms.iter().any(|known| *known == (text.clone(), form));
            if text.len() >= SHORTEST && is_new {
                forms.push((text, form));
            }
        }
    }
    forms
}

/// What base64 of a text has of a secret that begins at the byte `before` of three, whatever stands
/// before and after it.
fn middle(
    engine: &base64::engine::GeneralPurpose,
    before: usize,
    secret: &str,
) -> Zeroizing<String> {
    let plain = Zeroizing::new([&[0; 2][..before], secret.as_bytes()].concat());
    let text = Zeroizing::new(engine.encode(&*plain));
    // a character that has bits of something else is left out at both ends
    let first = (before * 8).div_ceil(6);
    let last = plain.len() * 8 / 6;
    Zeroizing::new(text.get(first..last).unwrap_or_default().to_owned())
}
