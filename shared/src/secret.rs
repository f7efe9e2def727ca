//! A string that never prints itself.
//!
//! Here: [`looks_like_a_key`], for texts that are not known to be one, and [`Secret`], a thin coat over `secrecy` that adds what this
//! house wants of every secret: the same mask everywhere and no way to serialise it. Not here: sealing (that is encryption, and belongs to whoever holds a master key). It exists so that a key
//! reaches a log, an error or a JSON answer only by someone writing [`Secret::expose`] on purpose.

mod guess;

use std::fmt;

pub use guess::{holds_a_master_key, looks_like_a_key};
use secrecy::{ExposeSecret, SecretString};

/// What every output shows in place of a secret.
pub const MASK: &str = "[secret]";

/// A key, token or password. Its memory is overwritten when the last owner drops it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Secret {
        Secret(SecretString::from(text))
    }

    /// The text itself, for the one place that needs it: a request header, a comparison, a key derivation.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Not constant in time: for settings and tests. Whoever checks a token that came over a network compares digests instead.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_only_when_asked_to() {
        let secret = Secret::new("hunter2hunter2".to_owned());
        assert_eq!(
            format!("{secret} {secret:?} {secret:#?}"),
            "[secret] [secret] [secret]"
        );
        assert_eq!(secret.expose(), "hunter2hunter2");
    }

    #[test]
    fn a_struct_that_holds_a_secret_may_derive_debug() {
        #[derive(Debug)]
        struct Access {
            #[allow(dead_code, reason = "only its Debug output is of interest")]
            key: Secret,
        }
        let shown = format!(
            "{:?}",
            Access {
                key: Secret::new("hunter2hunter2".to_owned())
            }
        );
        assert_eq!(shown, "Access { key: [secret] }");
    }
}
