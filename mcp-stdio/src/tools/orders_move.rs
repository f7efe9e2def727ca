//! `orders_move`: orders into another folder, with the way back.

use super::outcome::{self, MOST_ROWS, ROWS_LEFT_OUT};
use super::writing::{CONFIRM, COUNTS, DRY_RUN, ROWS, written};
use super::{Answer, Effect, STORE, Shape, Tool, Toolset, Writes};
use crate::args::{Args, Argument, Kind};
use crate::desk::DeskError;
use crate::desk::model::OrderId;
use crate::desk::write::MoveOrders;
use crate::error::ToolError;

pub(super) static ORDERS_MOVE: Tool = Tool {
    name: "orders_move",
    title: "Move orders",
    description: "Moves orders to a folder, which is their status (cancel, hold, reopen). The folder's rules may submit, e-mail or move them on. \
        `undo` says which orders to move back where. Safe to repeat.",
    arguments: &[
        Argument::required("order_ids", Kind::Ids(MOST_ROWS), ""),
        Argument::required("folder", Kind::Text, "Id or name"),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![
        COUNTS,
        ROWS,
        ROWS_LEFT_OUT,
        Answer::sometimes("folder", Shape::Object),
        Answer::sometimes("undo", Shape::Objects)
    ],
    toolset: Toolset::Orders,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &[
        "GET /store",
        "GET /orders",
        "GET /orders/{order_id}",
        "POST /move-orders",
    ],
    most_tokens: 24_000,
    run: |context, args, person| outcome::run(context, args, person, "orders_move", plan(args)),
};

/// All ids that are none are told at once.
fn plan(args: &Args) -> Result<MoveOrders, ToolError> {
    let parsed = args.words("order_ids").into_iter().map(OrderId::parse);
    let (mut ids, mut bad) = (Vec::new(), Vec::new());
    for id in parsed {
        match id {
            Ok(id) => ids.push(id),
            Err(wrong) => bad.push(wrong),
        }
    }
    match bad.len() {
        0 => Ok(MoveOrders {
            ids,
            folder: args.text("folder").unwrap_or_default().to_owned(),
        }),
        1 => Err(DeskError::from(bad.swap_remove(0)).into()),
        _ => Err(ToolError::Arguments(
            bad.iter().map(ToString::to_string).collect(),
        )),
    }
}
