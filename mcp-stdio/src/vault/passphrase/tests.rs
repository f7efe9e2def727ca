//! Tests of `passphrase`.
