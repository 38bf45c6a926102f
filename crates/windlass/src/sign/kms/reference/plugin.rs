//! `NAME://REFERENCE`: a key of the plugin `sigstore-kms-NAME`, and `pkcs11:` URIs (RFC 7512), which are
//! those of the plugin `sigstore-kms-pkcs11`. What the reference means is the plugin's to say.
//!
//! A plugin gets the reference as an argument, which other users of a machine may read. The PIN of a
//! `pkcs11:` URI is therefore taken out of it, and handed over apart.

use std::fmt;

use windlass_core::percent;
use zeroize::Zeroizing;

use super::error::ReferenceError;

/// The scheme of PKCS#11, without what separates it from the rest.
pub(crate) const PKCS11: &str = "pkcs11";

/// Longest reference, in bytes: a path of the longest length, and some names.
const LONGEST: usize = 4096;
/// Longest name of a plugin.
const LONGEST_NAME: usize = 32;
/// Schemes that name something else than a key service, here or in cosign.
const OTHERS: [&str; 7] = ["env", "file", "github", "gitlab", "http", "https", "k8s"];

/// A key of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginKey {
    /// The plugin is the program `sigstore-kms-NAME`. Lower-case letters, digits and `-`.
    pub(crate) name: String,
    /// What the plugin is told: what follows the scheme, without a PIN.
    pub(crate) resource: String,
    syntax: Syntax,
}

/// How a reference is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Syntax {
    /// `NAME://REFERENCE`.
    Url,
    /// `pkcs11:`, by RFC 7512.
    Pkcs11 {
        pin: Option<Pin>,
        module: Option<String>,
    },
}

/// A PIN. It is in no text that is made of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pin(Zeroizing<String>);

impl Pin {
    /// The PIN, for the plugin.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PluginKey {
    /// Whether a scheme may be that of a plugin.
    pub(super) fn is_scheme(scheme: &str) -> bool {
        is_name(scheme) && !OTHERS.contains(&scheme)
    }

    /// Reads what follows `NAME://`.
    pub(super) fn parse(name: &str, resource: &str) -> Result<Self, ReferenceError> {
        if name == PKCS11 {
            return Self::parse_pkcs11(resource);
        }
        check(name, resource)?;
        if resource.to_ascii_lowercase().contains("pin-value") {
            return Err(malformed(
                name,
                "it has a PIN, which every user of the machine could read as an argument of the plugin; \
                 write the PIN into a file and name that as pin-source, or use pkcs11:",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            resource: resource.to_owned(),
            syntax: Syntax::Url,
        })
    }

    /// Reads what follows `pkcs11:`; slashes are skipped, as cosign has none and URLs have two.
    pub(super) fn parse_pkcs11(text: &str) -> Result<Self, ReferenceError> {
        let text = text.strip_prefix("//").unwrap_or(text);
        check(PKCS11, text)?;
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut pin, mut module, mut rest) = (None, None, Vec::new());
        for attribute in query.split('&').filter(|attribute| !attribute.is_empty()) {
            match attribute.split_once('=') {
                Some(("pin-value", value)) if pin.is_none() => {
                    let value = decoded(value);
                    let value = value
                        .ok_or_else(|| malformed(PKCS11, "its pin-value is not percent-encoded"))?;
                    pin = Some(Pin(value));
                    continue;
                }
                Some(("module-path", value)) => {
                    module = decoded(value).map(|value| value.as_str().to_owned());
                }
                _ => {}
            }
            rest.push(attribute);
        }
        // whatever may be a PIN that is misplaced stays here
        let is_pin = |attribute: &str| attribute.to_ascii_lowercase().contains("pin-value");
        if is_pin(path) || rest.iter().copied().any(is_pin) {
            return Err(malformed(
                PKCS11,
                "`pin-value=` stands once, after the `?` and between `&`",
            ));
        }
        let query = if rest.is_empty() { "" } else { "?" };
        Ok(Self {
            name: PKCS11.to_owned(),
            resource: format!("{path}{query}{}", rest.join("&")),
            syntax: Syntax::Pkcs11 { pin, module },
        })
    }

    /// The PIN that the reference has in it.
    pub(crate) fn pin(&self) -> Option<&Pin> {
        match &self.syntax {
            Syntax::Url => None,
            Syntax::Pkcs11 { pin, .. } => pin.as_ref(),
        }
    }

    /// The library that the reference asks for.
    pub(crate) fn module(&self) -> Option<&str> {
        match &self.syntax {
            Syntax::Url => None,
            Syntax::Pkcs11 { module, .. } => module.as_deref(),
        }
    }
}

/// Without what follows a `?` of a plugin that is not known here, or what stands before an `@`: there are
/// passwords in such places.
impl fmt::Display for PluginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, resource, .. } = self;
        match &self.syntax {
            Syntax::Pkcs11 { .. } => write!(f, "{name}:{resource}"),
            Syntax::Url => {
                let shown = resource
                    .split_once('?')
                    .map_or(&**resource, |(path, _)| path);
                let shown = shown.rsplit_once('@').map_or(shown, |(_, host)| host);
                write!(f, "{name}://{shown}")
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_NAME).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(is_letter)
}

fn check(name: &str, resource: &str) -> Result<(), ReferenceError> {
    if resource.is_empty() {
        return Err(malformed(name, "nothing follows the scheme"));
    }
    if resource.len() > LONGEST {
        return Err(malformed(name, "it is longer than 4096 bytes"));
    }
    if resource.chars().any(char::is_control) {
        return Err(malformed(name, "it has control characters"));
    }
    Ok(())
}

fn malformed(name: &str, why: &'static str) -> ReferenceError {
    let form = if name == PKCS11 {
        "pkcs11:token=TOKEN;object=LABEL".to_owned()
    } else {
        format!("{name}://KEY, as sigstore-kms-{name} asks for it")
    };
    ReferenceError::Plugin {
        scheme: name.to_owned(),
        why,
        form,
    }
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let bytes = percent::decode(text)?;
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}
