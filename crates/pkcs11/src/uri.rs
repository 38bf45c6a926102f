//! PKCS#11 URIs (RFC 7512): which token, which key, which library, where the PIN is.
//!
//! An attribute that is not known here is an error: to leave it out could mean another key.

use windlass_core::percent;

use crate::error::Error;

/// A key as a URI names it. What is none is not asked of the token or the key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    pub(crate) token: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) manufacturer: Option<String>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) object: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) module_path: Option<String>,
    pub(crate) module_name: Option<String>,
    pub(crate) pin_source: Option<String>,
}

impl Uri {
    /// Reads a URI, with or without `pkcs11:` before it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix("pkcs11:").unwrap_or(text);
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut uri = Self::default();
        uri.read(path, ';', true)?;
        uri.read(query, '&', false)?;
        uri.complete()
    }

    fn read(&mut self, part: &str, separator: char, is_path: bool) -> Result<(), Error> {
        let attributes = part.split(separator);
        for attribute in attributes.filter(|attribute| !attribute.is_empty()) {
            let named = attribute.split_once('=');
            let (name, value) = named.ok_or_else(|| malformed("an attribute has no `=`"))?;
            self.set(name, value, is_path)?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str, is_path: bool) -> Result<(), Error> {
        match (is_path, name) {
            (true, "token") => once(&mut self.token, text(value)?),
            (true, "serial") => once(&mut self.serial, text(value)?),
            (true, "model") => once(&mut self.model, text(value)?),
            (true, "manufacturer") => once(&mut self.manufacturer, text(value)?),
            (true, "object") => once(&mut self.object, text(value)?),
            (true, "id") => once(&mut self.id, bytes(value)?),
            (true, "slot-id") => {
                let number = value.parse();
                let number = number.map_err(|_| malformed("`slot-id` is not a decimal number"))?;
                once(&mut self.slot_id, number)
            }
            (true, "type") if matches!(value, "private" | "public") => Ok(()),
            (true, "type") => Err(malformed("its `type` is not that of a key")),
            (false, "module-path") => once(&mut self.module_path, text(value)?),
            (false, "module-name") => once(&mut self.module_name, text(value)?),
            (false, "pin-source") => once(&mut self.pin_source, text(value)?),
            (_, "pin-value") => Err(malformed(
                "it has a `pin-value`, which every user of this machine could read: write the PIN into a file \
                 and name that as `pin-source`, or set COSIGN_PKCS11_PIN",
            )),
            _ => Err(malformed(
                "it has an attribute that is not known here; known are token, serial, model, manufacturer, \
                 slot-id, object, id and type, and after the `?` module-path, module-name and pin-source",
            )),
        }
    }

    fn complete(self) -> Result<Self, Error> {
        let names_token = self.token.is_some() || self.serial.is_some() || self.slot_id.is_some();
        if !names_token {
            return Err(malformed("it has none of token, serial and slot-id"));
        }
        if self.object.is_none() && self.id.is_none() {
            return Err(malformed("it has neither object nor id"));
        }
        Ok(self)
    }
}

fn malformed(why: &str) -> Error {
    Error::Uri(why.to_owned())
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Error> {
    if place.replace(value).is_some() {
        return Err(malformed("an attribute stands in it twice"));
    }
    Ok(())
}

fn text(value: &str) -> Result<String, Error> {
    let text = String::from_utf8(bytes(value)?);
    let text = text.map_err(|_| malformed("an attribute is not UTF-8"))?;
    if text.is_empty() || text.contains('\0') {
        return Err(malformed("an attribute is empty or has a NUL"));
    }
    Ok(text)
}

/// A value without its percent-encoding.
fn bytes(value: &str) -> Result<Vec<u8>, Error> {
    let decoded = percent::decode(value).map(|bytes| bytes.to_vec());
    decoded.ok_or_else(|| malformed("a `%` is not followed by two hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_token_and_a_key() {
        let uri =
            Uri::parse("pkcs11:token=My%20token;object=%c3%bc;id=%01%aB;type=private").unwrap();
        let expected = Uri {
            token: Some("My token".to_owned()),
            object: Some("ü".to_owned()),
            id: Some(vec![1, 0xab]),
            ..Uri::default()
        };
        assert_eq!(uri, expected);
        let uri = "slot-id=7;serial=s;model=m;manufacturer=f;object=o?module-name=softhsm2&pin-source=file:/run/p";
        let expected = Uri {
            slot_id: Some(7),
            serial: Some("s".to_owned()),
            model: Some("m".to_owned()),
            manufacturer: Some("f".to_owned()),
            object: Some("o".to_owned()),
            module_name: Some("softhsm2".to_owned()),
            pin_source: Some("file:/run/p".to_owned()),
            ..Uri::default()
        };
        assert_eq!(Uri::parse(uri).unwrap(), expected);
    }

    #[test]
    fn what_names_no_key_is_refused_and_not_repeated() {
        for (text, expected) in [
            ("", "none of token"),
            ("object=s3cret", "none of token"),
            ("token=s3cret", "neither object nor id"),
            ("token=t;object", "no `=`"),
            ("token=t;object=o;s3cret=x", "not known here"),
            ("token=t;object=o;library-version=3", "not known here"),
            ("token=t;object=o;pin-source=/s3cret", "not known here"),
            ("token=t;object=o?s3cret=x", "not known here"),
            ("token=t;object=o;type=cert", "not that of a key"),
            ("token=t;token=s3cret;object=o", "twice"),
            ("token=t;object=s3cret%", "not followed"),
            ("token=t;object=s3cret%g0", "not followed"),
            ("token=t;object=%ff", "not UTF-8"),
            ("token=;object=o", "is empty"),
            ("token=t;object=a%00b", "has a NUL"),
            ("slot-id=s3cret;object=o", "not a decimal number"),
            ("token=t;object=o?pin-value=s3cret", "COSIGN_PKCS11_PIN"),
            ("token=t;object=o;pin-value=s3cret", "COSIGN_PKCS11_PIN"),
        ] {
            let error = Uri::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
