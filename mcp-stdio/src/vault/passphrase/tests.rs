//! Tests of `passphrase`: the published vectors, the stored parameters, and the strength rule.

use argon2::{AssociatedData, ParamsBuilder};

use super::super::testing::{WORDS, hex, secret};
use super::*;

#[test]
fn argon2id_gives_what_rfc_9106_says() {
    let mut params = ParamsBuilder::new();
    params
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .output_len(32)
        .data(AssociatedData::new(&[4; 12]).unwrap());
    let params = params.build().unwrap();
    let argon =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    assert_eq!(
        hex(&tag),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}

#[test]
fn stretching_gives_what_the_reference_program_gives() {
    let stretching = Stretching::from_stored("argon2id$v=19$m=65536,t=2,p=1").unwrap();
    let key = stretching
        .stretch(&secret("password"), b"somesalt")
        .unwrap();
    assert_eq!(
        hex(key.bytes()),
        "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    );
}

#[test]
fn words_have_the_key_they_always_had() {
    let salt: [u8; 32] = std::array::from_fn(|i| 0x20 + u8::try_from(i).unwrap());
    let key = Stretching::CURRENT.stretch(&secret(WORDS), &salt).unwrap();
    assert_eq!(
        hex(key.bytes()),
        "8524a1002370ac8593e36b5e9b9c3ce874f0d330c25cc90d7100e886e4b6c598"
    );
    assert_eq!(key.id().as_str(), "0f77cc61f20761f3");
}

#[test]
fn parameters_come_back_as_they_were_stored() {
    let stored = Stretching::CURRENT.to_stored();
    assert_eq!(stored, "argon2id$v=19$m=19456,t=2,p=1");
    assert_eq!(Stretching::from_stored(&stored), Some(Stretching::CURRENT));
}

#[test]
fn parameters_that_would_hang_the_machine_or_mean_nothing_are_refused() {
    for stored in [
        "",
        "argon2i$v=19$m=19456,t=2,p=1",
        "argon2id$v=16$m=19456,t=2,p=1",
        "argon2id$v=19$m=4194304,t=2,p=1",
        "argon2id$v=19$m=19456,t=1000000,p=1",
        "argon2id$v=19$m=19456,t=2,p=17",
        "argon2id$v=19$m=19456,t=0,p=1",
        "argon2id$v=19$m=4,t=2,p=1",
        "argon2id$v=19$m=19456,t=2",
        "argon2id$v=19$m=19456,t=2,p=1,x=1",
        "argon2id$v=19$t=2,m=19456,p=1",
    ] {
        assert_eq!(Stretching::from_stored(stored), None, "{stored}");
    }
}

#[test]
fn words_that_could_be_guessed_are_refused_with_what_is_missing() {
    assert_eq!(check(WORDS), Ok(()));
    assert_eq!(check("fünfzehn Zeiche"), Err(Weak::Short(15)));
    assert_eq!(check("fünfzehn Zeichen"), Ok(()));
    assert_eq!(check(&"abcabca".repeat(9)), Err(Weak::Monotonous(3)));
    assert_eq!(check("correct horse\nbattery"), Err(Weak::ControlCharacter));
}
