//! What a person sees before signing.

pub(crate) mod fields;
pub(crate) mod policy;
pub(crate) mod render;
mod scan;
