//! Writes to shops across processes.
