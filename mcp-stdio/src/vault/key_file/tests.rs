//! Tests of `key_file`.
