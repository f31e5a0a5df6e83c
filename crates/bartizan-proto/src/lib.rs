//! Converses: what endpoints, server and operators say to each other, without any IO.
//!
//! * [`alerts`]: which alerts there are and what is sent, as a machine without IO.
//! * [`frame`] and [`message`]: the agent plane and the pipe between agent and guard.
//! * [`checks`]: how the state of a check comes about, and its results on their way.
//! * [`inventory`]: sections of an inventory, what changes in them, and queries.
//! * [`lan`]: freezes in datagrams on the local network.
//! * [`probe`]: what the guard asks over the network, through a companion.
//! * [`samples`]: metrics in reports.
//! * [`operator`], [`management`], [`monitoring`], [`preflight`] and [`series`]: the JSON of the operator plane.

pub mod alerts;
pub mod checks;
pub mod frame;
pub mod inventory;
pub mod lan;
pub mod limits;
pub mod management;
pub mod message;
pub mod monitoring;
pub mod operator;
pub mod preflight;
pub mod probe;
pub mod samples;
pub mod series;
