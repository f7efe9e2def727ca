//! What every target promises.
