//! A dry run shows and does nothing, whichever tool it is; what weighs is asked about before it is done.

use mcp_stdio::tools::{self, Effect, Tool, Writes};
use orderdesk_sandbox::{Options, seed};
use serde_json::{Value, json};

use crate::calls;
use crate::kit::{ORDER, Shop};

fn that_write() -> impl Iterator<Item = &'static Tool> {
    let writes = |tool: &&Tool| matches!(tool.effect, Effect::Writes(_));
    tools::ALL.into_iter().filter(writes)
}

#[test]
fn a_dry_run_of_any_tool_sends_nothing_but_reads() {
    let mut shop = Shop::open();
    let before: Vec<Value> = (0..10).map(|n| shop.order(ORDER + n)).collect();
    for tool in that_write() {
        for mut arguments in calls::ordinary(&mut shop, tool.name) {
            arguments["dry_run"] = true.into();
            shop.sandbox.forget_requests();
            let answer = shop.call(tool.name, arguments);
            assert_eq!(answer["outcome"], "preview", "{}: {answer}", tool.name);
            assert!(answer["confirm_token"].is_string(), "{}", tool.name);
            assert_eq!(shop.writes(), Vec::<String>::new(), "{}", tool.name);
        }
    }
    let after: Vec<Value> = (0..10).map(|n| shop.order(ORDER + n)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_deletes_is_shown_first_and_done_with_the_token_once() {
    let deletes = |tool: &&Tool| tool.effect == Effect::Writes(Writes::Destroys);
    for tool in that_write().filter(deletes) {
        let mut shop = Shop::with(Options::default(), &[]);
        let mut arguments = calls::ordinary(&mut shop, tool.name).swap_remove(0);
        let preview = shop.call(tool.name, arguments.clone());
        assert_eq!(preview["outcome"], "preview", "{}: {preview}", tool.name);
        assert_eq!(shop.writes(), Vec::<String>::new(), "{}", tool.name);
        arguments["confirm"] = preview["confirm_token"].clone();
        let done = shop.call(tool.name, arguments.clone());
        assert_eq!(done["outcome"], "done", "{}: {done}", tool.name);
        assert_eq!(shop.writes().len(), 1, "{}", tool.name);
        let again = shop.window.call(tool.name, arguments).error();
        assert!(again.contains("outcome: not_done"), "{again}");
        assert_eq!(shop.writes().len(), 1, "{}", tool.name);
    }
}

#[test]
fn a_token_for_some_orders_moves_no_others() {
    let mut shop = Shop::with(Options::default(), &[]);
    let some = json!({"order_ids": [ORDER, ORDER + 1], "folder": "Hold"});
    let preview = shop.call("orders_move", some);
    assert_eq!(preview["outcome"], "preview", "{preview}");
    let others = json!({"order_ids": [ORDER, seed::ON_HOLD], "folder": "Hold", "confirm": preview["confirm_token"]});
    let text = shop.refused("orders_move", others);
    assert!(text.starts_with("not_confirmed"), "{text}");
}
