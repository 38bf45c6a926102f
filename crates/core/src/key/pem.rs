//! PEM (RFC 7468), read the way Go's `encoding/pem` does: text before the first block is skipped,
//! line lengths do not matter, and a damaged file can be distinguished from a wrong one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::KeyError;

/// The last line of a certificate.
pub const END_OF_CERTIFICATE: &str = "-----END CERTIFICATE-----";
/// The last line of a public key.
pub const END_OF_PUBLIC_KEY: &str = "-----END PUBLIC KEY-----";

/// How DER of a key begins; its bytes are no text.
const DER_SEQUENCE: &[u8] = &[0x30];
/// `-----BEGIN ` in base64.
const ENCODED_BEGIN: &[u8] = b"LS0tLS1CRUdJTi";
/// How public keys of OpenSSH begin.
const SSH: [&[u8]; 3] = [b"ssh-", b"ecdsa-sha2-", b"sk-"];

/// The first block of a PEM text; the body is wiped on drop because it may be a private key.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// The first block of `text`. `openssl ecparam -genkey` writes the curve in a block of its own
/// before the key; that one is skipped.
pub(super) fn first(text: &[u8], expected: &'static str) -> Result<Block, KeyError> {
    if text.trim_ascii().is_empty() {
        return Err(KeyError::Empty { expected });
    }
    let refused = || not_pem(text, expected);
    let read = std::str::from_utf8(text).map_err(|_| refused())?;
    // editors of Windows put it before the first line
    let read = read.strip_prefix('\u{feff}').unwrap_or(read);
    let mut lines = read.lines().map(str::trim);
    loop {
        let label = lines
            .by_ref()
            .find_map(begin_label)
            .ok_or_else(refused)?
            .to_owned();
        let block = read_body(&mut lines, label)?;
        if block.label != "EC PARAMETERS" {
            return Ok(block);
        }
    }
}

/// The error for bytes that are no PEM, with what they are instead where that can be seen.
pub(super) fn not_pem(text: &[u8], expected: &'static str) -> KeyError {
    let trimmed = text.trim_ascii();
    let looks = if text.starts_with(DER_SEQUENCE) && std::str::from_utf8(text).is_err() {
        "but DER: convert it with openssl, which reads it with `-inform DER`"
    } else if trimmed.starts_with(ENCODED_BEGIN) {
        "but base64 of PEM, as Kubernetes shows the members of secrets: decode it (base64 -d)"
    } else if SSH.iter().any(|name| trimmed.starts_with(name)) {
        "but a public key of OpenSSH: convert it with `ssh-keygen -e -m PKCS8 -f FILE`"
    } else if trimmed.starts_with(b"-----BEGIN ") {
        "since its line ends are lost: the BEGIN line has to stand alone"
    } else {
        "it has no `-----BEGIN …-----` line"
    };
    KeyError::NotPem { looks, expected }
}

/// The blocks of a PEM text that end in this line, each with what stands before it.
///
/// ```
/// use windlass_core::key::{END_OF_CERTIFICATE, pem_blocks};
///
/// let text = format!("-----BEGIN CERTIFICATE-----\n{END_OF_CERTIFICATE}\n").repeat(2);
/// assert_eq!(pem_blocks(&text, END_OF_CERTIFICATE).count(), 2);
/// ```
pub fn blocks<'a>(text: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    let blocks = text.split_inclusive(end);
    blocks.filter(|block| block.contains("-----BEGIN"))
}

fn begin_label(line: &str) -> Option<&str> {
    let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    (label.len() <= 64 && label.chars().all(plain)).then_some(label)
}

fn read_body<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    label: String,
) -> Result<Block, KeyError> {
    let end = format!("-----END {label}-----");
    let mut encoded = Zeroizing::new(String::new());
    let mut legacy_encrypted = false;
    loop {
        let Some(line) = lines.next() else {
            return Err(KeyError::Truncated { label });
        };
        if line == end {
            break;
        }
        // RFC 1421 headers, such as OpenSSL's `Proc-Type: 4,ENCRYPTED`
        if line.contains(": ") {
            legacy_encrypted |= line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED");
            continue;
        }
        encoded.push_str(line);
    }
    if legacy_encrypted {
        return Err(wrong_type(
            &format!("ENCRYPTED {label}"),
            "an unencrypted private key",
        ));
    }
    match STANDARD.decode(encoded.as_bytes()) {
        Ok(body) => Ok(Block {
            label,
            body: Zeroizing::new(body),
        }),
        Err(_) => Err(KeyError::Base64 { label }),
    }
}

/// The error for a block of type `found` where `expected` was wanted.
pub(super) fn wrong_type(found: &str, expected: &'static str) -> KeyError {
    let what = match found {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key",
        "CERTIFICATE" => "a certificate",
        "CERTIFICATE REQUEST" => "a certificate request",
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => "an unencrypted private key",
        "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
            "a private key encrypted by cosign"
        }
        "OPENSSH PRIVATE KEY" => "a private key in OpenSSH's own format",
        _ if found.starts_with("ENCRYPTED ") => "a private key encrypted with a passphrase",
        _ => "something else",
    };
    KeyError::WrongType {
        found: found.to_owned(),
        what,
        expected,
    }
}

/// One block in the form Go and OpenSSL write: lines of 64 characters, `\n` endings.
pub(super) fn write(label: &str, body: &[u8]) -> String {
    let encoded = STANDARD.encode(body);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
