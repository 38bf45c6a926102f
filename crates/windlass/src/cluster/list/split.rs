//! Cuts the objects out of the JSON of a list while it arrives.
//!
//! The splitter knows where strings and nested values end, and nothing else of JSON: each object is
//! handed on as it was sent, and parsed by whoever takes it. No more than one object is in memory, and
//! of an object over the limit only the beginning, with which it can be named.

use bytes::Bytes;
use memchr::memchr2;
use serde::Deserialize;

/// Most bytes of an object over the limit that are kept to name it: its annotations come first, and
/// these have 256 KiB.
const HEAD: usize = 512 << 10;
/// Most bytes of the metadata of a list.
const METADATA: usize = 64 << 10;
/// Most bytes of a key.
const KEY: usize = 1024;

/// Something that was cut out of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An object, as it was sent.
    Object(Bytes),
    /// The beginning of an object over the limit.
    TooLarge(Bytes),
}

/// Why this is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    #[error("it is not a JSON object")]
    Object,
    #[error("it ends early")]
    End,
    #[error("its metadata cannot be read")]
    Metadata,
}

/// The metadata of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    /// The version of the list, from which it can be watched.
    pub(super) resource_version: Option<String>,
    /// The token of the next page; empty after the last.
    #[serde(rename = "continue")]
    pub(super) next: Option<String>,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the list.
    Start,
    /// Before a key, or the end of the list.
    Member,
    Key,
    /// Before the value of a key.
    Before,
    /// In a value that is not the array of objects.
    Value,
    /// Before an object, or the end of the array.
    Items,
    Item,
    /// Behind the list.
    End,
}

/// Cuts one response; fed with the bytes as they come.
#[derive(Debug)]
pub(super) struct Splitter {
    /// Most bytes of an object.
    limit: usize,
    place: Place,
    nesting: Nesting,
    key: Vec<u8>,
    /// The object or value that is being read, as far as it is kept.
    kept: Vec<u8>,
    /// How long it is by now.
    length: usize,
    metadata: Metadata,
}

impl Splitter {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            place: Place::Start,
            nesting: Nesting::default(),
            key: Vec::new(),
            kept: Vec::new(),
            length: 0,
            metadata: Metadata::default(),
        }
    }

    /// Takes bytes in until an object ends, and tells how many; all of them if none ends.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(usize, Option<Piece>), SplitError> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.place {
                Place::Value | Place::Item => {
                    let (taken, is_whole) = self.nesting.take(rest);
                    self.keep(&rest[..taken]);
                    at += taken;
                    if is_whole && let Some(piece) = self.end_of_value()? {
                        return Ok((at, Some(piece)));
                    }
                }
                _ => at += self.step(rest[0])?,
            }
        }
        Ok((at, None))
    }

    /// The metadata of the list, once all of it was fed.
    pub(super) fn finish(self) -> Result<Metadata, SplitError> {
        if self.place != Place::End {
            return Err(SplitError::End);
        }
        Ok(self.metadata)
    }

    /// Takes one byte between values, or leaves it to the value that it begins.
    fn step(&mut self, byte: u8) -> Result<usize, SplitError> {
        let is_space = byte.is_ascii_whitespace();
        match (self.place, byte) {
            (Place::Key, b'"') => self.place = Place::Before,
            (Place::Key, _) if self.key.len() < KEY => self.key.push(byte),
            (Place::Key, _) => return Err(SplitError::Object),
            _ if is_space => {}
            (Place::Start, b'{') | (Place::Items, b']') => self.place = Place::Member,
            (Place::Member | Place::Items, b',') | (Place::Before, b':') => {}
            (Place::Member, b'}') => self.place = Place::End,
            (Place::Member, b'"') => {
                self.key.clear();
                self.place = Place::Key;
            }
            (Place::Before, b'[') if self.key == b"items" => self.place = Place::Items,
            (Place::Before, _) => return Ok(self.begin(Place::Value)),
            (Place::Items, _) => return Ok(self.begin(Place::Item)),
            _ => return Err(SplitError::Object),
        }
        Ok(1)
    }

    fn begin(&mut self, place: Place) -> usize {
        self.place = place;
        self.nesting = Nesting::default();
        self.kept = Vec::new();
        self.length = 0;
        0
    }

    fn keep(&mut self, bytes: &[u8]) {
        let limit = match self.place {
            Place::Item => self.limit,
            _ if self.key == b"metadata" => METADATA,
            _ => 0,
        };
        let fitted = self.length <= limit;
        self.length += bytes.len();
        if self.length <= limit {
            self.kept.extend_from_slice(bytes);
        } else if fitted {
            // what is over the limit is named at most
            let room = HEAD.min(limit).saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
            self.kept.truncate(HEAD);
            self.kept.shrink_to_fit();
        }
    }

    fn end_of_value(&mut self) -> Result<Option<Piece>, SplitError> {
        let kept = std::mem::take(&mut self.kept);
        if self.place == Place::Item {
            self.place = Place::Items;
            let fits = self.length <= self.limit;
            let piece = if fits { Piece::Object } else { Piece::TooLarge };
            return Ok(Some(piece(kept.into())));
        }
        self.place = Place::Member;
        if self.key == b"metadata" {
            let read = serde_json::from_slice(&kept);
            self.metadata = read.map_err(|_| SplitError::Metadata)?;
        }
        Ok(None)
    }
}

