//! Converses: what endpoints, server and operators say to each other, without any IO.
//!
//! * [`frame`] and [`message`]: the agent plane and the pipe between agent and guard.
//! * [`lan`]: freezes in datagrams on the local network.
//! * [`operator`] and [`preflight`]: the JSON of the operator plane.

pub mod frame;
pub mod lan;
pub mod limits;
pub mod message;
pub mod operator;
pub mod preflight;
