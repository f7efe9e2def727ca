//! What comes out of the envelope, for whom, and what is said when it does not.

use std::fs;
use std::path::Path;

use age::armor::{ArmoredWriter, Format};
use age::scrypt;
use age::secrecy::ExposeSecret;
use proptest::prelude::*;
use shared::secret::Secret;

use super::*;

/// A pair: the public key as text, the identity file's text.
fn pair() -> (String, String) {
    let identity = x25519::Identity::generate();
    let public = identity.to_public().to_string();
    let secret = identity.to_string().expose_secret().to_owned();
    let file = format!("# created: 2026-11-21T21:40:11Z\n# public key: {public}\n{secret}\n");
    (public, file)
}

struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    fn new() -> Keys {
        Keys {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("identity.key");
        fs::write(&path, text).unwrap();
        restrict(&path, 0o600);
        path
    }

    fn identities(&self, text: &str) -> Result<Identities, SealError> {
        Identities::from_file(&self.file(text))
    }

    /// The file as it is opened with these words.
    fn opened(&self, content: &[u8], words: &str) -> Result<Identities, SealError> {
        match IdentityFile::read(&self.file(content))? {
            IdentityFile::Plain(_) => panic!("it is not encrypted"),
            IdentityFile::Protected(file) => file.open(&Secret::new(words.to_owned())),
        }
    }
}

/// What `age --encrypt` makes of a text, with or without `--armor`.
fn encrypted(text: &str, to: &dyn age::Recipient, format: Format) -> Vec<u8> {
    let encryptor = Encryptor::with_recipients(std::iter::once(to)).unwrap();
    let out = ArmoredWriter::wrap_output(Vec::new(), format).unwrap();
    let mut writer = encryptor.wrap_output(out).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap().finish().unwrap()
}

