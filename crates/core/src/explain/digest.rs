//! Describes what is wrong with a digest.

use crate::artifact::Digest;

/// Algorithms with the number of their hex digits.
const ALGORITHMS: [(&str, usize); 4] = [
    ("sha1", 40),
    ("sha256", 64),
    ("sha384", 96),
    ("sha512", 128),
];

/// What is wrong with a digest; nothing if it is one.
pub(super) fn fault(text: &str) -> Option<String> {
    if Digest::parse(text).is_some() {
        return None;
    }
    let text = text.trim();
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.contains('@') && text.contains([';', ' ', '\t']) {
        return Some("several images have a comma or a line end between them".to_owned());
    }
    if text.contains('@') {
        return Some("it is an image reference; give only the part after the @".to_owned());
    }
    let Some((algorithm, hex)) = text.split_once(':') else {
        return Some(without_algorithm(text));
    };
    let known = ALGORITHMS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(algorithm.trim()));
    let Some((name, length)) = known else {
        return Some("its algorithm is not sha256, sha512, sha384 or sha1".to_owned());
    };
    if Digest::parse(&text.to_lowercase()).is_some() {
        return Some("its hex digits are in upper case".to_owned());
    }
    let digits = hex.trim().chars().count();
    if digits != *length {
        return Some(format!("{name} has {length} hex digits, this has {digits}"));
    }
    Some("it has letters that are not hex digits".to_owned())
}

fn without_algorithm(text: &str) -> String {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let algorithm = ALGORITHMS
        .iter()
        .find(|(_, length)| is_hex && *length == text.len());
    match algorithm {
        Some((name, _)) => format!("the algorithm is missing; write {name}: before it"),
        None => "it is not an algorithm, a colon and hex digits".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_digest_has_its_own_words() {
        let lower = "a".repeat(64);
        let upper = "A".repeat(64);
        for (text, words) in [
            (upper.clone(), "write sha256: before it"),
            (format!("sha256:{upper}"), "upper case"),
            (format!("sha256:{}", &lower[1..]), "this has 63"),
            (format!("sha256:g{}", &lower[1..]), "not hex digits"),
            (format!("md5:{lower}"), "algorithm is not"),
            (
                format!("r.io/app@sha256:{lower}"),
                "only the part after the @",
            ),
            (
                format!("sha256:{lower} r.io/b@sha256:{lower}"),
                "a comma or a line end between them",
            ),
            ("latest".to_owned(), "a colon and hex digits"),
            (" ".to_owned(), "empty"),
        ] {
            let fault = fault(&text);
            assert!(
                fault.as_ref().is_some_and(|it| it.contains(words)),
                "{text}: {fault:?}"
            );
        }
        assert_eq!(fault(&format!("sha256:{lower}")), None);
    }
}
