//! Every store test runs on both engines.

