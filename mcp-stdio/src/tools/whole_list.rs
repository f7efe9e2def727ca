//! Lists that Order Desk gives whole: the items and the shipments of one order.
//!
//! Here: cutting them to the size of an answer, with a cursor for the rest. Not here: lists that Order Desk gives in pages (`rows::Page`
//! serves both), and how a row is shown.

use serde_json::Value;

use super::rows::{Page, View};
use crate::args::Args;
use crate::cursor;
use crate::desk::model::Object;
use crate::error::ToolError;
use crate::reply::Reply;

/// A whole list, and which part of it was asked for.
pub(super) struct WholeList<'a> {
    /// The field that holds the rows.
    pub(super) name: &'a str,
    /// The fields that a row may have by the documentation.
    pub(super) fields: &'a [&'a str],
    /// What was asked, for the cursor: a shop and a thing in it.
    pub(super) query: String,
    /// How a row is shown.
    pub(super) show: fn(&Object, &View) -> Value,
}

impl WholeList<'_> {
    /// The rows from the cursor on, as many as fit.
    pub(super) fn reply(
        &self,
        args: &Args,
        default: View,
        rows: &[&Object],
    ) -> Result<Reply, ToolError> {
        let offset = args
            .text("cursor")
            .map_or(Ok(0), |cursor| cursor::decode(cursor, &self.query))?;
        let view = View::from_args(args, default);
        view.check(self.fields, rows.iter().copied())?;
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        let page = Page {
            name: self.name,
            rows: rows
                .iter()
                .skip(skipped)
                .map(|row| (self.show)(row, &view))
                .collect(),
            offset,
            has_more: false,
            total_records: Some(rows.len() as u64),
            query: &self.query,
        };
        Ok(page.into_reply(Reply::from_shop()))
    }
}
