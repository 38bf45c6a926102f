//! A Sigstore of tests: an authority, a log of certificates, a transparency log and a timestamp authority,
//! which sign whatever a test wants, true or not.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use windlass_core::dsse::pae;
use windlass_core::key::PrivateKey;

use super::der::{inside, integer, octets, oid, sequence, set, split, tlv};

/// When the certificates of tests are issued, in seconds.
pub(crate) const TIME: i64 = 1_750_000_000;
/// Who signs.
pub(crate) const IDENTITY: &str = "https://kubernetes.io/namespaces/team/serviceaccounts/builder";
pub(crate) const ISSUER: &str = "https://oidc.example.com";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const USER_NAME: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 7];
const SHA256: &str = "2.16.840.1.101.3.4.2.1";

/// Somebody with a key.
pub(crate) struct Party {
    pair: KeyPair,
    key: PrivateKey,
}

impl Party {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate().unwrap();
        let key = PrivateKey::from_x509_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self { pair, key }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        self.key.public_key().der().to_vec()
    }

    pub(crate) fn pem(&self) -> String {
        self.key.public_key().to_pem()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).unwrap()
    }

    fn id(&self) -> [u8; 32] {
        Sha256::digest(self.spki()).into()
    }
}

/// A certificate with its key.
pub(crate) struct Leaf {
    pub(crate) der: Vec<u8>,
    pub(crate) party: Party,
}

impl Leaf {
    pub(crate) fn pem(&self) -> String {
        let body = STANDARD.encode(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }
}

/// What a certificate of a test says.
pub(crate) struct Request<'a> {
    pub(crate) identity: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Whether there is an SCT, and for which certificate.
    pub(crate) sct: Sct,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sct {
    Own,
    OfAnother,
    ByAnotherLog,
    Missing,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self {
            identity: IDENTITY,
            issuer: ISSUER,
            from: TIME,
            until: TIME + 600,
            sct: Sct::Own,
        }
    }
}

/// A Sigstore.
pub(crate) struct Stack {
    authority: Party,
    authority_params: CertificateParams,
    authority_der: Vec<u8>,
    certificate_log: Party,
    log: Party,
    stamper: Leaf,
    stamper_root: Vec<u8>,
}

fn at(second: i64) -> rcgen::CertificateParams {
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let seconds = |second: i64| Duration::from_secs(u64::try_from(second).unwrap());
    params.not_before = epoch + seconds(second);
    params.not_after = epoch + seconds(second + 600);
    params
}

fn authority(name: &str, party: &Party) -> (CertificateParams, Vec<u8>) {
    let mut params = at(TIME - 1_000_000);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_after = epoch + Duration::from_secs(u64::try_from(TIME).unwrap() + 400_000_000);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let der = params.self_signed(&party.pair).unwrap().der().to_vec();
    (params, der)
}

