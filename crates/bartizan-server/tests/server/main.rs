//! The server as a whole program.
