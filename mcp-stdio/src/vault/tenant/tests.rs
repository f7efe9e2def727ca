//! Tests of `tenant`.

use super::super::testing::{WORDS, World, actor, bytes, error_of, random_key, secret};
use super::*;

fn passphrase(words: &str) -> KeyText {
    KeyText::Passphrase(secret(words))
}

#[test]
fn a_stored_tenant_opens_as_it_always_did() {
    let master: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let row = Row {
        id: "00112233445566778899aabbccddeeff".to_owned(),
        name: "Ann".to_owned(),
        salt: (0x20..0x40).collect(),
        kdf: None,
        key_id: "9d77f8885a297ae3".to_owned(),
        wrapped_key: bytes(
            "760f74aa03b3d28c279aa4b7e3da93fb50ac6ff207e9d43641ad148f07633e0f93741069c5750b72408702bcb89af29e",
        ),
        wrap_nonce: (0x60..0x78).collect(),
        key_version: 1,
        default_store: None,
        created_ms: 0,
    };
    let master = MasterKey::from_bytes(Zeroizing::new(master));
    assert_eq!(master.id().as_str(), row.key_id);
    let generations = Generations::unwrap(&row, &master).ok().unwrap();
    assert_eq!(*generations.secrets, (0x40..0x60).collect::<Vec<u8>>());
}

#[test]
fn a_tenant_is_found_by_its_key_and_by_no_other() {
    let world = World::new();
    let (ann, bob) = (random_key(), random_key());
    let (tenant, _) = world.tenant_of(&ann);
    assert_eq!((tenant.key_version, tenant.name.as_str()), (1, "Ann"));
    let found = of_key(&world.state(), &ann).unwrap().unwrap();
    assert_eq!(found.row.id, *tenant.id);
    assert!(of_key(&world.state(), &bob).unwrap().is_none());
    assert!(
        of_key(&world.state(), &passphrase(WORDS))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_passphrase_finds_its_tenant_among_others() {
    let world = World::new();
    world.tenant_of(&random_key());
    world.tenant_of(&passphrase("another four words here"));
    let (tenant, _) = world.tenant_of(&passphrase(WORDS));
    let found = of_key(&world.state(), &passphrase(WORDS)).unwrap().unwrap();
    assert_eq!(found.row.id, *tenant.id);
    assert_eq!(
        found.row.kdf.as_deref(),
        Some("argon2id$v=19$m=19456,t=2,p=1")
    );
    assert!(
        of_key(&world.state(), &passphrase("a passphrase of nobody"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_key_has_one_tenant_and_the_second_set_up_says_so() {
    let world = World::new();
    for key in [random_key(), passphrase(WORDS)] {
        world.tenant_of(&key);
        let lock = KeyLock::take(&world.home, "test").unwrap();
        let (state, source) = (world.state(), KeySource::Environment);
        let again = create(&state, &lock, &key, &source, "Bob", &actor(), &*world.clock);
        let error = error_of(again);
        assert_eq!(error.code(), "tenant_exists");
        assert!(error.to_string().contains("Ann"), "{error}");
    }
    assert_eq!(world.tenants().len(), 2);
}

#[test]
fn ids_and_salts_are_random_and_say_nothing() {
    let world = World::new();
    let (one, two) = (random_key(), random_key());
    world.tenant_of(&one);
    world.tenant_of(&two);
    let rows = world.tenants();
    assert_ne!(rows[0].id, rows[1].id);
    assert_ne!(rows[0].salt, rows[1].salt);
    assert_eq!((rows[0].id.len(), rows[0].salt.len()), (32, 32));
    assert!(rows[0].id.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn making_a_tenant_is_audited_and_signed() {
    let world = World::new();
    let (tenant, sources) = world.tenant_of(&random_key());
    let signer = world.vault(sources).signer().unwrap();
    let chain = Chain::Tenant(tenant.id.to_string());
    let verdict = audit::verify(&world.state(), &chain, Some(&signer), &[]).unwrap();
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!((verdict.rows, verdict.signed), (1, 1));
    assert_eq!(audit::checkpoint::read(&world.home).unwrap().len(), 1);
}

#[test]
fn parameters_that_were_edited_into_a_row_hang_nobody_and_are_no_other_tenants_business() {
    const OTHER_WORDS: &str = "seven brass kettles hum";
    let world = World::new();
    let (tenant, _) = world.tenant_of(&passphrase(WORDS));
    let (other, _) = world.tenant_of(&passphrase(OTHER_WORDS));
    let row = world.tenant_row(&tenant.id);
    for kdf in ["argon2id$v=19$m=4194304,t=2,p=1", "scrypt", ""] {
        world.forge_tenant(&Row {
            kdf: Some(kdf.to_owned()),
            ..row.clone()
        });
        let found = of_key(&world.state(), &passphrase(WORDS)).unwrap();
        assert!(found.is_none(), "{kdf}");
        let theirs = of_key(&world.state(), &passphrase(OTHER_WORDS)).unwrap();
        assert_eq!(theirs.unwrap().row.id, *other.id);
    }
}
