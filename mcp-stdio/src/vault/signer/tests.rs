//! Tests of `signer`: the published vector, our own, and who can verify what.

use super::super::tenant::Generations;
use super::super::testing::{bytes, hex};
use super::*;

#[test]
fn hmac_gives_what_rfc_4231_says() {
    assert_eq!(
        hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn signatures_are_what_they_always_were() {
    let salt = (0x20..0x40).collect();
    let generations = Generations::of_test(
        "00112233445566778899aabbccddeeff",
        salt,
        (0x40..0x60).collect(),
    );
    let signer = TenantSigner::new(Arc::new(generations));
    assert_eq!(signer.key_version(), 1);
    assert_eq!(
        signer.mac(1, b"message").unwrap().as_slice(),
        bytes("61dcf00194e495b7c2ead04249774d6b079d0463cd20888a1f102f47b7f6691f")
    );
}

#[test]
fn old_versions_stay_verifiable_and_versions_that_never_were_are_not() {
    let first = Generations::of_test("t", vec![1; 32], vec![2; 32]);
    let second = Arc::new(first.with_another());
    let (first, second) = (
        TenantSigner::new(Arc::new(first)),
        TenantSigner::new(second),
    );
    assert_eq!((first.key_version(), second.key_version()), (1, 2));
    assert_eq!(first.mac(1, b"x"), second.mac(1, b"x"));
    assert_ne!(second.mac(1, b"x"), second.mac(2, b"x"));
    assert_eq!(first.mac(2, b"x"), None);
    assert_eq!(first.mac(0, b"x"), None);
    assert_eq!(format!("{second:?}"), "TenantSigner(version 2)");
}
