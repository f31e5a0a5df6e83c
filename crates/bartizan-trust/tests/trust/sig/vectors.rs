//! Replays `vectors/sig`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first.
