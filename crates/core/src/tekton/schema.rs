//! The vocabulary of the tables that describe Go types.
//!
//! A field is written always, or left out when it is empty. Leaving out has no effect on plain
//! structs and on values with an encoder of their own: those are always written.

/// The fields of a Go struct, in its order.
pub(super) type Struct = &'static [Field];

/// One field of a Go struct.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) when: When,
}

/// When a field is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// Not when empty, as Go's `omitempty` understands it.
    NotEmpty,
    /// Not when zero, whatever the type.
    NotZero,
}

/// How often a value occurs in a field.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    One(Kind),
    Pointer(Kind),
    List(Kind),
    /// A map from strings, written sorted.
    Map(Kind),
}

/// What a value is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Bool,
    Int,
    /// A point in time, in whole seconds.
    Time,
    Duration,
    Quantity,
    IntOrString,
    /// The value of a param or a result.
    Param,
    /// Any JSON.
    Raw,
    Of(&'static Struct),
}

pub(super) const fn always(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        when: When::Always,
    }
}

pub(super) const fn omit(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        when: When::NotEmpty,
    }
}

pub(super) const fn omit_zero(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        when: When::NotZero,
    }
}
