//! The listeners: one for agents, one for operators, one for metrics.

pub(crate) mod agent;
pub(crate) mod metrics;
pub(crate) mod operator;
