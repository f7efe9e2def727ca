//! A bare rmcp server that answers every tool call with the same bytes: the yardstick of `scripts/bench`.
//!
//! Started as `echo FILE`, it reads one `CallToolResult` from FILE and gives that to whoever calls its only tool. What it
//! costs is therefore what rmcp, a pipe and serialising that answer cost; what `mcp-stdio` costs on top is ours. It has no
//! telemetry, no cache, no limits and no deadline, on purpose.

use std::sync::Arc;

use anyhow::Context as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};

#[derive(Clone)]
struct Echo {
    answer: Arc<CallToolResult>,
}

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let anything = serde_json::json!({"type": "object"});
        let schema = anything.as_object().cloned().unwrap_or_default();
        let tool = Tool::new("echo", "Answers with the file's bytes.", Arc::new(schema));
        Ok(ListToolsResult::with_all_items(vec![tool]))
    }

    async fn call_tool(
        &self,
        _request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::clone(&self.answer).into())
    }
}

fn main() -> anyhow::Result<()> {
    let file = std::env::args_os().nth(1).context("usage: echo FILE")?;
    let answer =
        std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let answer = serde_json::from_slice(&answer).context("the file holds no tool result")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let echo = Echo {
            answer: Arc::new(answer),
        };
        let running = echo.serve(rmcp::transport::stdio()).await?;
        running.waiting().await?;
        anyhow::Ok(())
    })
}