/// The cheapest scrypt: the work is not what is tested.
fn words(words: &str) -> scrypt::Recipient {
    let mut to = scrypt::Recipient::new(words.to_owned().into());
    to.set_work_factor(1);
    to
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn seal(bytes: &[u8], recipients: &Recipients) -> Vec<u8> {
    let mut writer = writer(Vec::new(), recipients).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn open(
    sealed: &[u8],
    encrypted: bool,
    identities: Option<&Identities>,
) -> Result<Vec<u8>, SealError> {
    let mut bytes = Vec::new();
    reader(sealed, encrypted, identities)?
        .read_to_end(&mut bytes)
        .map_err(read_error)?;
    Ok(bytes)
}

fn recipients(keys: &[&str]) -> Result<Recipients, SealError> {
    Recipients::parse(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_sealed_comes_out_for_each_recipient(bytes in prop::collection::vec(any::<u8>(), 0..200_000)) {
        let (keys, one, two) = (Keys::new(), pair(), pair());
        let to = recipients(&[&one.0, &two.0]).unwrap();
        let sealed = seal(&bytes, &to);
        for (_, file) in [one, two] {
            let identities = keys.identities(&file).unwrap();
            prop_assert_eq!(&open(&sealed, true, Some(&identities)).unwrap(), &bytes);
        }
        let plain = seal(&bytes, &Recipients::none());
        prop_assert_eq!(open(&plain, false, None).unwrap(), bytes);
    }
}

#[test]
fn the_one_to_check_with_opens_it_and_is_not_among_the_names() {
    let (public, _) = pair();
    let to = recipients(&[&public]).unwrap();
    let (more, identity) = to.and_one_to_check_with();
    assert_eq!(to.names(), [public]);
    let sealed = seal(b"state", &more);
    assert_eq!(open(&sealed, true, identity.as_ref()).unwrap(), b"state");
    let (_, another) = to.and_one_to_check_with();
    assert!(matches!(
        open(&sealed, true, another.as_ref()),
        Err(SealError::WrongIdentity)
    ));
    assert!(Recipients::none().and_one_to_check_with().1.is_none());
}

#[test]
fn whoever_has_another_key_or_none_is_told_so() {
    let (keys, ours, theirs) = (Keys::new(), pair(), pair());
    let sealed = seal(b"state", &recipients(&[&ours.0]).unwrap());
    let identities = keys.identities(&theirs.1).unwrap();
    assert!(matches!(
        open(&sealed, true, Some(&identities)),
        Err(SealError::WrongIdentity)
    ));
    assert!(matches!(
        open(&sealed, true, None),
        Err(SealError::NoIdentity)
    ));
}

#[test]
fn every_cut_and_every_changed_byte_is_damage() {
    let (keys, pair) = (Keys::new(), pair());
    let identities = keys.identities(&pair.1).unwrap();
    let bytes: Vec<u8> = (0..150_000_u32).flat_map(u32::to_le_bytes).collect();
    for (to, encrypted) in [
        (recipients(&[&pair.0]).unwrap(), true),
        (Recipients::none(), false),
    ] {
        let sealed = seal(&bytes, &to);
        let places = [0, 1, 4, 20, 100, 200, sealed.len() / 2, sealed.len() - 1];
        for place in places {
            let cut = open(&sealed[..place], encrypted, Some(&identities)).unwrap_err();
            assert!(
                matches!(cut, SealError::Damaged(_)),
                "cut at {place}: {cut:?}"
            );
            let mut changed = sealed.clone();
            changed[place] ^= 0x10;
            // A changed stanza is one for somebody else; one bit of a zstd header means nothing.
            match open(&changed, encrypted, Some(&identities)) {
                Err(SealError::Damaged(_) | SealError::WrongIdentity) => {}
                Err(other) => unreachable!("changed at {place}: {other:?}"),
                Ok(same) => assert!(same == bytes, "changed at {place}"),
            }
        }
        let garbage = open(&[7; 5000], encrypted, Some(&identities)).unwrap_err();
        assert!(matches!(garbage, SealError::Damaged(_)), "{garbage:?}");
        let longer = [sealed.as_slice(), &[0; 9]].concat();
        open(&longer, encrypted, Some(&identities)).unwrap_err();
    }
}

#[test]
fn a_window_that_would_take_much_memory_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    let mut at_most = Vec::new();
    for block in 0..40_u32 {
        at_most.extend(std::iter::repeat_n(block.to_le_bytes(), 60_000).flatten());
    }
    encoder.write_all(&at_most).unwrap();
    let error = open(&encoder.finish().unwrap(), false, None).unwrap_err();
    assert!(matches!(error, SealError::Damaged(_)), "{error:?}");
}

#[test]
fn an_identity_file_may_hold_comments_and_several_keys() {
    let (keys, one, two) = (Keys::new(), pair(), pair());
    let identities = keys
        .identities(&format!("\n{}\n\n# the other\n{}", one.1, two.1))
        .unwrap();
    for (public, _) in [one, two] {
        let sealed = seal(b"x", &recipients(&[&public]).unwrap());
        assert_eq!(open(&sealed, true, Some(&identities)).unwrap(), b"x");
    }
    assert_eq!(format!("{identities:?}"), "Identities(2)");
}

#[test]
fn an_identity_file_that_is_none_is_refused_without_showing_it() {
    let (keys, pair) = (Keys::new(), pair());
    let broken = pair.1.replace("AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1Q");
    let error = keys.identities(&broken).unwrap_err();
    assert!(matches!(error, SealError::NoKey { line: 3, .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("SECRET-KEY-1Q"));
    let empty = keys.identities("# nothing\n").unwrap_err();
    assert!(matches!(empty, SealError::NoKey { line: 2, .. }), "{empty}");
    for sealed in [
        "age-encryption.org/v1\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\n",
    ] {
        let error = keys.identities(sealed).unwrap_err();
        assert!(matches!(error, SealError::Passphrase { .. }), "{error}");
    }
    let missing = Identities::from_file(Path::new("/nowhere/identity.key")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/identity.key"));
}

#[test]
fn an_identity_that_a_passphrase_protects_opens_with_that_one_alone() {
    let (keys, pair) = (Keys::new(), pair());
    let sealed = seal(b"state", &recipients(&[&pair.0]).unwrap());
    for format in [Format::AsciiArmor, Format::Binary] {
        let file = encrypted(&pair.1, &words(" wet badgers "), format);
        let identities = keys.opened(&file, " wet badgers ").unwrap();
        assert_eq!(open(&sealed, true, Some(&identities)).unwrap(), b"state");
        for other in ["wet badgers", ""] {
            let refused = keys.opened(&file, other).unwrap_err();
            assert!(
                matches!(refused, SealError::WrongPassphrase { .. }),
                "{refused}"
            );
        }
        // Where nobody can be asked.
        let refused = Identities::from_file(&keys.file(&file)).unwrap_err();
        assert!(
            refused.to_string().contains("--passphrase-file"),
            "{refused}"
        );
    }
}

#[test]
fn a_protected_identity_that_cannot_be_opened_says_why_and_shows_nothing() {
    let (keys, pair) = (Keys::new(), pair());
    let recipient: x25519::Recipient = pair.0.parse().unwrap();
    let to_a_key = encrypted(&pair.1, &recipient, Format::Binary);
    let refused = keys.opened(&to_a_key, "x").unwrap_err();
    assert!(
        matches!(refused, SealError::SealedToKey { .. }),
        "{refused}"
    );
    let whole = encrypted(&pair.1, &words("x"), Format::Binary);
    let damaged = [&whole[..30], &whole[..whole.len() - 1]].map(<[u8]>::to_vec);
    let mut dear = whole;
    let cost = dear.windows(3).position(|bytes| bytes == b" 1\n").unwrap();
    dear.splice(cost..cost + 3, *b" 40\n");
    for file in [&damaged[0], &damaged[1], &dear] {
        let refused = keys.opened(file, "x").unwrap_err();
        assert!(
            matches!(refused, SealError::IdentityDamaged { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("hint: "), "{refused}");
    }
    let not_keys = encrypted("AGE-SECRET-KEY-1QQ\n", &words("x"), Format::Binary);
    let refused = keys.opened(&not_keys, "x").unwrap_err();
    assert!(
        matches!(refused, SealError::NoKey { line: 1, .. }),
        "{refused}"
    );
    assert!(!format!("{refused} {refused:?}").contains("1QQ"));
}

#[cfg(unix)]
#[test]
fn an_identity_file_that_others_may_read_is_refused() {
    let (keys, pair) = (Keys::new(), pair());
    let path = keys.file(&pair.1);
    for mode in [0o640, 0o604, 0o660] {
        restrict(&path, mode);
        let error = Identities::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_recipient_that_is_none_is_named_by_its_place_and_never_shown() {
    let (public, file) = pair();
    let secret = file.lines().last().unwrap();
    let mut typo = public.clone();
    typo.replace_range(10..11, if &public[10..11] == "q" { "p" } else { "q" });
    let error = recipients(&[&public, &typo]).unwrap_err();
    assert!(
        matches!(error, SealError::Recipient { place: 2, .. }),
        "{error}"
    );
    for secret in [secret.to_owned(), secret.to_lowercase()] {
        let error = recipients(&[&public, &secret]).unwrap_err();
        assert!(matches!(error, SealError::SecretRecipient { place: 2 }));
        assert!(!format!("{error} {error:?}").contains(&secret[20..40]));
    }
}
