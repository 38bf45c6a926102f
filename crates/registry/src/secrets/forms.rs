//! Forms: what a secret looks like in the encodings that are looked for.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Fewest characters of base64 that are looked for.
const SHORTEST: usize = 4;

/// Bytes of a secret that nothing has by chance.
const LONG: usize = 8;

/// A form of a secret.
pub(super) struct Form {
    pub(super) text: Zeroizing<String>,
    /// Whether the secret is so long that nothing has it by chance.
    pub(super) is_long: bool,
    /// Whether it is the middle of an encoded word, which is masked as a whole.
    pub(super) is_part: bool,
}

/// Each form of a secret. Characters escaped as in URLs or JSON are the matter of a view.
pub(super) fn forms(secret: &str) -> Vec<Form> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<Vec<_>>().concat();
    let url = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let is_long = secret.len() >= LONG;
    let whole = |text: String| Form {
        text: Zeroizing::new(text),
        is_long,
        is_part: false,
    };
    let mut forms = vec![whole(secret.to_owned()), whole(url), whole(hex)];
    for before in 0..3 {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = middle(engine, before, secret);
            if text.len() >= SHORTEST {
                forms.push(Form {
                    text,
                    is_long,
                    is_part: true,
                });
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
