//! The MCP library's handler.
//!
//! Here: who this server is, which tools it has, the way into the corridor, and the doors of the `guide`. Not here: the two protocol eras; the library speaks
//! both and picks per request. The list of tools is built once: a client may ask for it with every turn.

use std::sync::{Arc, OnceLock};

use rmcp::ErrorData;
use rmcp::RoleServer;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CustomRequest,
    CustomResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, Implementation,
    InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use shared::env::nearest;

use crate::call;
use crate::context::Context;
use crate::elicit::{Client, Manners};
use crate::error::quoted;
use crate::guide::{completions, prompts, resources};
use crate::tools::{self, Tool};
use crate::transport::OTHER;

/// This server's name on the wire.
pub const NAME: &str = "orderdesk-mcp";

/// For how long a client of the modern era may keep the list of tools: it cannot change while the process lives.
const TOOLS_TTL_MS: u64 = 3_600_000;

/// The handler. Clones share everything.
#[derive(Clone, Debug)]
pub struct Server {
    context: Arc<Context>,
    tools: Arc<Vec<rmcp::model::Tool>>,
    config: Arc<ServerConfig>,
    met: Arc<OnceLock<()>>,
    manners: Arc<Manners>,
}

impl Server {
    /// A server over these surroundings.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Server {
        let permissions = &context.config.permissions;
        let config = ServerConfig::new(capabilities())
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
            .with_server_info(
                Implementation::new(NAME, env!("CARGO_PKG_VERSION"))
                    .with_title("Order Desk")
                    .with_description(tools::description(permissions)),
            )
            .with_instructions(tools::instructions(permissions, context.config.confirm));
        Server {
            tools: Arc::new(permissions.allowed().map(Tool::definition).collect()),
            context,
            config: Arc::new(config),
            met: Arc::default(),
            manners: Arc::default(),
        }
    }

    /// Notes who the client is.
    fn meet(&self, client: &Implementation, version: &ProtocolVersion) {
        self.context
            .meet(&client.name, &client.version, version.as_str());
    }

    /// The modern era has no handshake: each request says who sends it, and the first one counts.
    fn meet_once(&self, context: &RequestContext<RoleServer>) {
        self.met.get_or_init(|| {
            if let (Some(client), Some(version)) =
                (context.meta.client_info(), context.meta.protocol_version())
            {
                self.meet(&client, &version);
            }
        });
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        (*self.config).clone()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let result = self.negotiate_initialize(&request)?;
        self.meet(&request.client_info, &result.protocol_version);
        Ok(result)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items((*self.tools).clone()).with_ttl_ms(TOOLS_TTL_MS))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.meet_once(&context);
        let Some(tool) = tools::find(&request.name) else {
            call::count(OTHER, "error");
            return Err(unknown_tool(&request.name));
        };
        let negotiated = self.context.protocol();
        let person = Client::of(&request, &context, negotiated.as_deref(), &self.manners);
        let result = call::call(
            tool,
            &self.context,
            request.arguments.as_ref(),
            &person,
            context.ct.cancelled(),
        )
        .await;
        Ok(match person.question() {
            Some(question) if result.is_error != Some(true) => question.into(),
            _ => CallToolResponse::Complete(result),
        })
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.meet_once(&context);
        Ok(prompts::list(&self.context.config.permissions))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.meet_once(&context);
        prompts::get(&request, &self.context.config.permissions).map(GetPromptResponse::Complete)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.meet_once(&context);
        Ok(resources::list(&self.context).await)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.meet_once(&context);
        Ok(resources::templates(&self.context))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.meet_once(&context);
        resources::read(&self.context, &request.uri, context.ct.cancelled())
            .await
            .map(ReadResourceResponse::Complete)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.meet_once(&context);
        Ok(completions::complete(&self.context, &request).await)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        Err(ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("method not found: {}", quoted(&request.method)),
            None,
        ))
    }

    /// Some clients set a level whatever a server advertises, and show an error in red. Our log goes to stderr.
    #[expect(
        deprecated,
        reason = "the call is deprecated; the clients that make it are not gone"
    )]
    async fn set_level(
        &self,
        _: rmcp::model::SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder()
        .enable_tools()
        .enable_prompts()
        .enable_resources()
        .enable_completions()
        .build()
}

/// There is no such tool at all; one that is switched off is answered like any call, with the setting that stands in the way.
fn unknown_tool(name: &str) -> ErrorData {
    let text = match nearest(name, tools::ALL.iter().map(|tool| tool.name)) {
        Some(near) => format!("unknown tool {}; did you mean `{near}`?", quoted(name)),
        None => format!(
            "unknown tool {}; hint: tools/list says which there are",
            quoted(name)
        ),
    };
    ErrorData::invalid_params(text, None)
}
