//! What only registries do, and only some of them.

/// A quirk of registries in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// The right response; the `Location` of an upload has a query that the next request on it must
    /// carry (plus its own), or is refused.
    LocationWithQuery,
    /// A `PUT` that would move a tag to another manifest is refused with this status.
    ImmutableTag(u16),
    /// The bearer token of the request expires before the request is looked at.
    ExpiredToken,
}

/// A fault of a registry.
pub type Fault = crate::fault::Fault<Quirk>;
/// What a request hit by a fault of a registry gets.
pub type FaultAnswer = crate::fault::FaultAnswer<Quirk>;
