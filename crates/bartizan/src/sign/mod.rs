//! What a person sees before signing.

pub(crate) mod render;
