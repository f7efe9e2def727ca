//! See the file above.
