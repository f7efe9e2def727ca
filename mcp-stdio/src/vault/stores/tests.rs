//! Tests of `stores`.
