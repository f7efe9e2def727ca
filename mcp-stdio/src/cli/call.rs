//! `call`: one tool call from the shell, through the same corridor as every call of a client.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use rmcp::model::{CallToolResult, JsonObject};
use shared::env::nearest;
use shared::session::Kind;
use shared::telemetry::Telemetry;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{FAILED, pretty, show};
use crate::cli::setup::Setup;
use crate::context::Context;
use crate::error::quoted;
use crate::person::Nobody;
use crate::tools::{self, Tool};
use crate::{call, config::Config};

/// How long the counters of this one call may take to be written.
const TIME_TO_FLUSH: Duration = Duration::from_secs(2);

/// The longest JSON that is read from stdin.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio call server_status
  mcp-stdio call orders_list '{\"folder_name\": \"New\", \"limit\": 5}'
  echo '{\"query\": \"AB-1001\"}' | mcp-stdio call orders_find -

The answer is JSON on stdout. An error goes to stderr, with exit code 1.")]
pub(super) struct Args {
    /// The tool's name; `mcp-stdio tools` lists them
    #[arg(value_name = "TOOL")]
    tool: String,
    /// Its arguments as a JSON object; `-` reads them from stdin
    #[arg(value_name = "JSON", default_value = "{}", hide_default_value = true)]
    arguments: String,
}

/// Calls the tool and prints its answer.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let tool = known(&args.tool)?;
    let arguments = object(&args.arguments)?;
    let config = setup.config()?;
    answer(&in_the_corridor(setup, config, tool, &arguments)?)
}

fn known(name: &str) -> Outcome<&'static Tool> {
    tools::find(name).ok_or_else(|| {
        let hint = match nearest(name, tools::ALL.iter().map(|tool| tool.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`mcp-stdio tools` lists them".to_owned(),
        };
        Failure::usage(format!("{} is no tool", quoted(name)), hint)
    })
}

fn object(given: &str) -> Outcome<JsonObject> {
    let mut text = String::new();
    let text = if given == "-" {
        std::io::stdin()
            .lock()
            .take(MOST_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| {
                Failure::failed(
                    format!("stdin could not be read: {error}"),
                    "pipe a JSON object in",
                )
            })?;
        text.as_str()
    } else {
        given
    };
    serde_json::from_str(text).map_err(|error: serde_json::Error| {
        // What the library says of JSON that is no object repeats it.
        let why = if error.is_data() {
            "they are JSON of another kind".to_owned()
        } else {
            error.to_string()
        };
        Failure::usage(
            format!("the arguments are not a JSON object: {why}"),
            "write them like '{\"order_id\": \"12345\"}', in single quotes",
        )
    })
}

/// What `run` does for a session, for one call: the call is counted and has a session of its own in the state file.
fn in_the_corridor(
    setup: &Setup,
    config: Config,
    tool: &'static Tool,
    arguments: &JsonObject,
) -> Outcome<CallToolResult> {
    let runtime = runtime()?;
    let telemetry = Telemetry::start(
        setup.slot.clone(),
        Kind::McpStdio,
        env!("CARGO_PKG_VERSION"),
    );
    let context = Context::new(
        config,
        setup.slot.clone(),
        telemetry.handle(),
        Arc::clone(&setup.clock),
    );
    context.meet("cli", env!("CARGO_PKG_VERSION"), "none: command line");
    let result = runtime.block_on(async {
        let interrupted = async {
            // A machine that cannot listen for Ctrl-C is ended by it, as any program is.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        call::call(tool, &context, Some(arguments), &Nobody, interrupted).await
    });
    runtime.shutdown_background();
    if !telemetry.finish(TIME_TO_FLUSH) {
        tracing::warn!("this call could not be counted in time");
    }
    Ok(result)
}

/// For commands that speak to Order Desk.
pub(super) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::failed(
                format!("the async runtime cannot start: {error}"),
                "the machine may be out of memory or file handles; close programs and try again",
            )
        })
}

fn answer(result: &CallToolResult) -> Outcome {
    if result.is_error == Some(true) {
        let text: Vec<&str> = result
            .content
            .iter()
            .filter_map(|block| block.as_text())
            .map(|text| text.text.as_str())
            .collect();
        return Err(Failure::text(text.join("\n"), FAILED));
    }
    show(&pretty(&result.structured_content))
}
