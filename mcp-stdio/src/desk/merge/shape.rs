//! Whether a value fits its field, and the form in which it is sent.
