use super::*;

#[test]
fn local_is_the_backups_folder_of_the_home() {
    let spec = TargetSpec::parse(" local ", &Home::at("/home/shop")).unwrap();
    assert_eq!((spec.name(), spec.is_remote()), ("local", false));
}