/// Where in a value the next byte is.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    /// Whether any of it was seen.
    has_begun: bool,
}

impl Nesting {
    /// How many of these bytes belong to the value, and whether it ends with them.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.is_string {
                at += self.in_string(&bytes[at..]);
                if !self.is_string && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.is_string = true,
                b'{' | b'[' => self.depth += 1,
                // the end of a number or a word, which belongs to what is around it
                b',' | b'}' | b']' if self.depth == 0 => return (at, true),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                byte if self.depth == 0 && self.has_begun && byte.is_ascii_whitespace() => {
                    return (at, true);
                }
                _ => {}
            }
            self.has_begun = true;
            at += 1;
        }
        (at, false)
    }

    /// How many of these bytes belong to the string.
    fn in_string(&mut self, bytes: &[u8]) -> usize {
        if self.is_escaped {
            self.is_escaped = false;
            return 1;
        }
        let Some(at) = memchr2(b'"', b'\\', bytes) else {
            return bytes.len();
        };
        if bytes[at] == b'"' {
            self.is_string = false;
        } else {
            self.is_escaped = true;
        }
        at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#" {"kind":"L{[\"","x":[{"items":[1]},"]"],"n":-1.5e3, "t" : true ,
        "items" : [ {"a":"}\\\"]"} , [[],{}] ,7,"s\\",null],
        "metadata":{"resourceVersion":"7","continue":"t","remainingItemCount":3}} "#;

    /// The pieces of a list that comes in chunks of this size.
    fn pieces(
        list: &[u8],
        chunk: usize,
        limit: usize,
    ) -> Result<(Vec<Piece>, Metadata), SplitError> {
        let mut splitter = Splitter::new(limit);
        let mut pieces = Vec::new();
        for chunk in list.chunks(chunk) {
            let mut rest = chunk;
            while !rest.is_empty() {
                let (taken, piece) = splitter.feed(rest)?;
                pieces.extend(piece);
                rest = &rest[taken..];
            }
        }
        Ok((pieces, splitter.finish()?))
    }

    #[test]
    fn objects_are_cut_as_they_were_sent_however_the_response_is_chunked() {
        let objects = [r#"{"a":"}\\\"]"}"#, "[[],{}]", "7", r#""s\\""#, "null"];
        let expected = objects.map(|object| Piece::Object(object.into()));
        for chunk in 1..LIST.len() {
            let (pieces, metadata) = pieces(LIST.as_bytes(), chunk, 1000).unwrap();
            assert_eq!(pieces, expected, "chunks of {chunk}");
            assert_eq!(metadata.resource_version.as_deref(), Some("7"));
            assert_eq!(metadata.next.as_deref(), Some("t"));
        }
    }

    #[test]
    fn an_object_over_the_limit_is_told_by_its_beginning_and_the_others_stay() {
        let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(2 << 20));
        let list = format!(r#"{{"items":[{{"a":1}},{large},{{"b":2}}],"metadata":{{}}}}"#);
        for chunk in [1000, 1 << 20, usize::MAX] {
            let (pieces, _) = pieces(list.as_bytes(), chunk, 1 << 20).unwrap();
            let [first, Piece::TooLarge(head), end] = &pieces[..] else {
                panic!("three pieces")
            };
            assert_eq!(*first, Piece::Object(r#"{"a":1}"#.into()));
            assert_eq!(*end, Piece::Object(r#"{"b":2}"#.into()));
            assert_eq!(head.len(), HEAD, "chunks of {chunk}");
            assert!(large.as_bytes().starts_with(head));
        }
    }

    #[test]
    fn what_is_no_list_or_is_cut_is_an_error_wherever_it_is_cut() {
        assert_eq!(pieces(b"[]", 1, 9).unwrap_err(), SplitError::Object);
        assert_eq!(pieces(b"{} x", 1, 9).unwrap_err(), SplitError::Object);
        let bad = pieces(br#"{"metadata":[7]}"#, 1, 9).unwrap_err();
        assert_eq!(bad, SplitError::Metadata);
        let end = LIST.trim_end().len();
        for length in 0..end {
            let cut = pieces(&LIST.as_bytes()[..length], 7, 1000);
            assert_eq!(cut.unwrap_err(), SplitError::End, "at {length}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        let list = format!(r#"{{"items":[{deep},1]}}"#);
        let (pieces, _) = pieces(list.as_bytes(), 4096, 2 << 20).unwrap();
        assert_eq!(pieces.len(), 2);
    }
}
