//! Tests of `derive`: the published vectors, and our own, which another implementation computed.

use super::super::testing::{bytes, hex};
use super::*;

const TENANT: &str = "00112233445566778899aabbccddeeff";

#[test]
fn hkdf_gives_what_rfc_5869_says() {
    let ikm = [0x0b; 22];
    let (salt, info) = (
        bytes("000102030405060708090a0b0c"),
        bytes("f0f1f2f3f4f5f6f7f8f9"),
    );
    assert_eq!(
        hex(expand(&ikm, Some(&salt), &info).as_slice()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    );
    assert_eq!(
        hex(expand(&ikm, None, &[]).as_slice()),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    );
}

#[test]
fn every_purpose_has_the_key_it_always_had() {
    let from: [u8; 32] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
    let salt: [u8; 32] = std::array::from_fn(|i| 0x20 + u8::try_from(i).unwrap());
    let expected = [
        (
            Purpose::StoreSeal,
            "43f071029752a09383319381bd9d0e888c14cae0ed5d29e14e4708faa01b3921",
        ),
        (
            Purpose::RequestState,
            "d7b5ca9315dc6601d53a8d8dfe1274149dbb3d6c3850f2b644842fb70bec2269",
        ),
    ];
    for (purpose, known) in expected {
        assert_eq!(
            hex(key(&from, &salt, purpose, TENANT, 1).as_slice()),
            known,
            "{purpose:?}"
        );
    }
    let master: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    assert_eq!(
        hex(key(&master, &salt, Purpose::TenantKek, TENANT, 1).as_slice()),
        "28d6c95e77055e77eba9c94334f4b9b6a936a7529cd54508df76cb9efb6e27a8"
    );
}

#[test]
fn no_two_uses_share_a_key() {
    let purposes = [
        Purpose::TenantKek,
        Purpose::StoreSeal,
        Purpose::AuditMac,
        Purpose::RequestState,
    ];
    let mut keys = Vec::new();
    for purpose in purposes {
        for (tenant, version, salt) in [("a", 1, 1), ("a", 2, 1), ("b", 1, 1), ("a", 1, 2)] {
            keys.push(hex(
                key(&[7; 32], &[salt; 32], purpose, tenant, version).as_slice()
            ));
        }
    }
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn lists_of_parts_cannot_be_confused() {
    assert_eq!(lp([b"ab", b"c"]), b"\0\0\0\x02ab\0\0\0\x01c");
    assert_ne!(lp([b"ab", b"c"]), lp([b"a", b"bc"]));
    assert_ne!(lp([b"ab", b""]), lp([b"", b"ab"]));
}

#[test]
fn randomness_is_random() {
    assert_ne!(random().as_slice(), random().as_slice());
}
