//! Requests and responses, right ones and others.

use super::*;

const NOW: i64 = 1_800_000_000;
const NONCE_OF_TESTS: [u8; NONCE] = [0xff, 1, 2, 3, 4, 5, 6, 7];

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 0x10000);
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head[..], content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn oid(id: ObjectIdentifier) -> Vec<u8> {
    element(6, id.as_bytes())
}

fn info(signature: &[u8], time: &str, nonce: &[u8]) -> Vec<u8> {
    let hash = element(4, &Sha256::digest(signature));
    sequence(&[
        &element(2, &[1]),
        &element(6, &[0x2b, 6, 1]),
        &sequence(&[&sequence(&[&oid(SHA256)]), &hash]),
        &element(2, &[9]),
        &element(0x18, time.as_bytes()),
        &sequence(&[&element(2, &[1])]),
        nonce,
    ])
}

fn response(info: &[u8]) -> Vec<u8> {
    let content = sequence(&[&oid(TST_INFO), &element(0xa0, &element(4, info))]);
    let signed = sequence(&[&element(2, &[3]), &element(0x31, &[]), &content]);
    let token = sequence(&[&oid(SIGNED_DATA), &element(0xa0, &signed)]);
    sequence(&[&sequence(&[&element(2, &[0])]), &token])
}

fn right() -> Vec<u8> {
    let nonce = element(2, &positive(NONCE_OF_TESTS));
    response(&info(b"signature", "20270115080000Z", &nonce))
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

#[test]
fn a_request_asks_about_the_hash_with_a_nonce_and_the_certificate() {
    let der = request(b"signature", NONCE_OF_TESTS);
    let mut file = SliceReader::new(&der).unwrap();
    let mut fields = inside(&mut file, Tag::Sequence).unwrap();
    file.finish().unwrap();
    assert_eq!(fields.decode::<u8>().unwrap(), 1);
    let mut imprint = inside(&mut fields, Tag::Sequence).unwrap();
    expect(&mut inside(&mut imprint, Tag::Sequence).unwrap(), SHA256).unwrap();
    let hash: &OctetStringRef = imprint.decode().unwrap();
    assert_eq!(hash.as_bytes(), &*Sha256::digest(b"signature"));
    let nonce: UintRef<'_> = fields.decode().unwrap();
    assert_eq!(nonce.as_bytes(), positive(NONCE_OF_TESTS));
    assert!(fields.decode::<bool>().unwrap());
    fields.finish().unwrap();
}

#[test]
fn the_answer_to_a_request_is_taken_within_ten_minutes_of_it() {
    let stamp = Stamp::read(&right()).unwrap();
    assert_eq!(stamp.time, now());
    for seconds in [-600, 0, 600] {
        assert_eq!(stamp.check(b"signature", after(seconds)), Ok(()));
        assert_eq!(stamp.check_answer(NONCE_OF_TESTS, after(seconds)), Ok(()));
    }
    assert_eq!(
        stamp.check(b"signature", after(-601)),
        Err(StampError::Future)
    );
    let late = stamp.check_answer(NONCE_OF_TESTS, after(601));
    assert_eq!(late, Err(StampError::Old));
}

#[test]
fn a_timestamp_of_another_signature_or_request_is_named() {
    let stamp = Stamp::read(&right()).unwrap();
    assert_eq!(stamp.check(b"other", now()), Err(StampError::Other));
    assert_eq!(
        stamp.check_answer([1; NONCE], now()),
        Err(StampError::Nonce)
    );
    let without = response(&info(b"signature", "20270115080000Z", b""));
    let stamp = Stamp::read(&without).unwrap();
    assert_eq!(
        stamp.check_answer(NONCE_OF_TESTS, now()),
        Err(StampError::Nonce)
    );
}

#[test]
fn what_is_no_timestamp_is_refused() {
    let refused = sequence(&[&sequence(&[&element(2, &[2])])]);
    assert_eq!(Stamp::read(&refused), Err(StampError::Refused(2)));
    let long = vec![0; LONGEST + 1];
    assert_eq!(Stamp::read(&long), Err(StampError::TooLong));
    let right = right();
    for length in 0..right.len() {
        assert!(Stamp::read(&right[..length]).is_err(), "{length}");
    }
    for time in ["20270115080000", "20271315080000Z", "2027"] {
        let response = response(&info(b"signature", time, b""));
        assert_eq!(Stamp::read(&response), Err(StampError::Malformed), "{time}");
    }
    assert_eq!(
        Stamp::read(&[&right[..], &[0]].concat()),
        Err(StampError::Malformed)
    );
}
