//! Reading a type from an object only.

use serde::Deserialize;

/// Reads a JSON object in UTF-8; none if it is anything else.
///
/// The reader of a derived type alone takes a list of the members in their order as well, and bytes that
/// are not UTF-8 in members that are not read. Other parsers read both in another way, or not at all.
///
/// ```
/// use std::collections::HashMap;
/// use windlass_core::json::object;
///
/// let read: Option<HashMap<String, u8>> = object(b" {\"a\":1}");
/// assert!(read.is_some());
/// assert_eq!(object::<(u8, u8)>(b"[1,2]"), None);
/// ```
pub fn object<'t, T: Deserialize<'t>>(json: &'t [u8]) -> Option<T> {
    let text = str::from_utf8(json).ok()?;
    let is_object = text.trim_ascii_start().starts_with('{');
    serde_json::from_str(text).ok().filter(|_| is_object)
}