impl Stack {
    pub(crate) fn new() -> Self {
        let party = Party::new();
        let (authority_params, authority_der) = authority("tests", &party);
        let stamper_authority = Party::new();
        let (stamper_params, stamper_root) = authority("tests of time", &stamper_authority);
        let stamper = {
            let mut params = at(TIME - 1000);
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            params.not_after =
                epoch + Duration::from_secs(u64::try_from(TIME).unwrap() + 300_000_000);
            params.distinguished_name = DistinguishedName::new();
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, "stamper");
            let usage = sequence(&[oid("1.3.6.1.5.5.7.3.8")]);
            let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], usage);
            usage.set_criticality(true);
            params.custom_extensions = vec![usage];
            let party = Party::new();
            let issuer = Issuer::from_params(&stamper_params, &stamper_authority.pair);
            let der = params.signed_by(&party.pair, &issuer).unwrap();
            Leaf {
                der: der.der().to_vec(),
                party,
            }
        };
        Self {
            authority: party,
            authority_params,
            authority_der,
            certificate_log: Party::new(),
            log: Party::new(),
            stamper,
            stamper_root,
        }
    }

    /// The trusted root of all of it.
    pub(crate) fn root(&self) -> Value {
        let raw = |der: &[u8]| json!({ "rawBytes": STANDARD.encode(der) });
        let log = |party: &Party| {
            json!({
                "baseUrl": "https://log.example.com",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(party.spki()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": "2020-01-01T00:00:00Z" },
                },
                "logId": { "keyId": STANDARD.encode(party.id()) },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.log)],
            "certificateAuthorities": [{
                "subject": { "organization": "tests", "commonName": "tests" },
                "uri": "https://fulcio.example.com",
                "certChain": { "certificates": [raw(&self.authority_der)] },
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            }],
            "ctlogs": [log(&self.certificate_log)],
            "timestampAuthorities": [{
                "subject": { "organization": "tests", "commonName": "stamper" },
                "certChain": {
                    "certificates": [raw(&self.stamper.der), raw(&self.stamper_root)],
                },
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            }],
        })
    }

    /// A certificate.
    pub(crate) fn certificate(&self, request: &Request<'_>) -> Leaf {
        let party = Party::new();
        let mut params = at(request.from);
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_after = epoch + Duration::from_secs(u64::try_from(request.until).unwrap());
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(SerialNumber::from_slice(&[7, 7, 7]));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        // as Fulcio has the names of users that are no addresses
        let name = if request.identity.contains('!') {
            SanType::OtherName((USER_NAME.to_vec(), request.identity.into()))
        } else {
            SanType::URI(request.identity.try_into().unwrap())
        };
        params.subject_alt_names = vec![name];
        let issuer_extension = tlv(0x0c, request.issuer.as_bytes());
        params.custom_extensions = vec![CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 4, 1, 57264, 1, 8],
            issuer_extension,
        )];
        let issuer = Issuer::from_params(&self.authority_params, &self.authority.pair);
        let sign = |params: &CertificateParams, party: &Party| {
            let signed = params.signed_by(&party.pair, &issuer).unwrap();
            signed.der().to_vec()
        };
        let before = match request.sct {
            Sct::OfAnother => sign(&params, &Party::new()),
            _ => sign(&params, &party),
        };
        if request.sct != Sct::Missing {
            let log = match request.sct {
                Sct::ByAnotherLog => &Party::new(),
                _ => &self.certificate_log,
            };
            let list = self.scts(log, split(inside(&before)).0);
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(
                    &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2],
                    octets(&list),
                ));
        }
        Leaf {
            der: sign(&params, &party),
            party,
        }
    }

    /// The list of the one SCT that a log made for a certificate.
    fn scts(&self, log: &Party, to_be_signed: &[u8]) -> Vec<u8> {
        let time = u64::try_from(TIME).unwrap() * 1000;
        let length = u32::try_from(to_be_signed.len()).unwrap().to_be_bytes();
        let signed = [
            &[0, 0][..],
            &time.to_be_bytes(),
            &[0, 1],
            &Sha256::digest(self.authority.spki()),
            &length[1..],
            to_be_signed,
            &[0, 0],
        ];
        let signature = log.sign(&signed.concat());
        let size = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let sct = [
            &[0][..],
            &log.id(),
            &time.to_be_bytes(),
            &[0, 0, 4, 3],
            &size(&signature),
            &signature,
        ]
        .concat();
        let list = [&size(&sct)[..], &sct].concat();
        [&size(&list)[..], &list].concat()
    }

    /// An entry of the log, with promise and proof.
    pub(crate) fn entry(&self, body: &Value, time: i64) -> Value {
        let (kind, version) = (&body["kind"], &body["apiVersion"]);
        let body = body.to_string();
        let leaf = Sha256::digest([&[0][..], body.as_bytes()].concat());
        let other = Sha256::digest([&[0][..], b"other"].concat());
        let root = Sha256::digest([&[1][..], &other, &leaf].concat());
        let encoded = STANDARD.encode(&body);
        let hex = hex_of(&self.log.id());
        let promised = format!(
            r#"{{"body":"{encoded}","integratedTime":{time},"logID":"{hex}","logIndex":1}}"#
        );
        let mut entry = json!({
            "logIndex": "1",
            "logId": { "keyId": STANDARD.encode(self.log.id()) },
            "kindVersion": { "kind": kind, "version": version },
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(other)],
                "checkpoint": { "envelope": self.checkpoint(&root) },
            },
            "canonicalizedBody": encoded,
        });
        if (kind, version) != (&json!("hashedrekord"), &json!("0.0.2")) {
            entry["integratedTime"] = json!(time.to_string());
            let promise = STANDARD.encode(self.log.sign(promised.as_bytes()));
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": promise });
        }
        entry
    }

    fn checkpoint(&self, root: &[u8]) -> String {
        let note = format!("log.example.com\n2\n{}\n", STANDARD.encode(root));
        let signature = [&self.log.id()[..4], &self.log.sign(note.as_bytes())].concat();
        format!("{note}\n— log.example.com {}\n", STANDARD.encode(signature))
    }

    /// A timestamp of a signature.
    pub(crate) fn stamp(&self, signature: &[u8], time: i64) -> String {
        let hash = sequence(&[oid(SHA256)]);
        let time = jiff::Timestamp::from_second(time).unwrap();
        let time = time.strftime("%Y%m%d%H%M%SZ").to_string();
        let info = sequence(&[
            integer(1),
            oid("1.3.6.1.4.1.57264.2"),
            sequence(&[hash.clone(), octets(&Sha256::digest(signature))]),
            integer(9),
            tlv(0x18, time.as_bytes()),
        ]);
        let attribute = |name: &str, value: Vec<u8>| sequence(&[oid(name), set(&[value])]);
        let content_type = "1.2.840.113549.1.9.16.1.4";
        let attributes = [
            attribute("1.2.840.113549.1.9.3", oid(content_type)),
            attribute("1.2.840.113549.1.9.4", octets(&Sha256::digest(&info))),
        ];
        let signature = self.stamper.party.sign(&set(&attributes));
        // version, serial number, algorithm, issuer
        let (_, rest) = split(inside(inside(&self.stamper.der)));
        let (serial, rest) = split(rest);
        let (issuer, _) = split(split(rest).1);
        let signer = sequence(&[
            integer(1),
            sequence(&[issuer.to_vec(), serial.to_vec()]),
            hash.clone(),
            tlv(0xa0, &attributes.concat()),
            sequence(&[oid("1.2.840.10045.4.3.2")]),
            octets(&signature),
        ]);
        let content = sequence(&[
            integer(3),
            set(&[hash]),
            sequence(&[oid(content_type), tlv(0xa0, &octets(&info))]),
            set(&[signer]),
        ]);
        STANDARD.encode(sequence(&[
            oid("1.2.840.113549.1.7.2"),
            tlv(0xa0, &content),
        ]))
    }

    /// The bundle of a signature over a file, with an entry in the log.
    pub(crate) fn file_bundle(&self, leaf: &Leaf, file: &[u8], time: i64) -> Value {
        let signature = leaf.party.sign(file);
        let body = rekord(file, &signature, &leaf.pem());
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&leaf.der) },
                "tlogEntries": [self.entry(&body, time)],
            },
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_256",
                    "digest": STANDARD.encode(Sha256::digest(file)),
                },
                "signature": STANDARD.encode(signature),
            },
        })
    }

    /// The bundle of an attestation, with an entry in the log.
    pub(crate) fn attestation_bundle(&self, leaf: &Leaf, statement: &str, time: i64) -> Value {
        let signature = leaf.party.sign(&pae(IN_TOTO, statement.as_bytes()));
        let body = dsse(statement.as_bytes(), &signature, &leaf.pem());
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(&leaf.der) },
                "tlogEntries": [self.entry(&body, time)],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(statement),
                "payloadType": IN_TOTO,
                "signatures": [{ "sig": STANDARD.encode(signature) }],
            },
        })
    }

    /// A log entry as cosign annotates it.
    pub(crate) fn annotation(&self, body: &Value, time: i64) -> String {
        let entry = self.entry(body, time);
        let hex = hex_of(&self.log.id());
        json!({
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": time,
                "logIndex": 1,
                "logID": hex,
            },
        })
        .to_string()
    }
}

