//! Tests of `make`.
