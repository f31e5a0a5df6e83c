//! Converses: what endpoints, server and operators say to each other, without any IO.
//!
//! * [`frame`] and [`message`]: the agent plane and the pipe between agent and guard.
//! * [`operator`]: the JSON of the operator plane.

pub mod frame;
pub mod limits;
pub mod message;
pub mod operator;
