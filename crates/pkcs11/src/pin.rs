//! The PIN: from the file that the URI names, or from the environment, never from an argument.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use crate::environment::{Environment, PIN};
use crate::error::Error;
use crate::uri::Uri;

/// Most bytes of a file with a PIN.
const LIMIT: usize = 1024;

/// The PIN, if one is given.
pub(crate) fn of(uri: &Uri, environment: &Environment) -> Result<Option<AuthPin>, Error> {
    let pin = match &uri.pin_source {
        Some(source) => Some(read(source)?),
        None => environment.pin.clone(),
    };
    Ok(pin.map(|pin| AuthPin::from(pin.as_str())))
}

/// What to do if there is none.
pub(crate) fn missing() -> Error {
    Error::Pin(format!(
        "the token needs a PIN; set {PIN}, or name a file with it: pkcs11:…?pin-source=/PATH"
    ))
}

/// Reads a file: a path, or a `file:` URI. RFC 7512 leaves open what else it could be; a command is not run.
fn read(source: &str) -> Result<Zeroizing<String>, Error> {
    let path = source.strip_prefix("file:").unwrap_or(source);
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Error::Pin(
            "`pin-source` is no absolute path; write pin-source=/PATH".to_owned(),
        ));
    }
    let failed =
        |why: &str| Error::Pin(format!("cannot read the PIN in {}: {why}", path.display()));
    // a pipe would be waited for
    let found = std::fs::metadata(path).map_err(|error| failed(&error.kind().to_string()))?;
    if !found.is_file() || found.len() > LIMIT as u64 {
        return Err(failed("it is no file of at most 1024 bytes"));
    }
    let mut text = Zeroizing::new(String::with_capacity(LIMIT));
    File::open(path)
        .and_then(|file| file.take(LIMIT as u64).read_to_string(&mut text))
        .map_err(|error| failed(&error.kind().to_string()))?;
    let pin = text.strip_suffix('\n').unwrap_or(&text);
    let pin = pin.strip_suffix('\r').unwrap_or(pin);
    if pin.is_empty() {
        return Err(failed("it is empty"));
    }
    Ok(Zeroizing::new(pin.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_file_without_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        let name = path.to_str().unwrap();
        for (content, pin) in [
            ("1234", "1234"),
            ("1234\n", "1234"),
            ("12 34\r\n", "12 34"),
            ("1\n\n", "1\n"),
        ] {
            std::fs::write(&path, content).unwrap();
            for source in [
                name.to_owned(),
                format!("file:{name}"),
                format!("file://{name}"),
            ] {
                assert_eq!(read(&source).unwrap().as_str(), pin);
            }
        }
    }

    #[test]
    fn what_is_no_file_with_a_pin_is_refused_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        let name = path.to_str().unwrap();
        let told = |source: &str| read(source).unwrap_err().to_string();
        assert!(told(name).contains("not found"));
        std::fs::write(&path, "\n").unwrap();
        assert!(told(name).contains("is empty"));
        std::fs::write(&path, "planted".repeat(200)).unwrap();
        let long = told(name);
        assert!(
            long.contains("at most 1024") && !long.contains("planted"),
            "{long}"
        );
        std::fs::write(&path, b"planted\xff").unwrap();
        assert!(!told(name).contains("planted"));
        for source in [
            "pin",
            "|cat /etc/passwd",
            "file:pin",
            "https://example.com/pin",
        ] {
            assert!(told(source).contains("no absolute path"), "{source}");
        }
        assert!(told("/dev/zero").contains("no file"));
    }
}
