//! Keys, SSHSIG in its four forms, envelopes: what counts as a signature, and what never does.

mod attacks;
mod authenticators;
mod peers;
mod securesystemslib;
mod vectors;
