//! Tests of `seal`: the published vector, our own, and the law that what was sealed opens, and nothing else does.

use proptest::prelude::*;

use super::super::testing::{API, bytes, hex};
use super::*;

fn counting<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|i| from + u8::try_from(i).unwrap())
}

fn key_of(bytes: [u8; 32]) -> Key {
    Zeroizing::new(bytes)
}

fn a_place(row_id: &str) -> Place<'_> {
    Place::ApiKey {
        tenant_id: "00112233445566778899aabbccddeeff",
        row_id,
        name: "Tea",
        base_url: API,
        store_id: "4242",
        key_version: 1,
    }
}

#[test]
fn the_cipher_gives_what_the_xchacha_draft_says() {
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let aad = bytes("50515253c0c1c2c3c4c5c6c7");
    let payload = Payload {
        msg: text,
        aad: &aad,
    };
    let sealed = cipher(&key_of(counting(0x80)))
        .encrypt(&XNonce::from(counting::<24>(0x40)), payload)
        .unwrap();
    assert_eq!(
        hex(&sealed),
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
         2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a\
         cf49"
    );
}

#[test]
fn the_stored_form_is_what_it_always_was() {
    let kek = bytes("28d6c95e77055e77eba9c94334f4b9b6a936a7529cd54508df76cb9efb6e27a8");
    let place = Place::Generations {
        tenant_id: "00112233445566778899aabbccddeeff",
        key_version: 1,
    };
    let nonce = counting(0x60);
    let wrapped = seal_with(
        &key_of(kek.try_into().unwrap()),
        nonce,
        place,
        &counting::<32>(0x40),
    );
    assert_eq!(
        hex(&wrapped.bytes),
        "760f74aa03b3d28c279aa4b7e3da93fb50ac6ff207e9d43641ad148f07633e0f93741069c5750b72408702bcb89af29e"
    );

    let key = bytes("43f071029752a09383319381bd9d0e888c14cae0ed5d29e14e4708faa01b3921");
    let place = a_place("ffeeddccbbaa99887766554433221100");
    let sealed = seal_with(
        &key_of(key.try_into().unwrap()),
        nonce,
        place,
        b"api-key-of-the-tea-shop",
    );
    assert_eq!(
        hex(&sealed.bytes),
        "48c93b4b2232f070f5e40a8560ec69184819c127290c380e24a285ab75725fbf08005abcfe4c3b"
    );
    assert_eq!(sealed.nonce, nonce);
}

#[test]
fn two_seals_of_one_text_differ() {
    let key = key_of([1; 32]);
    let (one, two) = (
        seal(&key, a_place("a"), b"x"),
        seal(&key, a_place("a"), b"x"),
    );
    assert_ne!(one.nonce, two.nonce);
    assert_ne!(one.bytes, two.bytes);
}

#[test]
fn another_place_does_not_open_it() {
    let key = key_of([1; 32]);
    let sealed = seal(&key, a_place("a"), b"x");
    let open_at = |place| open(&key, place, &sealed.bytes, &sealed.nonce);
    assert_eq!(**open_at(a_place("a")).as_ref().unwrap(), *b"x");
    let api = |tenant_id, base_url, store_id, key_version| Place::ApiKey {
        tenant_id,
        row_id: "a",
        name: "Tea",
        base_url,
        store_id,
        key_version,
    };
    let tenant = "00112233445566778899aabbccddeeff";
    let elsewhere = [
        a_place("b"),
        api("other", API, "4242", 1),
        api(
            tenant,
            "https://app.orderdesk.me.evil.example/api/v2",
            "4242",
            1,
        ),
        api(tenant, API, "4243", 1),
        api(tenant, API, "4242", 2),
        Place::ApiKey {
            tenant_id: tenant,
            row_id: "a",
            name: "tea",
            base_url: API,
            store_id: "4242",
            key_version: 1,
        },
        Place::Generations {
            tenant_id: tenant,
            key_version: 1,
        },
    ];
    for place in elsewhere {
        assert_eq!(open_at(place), Err(Broken), "{place:?}");
    }
}

proptest! {
    #[test]
    fn what_was_sealed_opens_and_any_flipped_bit_is_refused(
        key in any::<[u8; 32]>(),
        text in proptest::collection::vec(any::<u8>(), 0..200),
        row_id in ".{0,40}",
        name in ".{0,60}",
        base_url in ".{0,40}",
        store_id in ".{0,20}",
        key_version in any::<u32>(),
        flip in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let place = Place::ApiKey { tenant_id: "t", row_id: &row_id, name: &name, base_url: &base_url, store_id: &store_id, key_version };
        let key = key_of(key);
        let mut sealed = seal(&key, place, &text);
        let opened = open(&key, place, &sealed.bytes, &sealed.nonce).unwrap();
        prop_assert_eq!(&*opened, &text);
        let at = flip.index(sealed.bytes.len() + sealed.nonce.len());
        match at.checked_sub(sealed.bytes.len()) {
            None => sealed.bytes[at] ^= 1 << bit,
            Some(at) => sealed.nonce[at] ^= 1 << bit,
        }
        prop_assert_eq!(open(&key, place, &sealed.bytes, &sealed.nonce), Err(Broken));
    }

    #[test]
    fn lengths_that_cannot_be_are_refused(length in 0_usize..40, nonce in 0_usize..40) {
        let opened = open(&key_of([1; 32]), a_place("a"), &vec![0; length], &vec![0; nonce]);
        prop_assert_eq!(opened, Err(Broken));
    }
}