/// The entry of a signature over a file.
pub(crate) fn rekord(file: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": { "hash": { "algorithm": "sha256", "value": hex(file) } },
            "signature": {
                "content": STANDARD.encode(signature),
                "publicKey": { "content": STANDARD.encode(verifier) },
            },
        },
    })
}

/// The entry of an attestation.
pub(crate) fn dsse(payload: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": { "algorithm": "sha256", "value": hex(b"any") },
            "payloadHash": { "algorithm": "sha256", "value": hex(payload) },
            "signatures": [{
                "signature": STANDARD.encode(signature),
                "verifier": STANDARD.encode(verifier),
            }],
        },
    })
}

/// The entry of an attestation as Chains made it before 0.29.
pub(crate) fn intoto(payload: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.2",
        "kind": "intoto",
        "spec": { "content": {
            "envelope": {
                "payloadType": IN_TOTO,
                "signatures": [{
                    "keyid": "SHA256:of-the-key",
                    "publicKey": STANDARD.encode(verifier),
                    "sig": STANDARD.encode(STANDARD.encode(signature)),
                }],
            },
            "hash": { "algorithm": "sha256", "value": hex(b"any") },
            "payloadHash": { "algorithm": "sha256", "value": hex(payload) },
        }},
    })
}

/// Bytes in hexadecimal.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A digest in hexadecimal.
pub(crate) fn hex(content: &[u8]) -> String {
    hex_of(&Sha256::digest(content))
}

/// A statement about a file.
pub(crate) fn statement(file: &[u8]) -> String {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://slsa.dev/provenance/v1",
        "subject": [{ "name": "app", "digest": { "sha256": hex(file) } }],
        "predicate": {},
    })
    .to_string()
}
