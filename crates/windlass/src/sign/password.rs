//! The password of a private key: from `COSIGN_PASSWORD`, from a prompt, or piped in, as cosign
//! takes it. A password from a pipe is used byte for byte.

use std::io::{self, IsTerminal, Read};

use zeroize::Zeroizing;

use crate::input::take_stdin;

/// The environment variable that holds the password.
const VARIABLE: &str = "COSIGN_PASSWORD";
/// Longest password that is read from a pipe.
const LIMIT: u64 = 1024 * 1024;

type Password = Zeroizing<Vec<u8>>;

/// The password of a key that exists.
pub(crate) fn ask(prompt: &str) -> io::Result<Password> {
    given(|| typed(prompt))
}

/// The password of a new key; typed ones are asked for twice.
pub(crate) fn choose() -> io::Result<Password> {
    let twice = || {
        let first = typed("Enter password for private key: ")?;
        let again = typed("Enter password for private key again: ")?;
        if first == again {
            Ok(first)
        } else {
            Err(io::Error::other("the passwords differ"))
        }
    };
    given(twice)
}

fn given(prompt: impl FnOnce() -> io::Result<Password>) -> io::Result<Password> {
    if let Some(value) = std::env::var_os(VARIABLE) {
        return Ok(Zeroizing::new(value.into_encoded_bytes()));
    }
    if io::stdin().is_terminal() {
        return prompt();
    }
    let mut piped = Zeroizing::new(Vec::with_capacity(4096));
    let input = take_stdin().map_err(|_| {
        io::Error::other("standard input is read for something else; set COSIGN_PASSWORD")
    })?;
    input.take(LIMIT).read_to_end(&mut piped)?;
    Ok(piped)
}

fn typed(prompt: &str) -> io::Result<Password> {
    rpassword::prompt_password(prompt).map(|text| Zeroizing::new(text.into_bytes()))
}
