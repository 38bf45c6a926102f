//! Words, values and JSON from arbitrary bytes; mostly those that mean something to windlass.

use std::fmt::Write;

use libfuzzer_sys::arbitrary::{Result, Unstructured};

const DIGESTS: [&str; 10] = [
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
    " SHA256 : 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef ",
    "sha1:0123456789abcdef0123456789abcdef01234567",
    "sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "sha256:0123",
    "md5:0123",
    "sha256:",
    ":",
    "0123456789abcdef0123456789abcdef01234567",
];
const NAMES: [&str; 14] = [
    "r.io/app",
    "r.io:5000/team/app:v1",
    "app",
    "docker.io/app",
    "localhost/app",
    "https://r.io/app",
    "oci://r.io/app",
    "docker-pullable://r.io/app",
    "git+https://g.io/a.git",
    "https://g.io/a",
    "pkg:oci/app",
    "R.io/APP",
    "[::1]:5000/app",
    "a",
];
const WORDS: [&str; 24] = [
    "",
    " ",
    "\n",
    ",",
    "true",
    "false",
    "string",
    "array",
    "object",
    "a",
    "b",
    "build",
    "deploy",
    "unnamed-0",
    "unnamed-1",
    "$(tasks.build.results.a)",
    "$(tasks.deploy.results.b[*])",
    "$(finally.a.results.b[0])",
    "$(params.a)",
    "echo <&> \u{2028}",
    "\u{0}\u{1}\"\\/",
    "é…🦀",
    "TaskRun",
    "Succeeded",
];
const FREE: [&str; 14] = [
    "null",
    "true",
    "0",
    "-0.0",
    "1e400",
    "-1E-7",
    "9007199254740993",
    "1.10",
    "\"\"",
    "[]",
    "{}",
    "[[],{}]",
    r#"{"a":1,"a":2}"#,
    r#""\ud834\udd1e\u0000""#,
];

/// One of the given texts.
pub fn one_of<'t>(data: &mut Unstructured<'_>, texts: &[&'t str]) -> Result<&'t str> {
    data.choose(texts).copied()
}

/// A digest, good or bad.
pub fn digest(data: &mut Unstructured<'_>) -> Result<String> {
    one_of(data, &DIGESTS).map(str::to_owned)
}

/// A repository or a URL, good or bad.
pub fn name(data: &mut Unstructured<'_>) -> Result<String> {
    if data.ratio(1, 8)? {
        return word(data);
    }
    one_of(data, &NAMES).map(str::to_owned)
}

/// An image reference, good or bad.
pub fn image(data: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("{}@{}", name(data)?, digest(data)?))
}

/// Some images with separators between them.
pub fn images(data: &mut Unstructured<'_>) -> Result<String> {
    let mut list = String::new();
    for _ in 0..data.int_in_range(0..=4)? {
        list.push_str(&image(data)?);
        list.push_str(one_of(data, &[",", "\n", " , ", ",,", ""])?);
    }
    Ok(list)
}

/// A word that occurs in runs, or any short text.
pub fn word(data: &mut Unstructured<'_>) -> Result<String> {
    if data.ratio(3, 4)? {
        return one_of(data, &WORDS).map(str::to_owned);
    }
    let bytes: &[u8] = {
        let length = data.int_in_range(0..=24)?.min(data.len());
        data.bytes(length)?
    };
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Writes a text as a JSON string.
pub fn quote(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Writes any JSON value, and now and then something that is none.
pub fn free(data: &mut Unstructured<'_>, out: &mut String, depth: u32) -> Result<()> {
    match data.int_in_range(0..=15)? {
        0..=5 => out.push_str(one_of(data, &FREE)?),
        6..=8 => quote(out, &word(data)?),
        9 | 10 if depth > 0 => {
            out.push('[');
            for index in 0..data.int_in_range(0..=3)? {
                comma(out, index);
                free(data, out, depth - 1)?;
            }
            out.push(']');
        }
        11 | 12 if depth > 0 => {
            out.push('{');
            for index in 0..data.int_in_range(0..=3)? {
                comma(out, index);
                quote(out, &word(data)?);
                out.push(':');
                free(data, out, depth - 1)?;
            }
            out.push('}');
        }
        13 => nested(data, out)?,
        14 => {
            let _ = write!(out, "{}", data.arbitrary::<i64>()?);
        }
        15 if data.ratio(1, 16)? => out.push_str(&word(data)?),
        _ => out.push_str("null"),
    }
    Ok(())
}

/// Deep nesting, as deep as a small input can ask for.
fn nested(data: &mut Unstructured<'_>, out: &mut String) -> Result<()> {
    let depth = usize::from(data.arbitrary::<u8>()?) * 2;
    let (open, close) = *data.choose(&[("[", "]"), (r#"{"a":"#, "}"), (r#"[{"b":"#, "}]")])?;
    out.push_str(&open.repeat(depth));
    out.push('1');
    out.push_str(&close.repeat(depth));
    Ok(())
}

/// Writes what stands between the items of a list.
pub fn comma(out: &mut String, index: i32) {
    if index > 0 {
        out.push(',');
    }
}
