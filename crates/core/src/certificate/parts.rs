//! Parts of DER that certificates are made of.

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Error, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// The content of a sequence.
pub(super) fn sequence<'c>(reader: &mut SliceReader<'c>) -> Result<SliceReader<'c>, Error> {
    let any: AnyRef<'c> = reader.decode()?;
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

/// The tag of a field with a number of its own.
pub(super) fn context(number: u32, constructed: bool) -> Tag {
    let number = TagNumber(number);
    Tag::ContextSpecific {
        constructed,
        number,
    }
}
