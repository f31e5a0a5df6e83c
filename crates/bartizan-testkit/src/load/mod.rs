//! Load and measurement: what the benchmark binaries share. Development only.

pub mod endpoint;
pub mod figures;
pub mod hardware;
pub mod machine;
pub mod organisation;
pub mod plane;
pub mod proc;
pub mod proxy;
pub mod scene;
pub mod server;
pub mod tls;
