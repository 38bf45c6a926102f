//! The two forms of a signature by ECDSA: ASN.1 DER, which verifiers read, and the two numbers one after the
//! other, which PKCS#11 has.

use crate::error::Error;

/// The two numbers of a signature in DER, each of this length in bytes.
pub(crate) fn numbers(der: &[u8], length: usize) -> Result<Vec<u8>, Error> {
    split(der, length).ok_or(Error::Arguments("the signature is not DER of two integers"))
}

fn split(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let (content, rest) = element(0x30, der)?;
    let (first, more) = element(0x02, content)?;
    let (second, end) = element(0x02, more)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut numbers = Vec::with_capacity(2 * length);
    for number in [first, second] {
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        let missing = length.checked_sub(number.len())?;
        numbers.resize(numbers.len() + missing, 0);
        numbers.extend_from_slice(number);
    }
    Some(numbers)
}

/// An element with this tag, and what follows it. Lengths have two bytes at most.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0x81 => rest.split_first()?,
        length if *length < 0x80 => (length, rest),
        _ => return None,
    };
    if *found != tag {
        return None;
    }
    rest.split_at_checked(usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_up_and_lose_the_zero_before_a_high_bit() {
        let der = [0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x90];
        assert_eq!(numbers(&der, 2).unwrap(), [0, 5, 0, 0x90]);
        assert_eq!(numbers(&der, 1).unwrap(), [5, 0x90]);
    }

    #[test]
    fn what_is_not_two_integers_is_refused() {
        let whole = [0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x90];
        for end in 0..whole.len() {
            numbers(&whole[..end], 2).unwrap_err();
        }
        for (der, length) in [
            (
                vec![0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05, 0x00],
                2,
            ),
            (
                vec![0x30, 0x09, 0x02, 0x01, 5, 0x02, 0x01, 5, 0x02, 0x01, 5],
                2,
            ),
            (vec![0x31, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05], 2),
            (
                vec![0x30, 0x82, 0, 6, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05],
                2,
            ),
            (vec![0x30, 0x07, 0x02, 0x02, 5, 5, 0x02, 0x01, 5], 1),
        ] {
            numbers(&der, length).unwrap_err();
        }
    }
}
