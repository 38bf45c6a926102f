//! A request and its response (RFC 3161, sections 2.4.1 and 2.4.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::authority::Authority;
use super::options::{Quirk, Validity};
use crate::der::{element, elements, explicit, integer, octets, oid, sequence, set};
use crate::issuing::AuthorityError;

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const POLICY: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 2];

/// What is asked for.
pub(super) struct Request {
    hash: Vec<u8>,
    nonce: Option<Vec<u8>>,
}

impl Request {
    /// A request for a hash of SHA-256; nothing if it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let [(0x30, content)] = elements(der)[..] else {
            return None;
        };
        let fields = elements(content);
        let [(0x02, [1]), (0x30, imprint), rest @ ..] = &fields[..] else {
            return None;
        };
        let imprint = elements(imprint);
        let [(0x30, algorithm), (0x04, hash)] = &imprint[..] else {
            return None;
        };
        let is_sha256 = elements(algorithm).first() == Some(&(0x06, SHA256));
        let nonce = rest.iter().find(|(tag, _)| *tag == 0x02);
        (is_sha256 && hash.len() == 32).then(|| Self {
            hash: hash.to_vec(),
            nonce: nonce.map(|(_, nonce)| nonce.to_vec()),
        })
    }
}

/// The response, or the lie that a test wants.
pub(super) fn respond(
    authority: &Authority,
    request: &Request,
    lie: Option<Quirk>,
) -> Result<Vec<u8>, AuthorityError> {
    if lie == Some(Quirk::Refused) {
        return Ok(sequence(&[&sequence(&[&integer(&[2])])]));
    }
    let other;
    let signer = match lie {
        Some(Quirk::OtherAuthority) => {
            other = Authority::make(Validity::Now)?;
            &other
        }
        _ => authority,
    };
    let info = info(request, lie);
    let token = token(signer, &info, lie);
    Ok(sequence(&[&sequence(&[&integer(&[0])]), &token]))
}

fn info(request: &Request, lie: Option<Quirk>) -> Vec<u8> {
    let hash = match lie {
        Some(Quirk::OtherSignature) => Sha256::digest(b"another signature").to_vec(),
        _ => request.hash.clone(),
    };
    let nonce = match lie {
        Some(Quirk::OtherNonce) => Some(vec![0x41; 8]),
        Some(Quirk::NoNonce) => None,
        _ => request.nonce.clone(),
    };
    let now = SystemTime::now();
    let time = match lie {
        Some(Quirk::Ahead(by)) => now + by,
        Some(Quirk::Ago(by)) => now - by,
        _ => now,
    };
    let nonce = nonce.map(|nonce| integer(&nonce)).unwrap_or_default();
    sequence(&[
        &integer(&[1]),
        &oid(POLICY),
        &sequence(&[&algorithm(), &octets(&hash)]),
        &integer(&[9]),
        &element(0x18, written(time).as_bytes()),
        &nonce,
    ])
}

fn token(authority: &Authority, info: &[u8], lie: Option<Quirk>) -> Vec<u8> {
    let digest = match lie {
        Some(Quirk::OtherContent) => Sha256::digest(b"something else"),
        _ => Sha256::digest(info),
    };
    let attributes = [
        sequence(&[&oid(CONTENT_TYPE), &set(&[&oid(TST_INFO)])]),
        sequence(&[&oid(MESSAGE_DIGEST), &set(&[&octets(&digest)])]),
    ]
    .concat();
    let signature = authority.sign(&set(&[&attributes]));
    let signer = sequence(&[
        &integer(&[1]),
        &authority.name(),
        &algorithm(),
        &explicit(0, &attributes),
        &sequence(&[&oid(ECDSA_WITH_SHA256)]),
        &octets(&signature),
    ]);
    let content = sequence(&[
        &integer(&[3]),
        &set(&[&algorithm()]),
        &sequence(&[&oid(TST_INFO), &explicit(0, &octets(info))]),
        &set(&[&signer]),
    ]);
    sequence(&[&oid(SIGNED_DATA), &explicit(0, &content)])
}

fn algorithm() -> Vec<u8> {
    sequence(&[&oid(SHA256)])
}

/// A time as `GeneralizedTime`, in whole seconds.
fn written(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%d%H%M%SZ").to_string()
}
