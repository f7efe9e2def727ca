//! Tests of `rounds`.
