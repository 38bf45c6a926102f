//! windlass beside the programs whose verbs it has: the same question to both, about the same runs and
//! images. They respond alike but for the differences that `docs/differences.md` lists.

mod cosign;
mod difference;
mod forgery;
mod images;
mod runs;
mod shape;
mod templates;
mod tkn;
