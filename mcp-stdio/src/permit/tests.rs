//! Which tools the settings leave.

use super::*;
use shared::env::Vars;
use shared::paths::Home;

fn settings(given: &[(&'static str, &str)]) -> Settings {
    let flags: Vec<(&'static str, String)> = given
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect();
    let home = Home::at("/nowhere");
    let loaded = Settings::load(&flags, &Vars::default(), &home);
    assert!(loaded.mistakes.is_empty(), "{:?}", loaded.mistakes);
    loaded.settings
}

fn permitted(given: &[(&'static str, &str)]) -> Vec<&'static str> {
    let (permissions, mistakes) = Permissions::of(&settings(given));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    permissions.allowed().map(|tool| tool.name).collect()
}

fn reason(given: &[(&'static str, &str)], name: &str) -> Option<Reason> {
    let (permissions, _) = Permissions::of(&settings(given));
    permissions.reason_against(tools::find(name).unwrap())
}

#[test]
fn without_settings_there_are_the_usual_tools() {
    let mut usual = USUAL.to_vec();
    let mut there = permitted(&[]);
    usual.sort_unstable();
    there.sort_unstable();
    assert_eq!(there, usual);
}

#[test]
fn toolsets_take_the_place_of_the_usual_tools_and_all_is_all() {
    let there = permitted(&[("toolsets", "inventory, Reports")]);
    assert!(there.contains(&"inventory_list") && !there.contains(&"orders_list"));
    assert_eq!(permitted(&[("toolsets", "all")]).len(), tools::ALL.len());
    assert_eq!(
        permitted(&[("toolsets", "orders,all")]).len(),
        tools::ALL.len()
    );
}

#[test]
fn single_tools_are_added_and_taken_away() {
    let added = permitted(&[("tools", "stores_remove")]);
    assert!(added.contains(&"stores_remove") && added.contains(&"orders_list"));
    let taken = permitted(&[
        ("tools", "stores_remove"),
        ("exclude_tools", "stores_remove,orders_list"),
    ]);
    assert!(!taken.contains(&"stores_remove") && !taken.contains(&"orders_list"));
}

#[test]
fn read_only_beats_every_other_switch() {
    let there = permitted(&[
        ("read_only", "true"),
        ("toolsets", "all"),
        ("tools", "stores_remove"),
    ]);
    for tool in tools::ALL {
        let changes = matches!(tool.effect, Effect::Destroys | Effect::Writes(_));
        assert_eq!(there.contains(&tool.name), !changes, "{}", tool.name);
    }
}

#[test]
fn what_is_not_there_says_which_setting_stands_in_the_way() {
    assert_eq!(reason(&[], "orders_list"), None);
    assert_eq!(
        reason(&[], "stores_remove"),
        Some(Reason::NotChosen(Toolset::Stores))
    );
    assert_eq!(
        reason(&[("exclude_tools", "orders_list")], "orders_list"),
        Some(Reason::Excluded)
    );
    assert_eq!(
        reason(
            &[("read_only", "1"), ("exclude_tools", "stores_remove")],
            "stores_remove"
        ),
        Some(Reason::ReadOnly)
    );
}

#[test]
fn a_misspelt_name_is_a_mistake_that_says_the_right_one() {
    let given = settings(&[
        ("toolsets", "order,orders,zzz"),
        ("tools", "order_list"),
        ("exclude_tools", "qqqqqqqqqq"),
    ]);
    let (_, mistakes) = Permissions::of(&given);
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    assert!(mistakes[0].contains("`order` is no toolset; hint: did you mean `orders`?"));
    assert!(mistakes[1].contains("there are `stores`, `orders`"));
    assert!(mistakes[2].contains("did you mean `orders_list`?"));
    assert!(mistakes[3].contains("`mcp-stdio tools --all`"));
}
