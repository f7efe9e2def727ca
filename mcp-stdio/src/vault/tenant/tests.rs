//! Tests of `tenant`.
