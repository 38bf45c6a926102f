//! What the fuzz targets share: documents built from arbitrary bytes, and what must hold for every
//! payload.

pub mod check;
pub mod shape;
pub mod text;
