//! Tests of `unlock`.
