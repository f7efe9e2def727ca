//! Asking the person through their client, in both eras of the protocol.
//!
//! In the legacy era the server sends the client a request in the middle of a call and waits. In the modern era it may not: the call ends
//! with the question, and the client repeats it with the answer and with the state that came along, which is our own confirm token.
//! Clients promise more than they keep: some declare that they can ask and then drop the question. So there is a time limit, and a client that
//! once let it pass, or answered with something that is no answer, is not asked again. Here: which client can be asked and what its answers
//! mean. Not here: what is done with a decision, and whether a token is a good one (`tools::writing`, `confirm`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rmcp::model::{
    BooleanSchema, CallToolRequestParams, ClientResult, ElicitRequest, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequiredResult,
    PrimitiveSchemaDefinition, ProtocolVersion, ServerRequest,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestContext, RequestHandle};
use rmcp::{RoleServer, model::ElicitationCapability};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::person::{Decision, Person, Question};

/// How long a person may take. Many clients give up the call around it after 60 s, and something has to be done in it afterwards.
const PATIENCE: Duration = Duration::from_secs(45);

/// The first protocol version in which a server may ask.
const FIRST_VERSION: &str = "2025-06-18";

/// The name of our question among those of a call, and of the one field that it has.
const CONFIRM: &str = "confirm";

/// What one client has shown of itself.
#[derive(Debug, Default)]
pub struct Manners {
    /// It let a question pass, or answered it with nonsense.
    unable: AtomicBool,
}

/// The person behind one call.
pub struct Client<'a> {
    way: Way,
    manners: &'a Manners,
    brought: Option<(String, Decision)>,
    /// What was asked in a call that ends with the question.
    pending: Mutex<Option<(Question, String)>>,
}

enum Way {
    /// Legacy: a request to the client.
    Request(Peer<RoleServer>),
    /// Modern: the call's result.
    Result,
    /// The client cannot ask.
    None,
}

impl<'a> Client<'a> {
    /// Whoever sits behind the client that sent this call. `negotiated` is what `initialize` settled on, in the legacy era.
    #[must_use]
    pub fn of(
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        negotiated: Option<&str>,
        manners: &'a Manners,
    ) -> Client<'a> {
        let can = context
            .client_capabilities()
            .and_then(|capabilities| capabilities.elicitation)
            .is_some_and(|elicitation| has_forms(&elicitation));
        let modern = context
            .meta
            .protocol_version()
            .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let way = match (can, modern) {
            (false, _) => Way::None,
            (true, true) => Way::Result,
            (true, false) if negotiated.is_some_and(|version| version >= FIRST_VERSION) => {
                Way::Request(context.peer.clone())
            }
            (true, false) => Way::None,
        };
        Client {
            way,
            manners,
            brought: brought(request),
            pending: Mutex::default(),
        }
    }

    /// The question with which the call has to end, if one was asked in that way.
    #[must_use]
    pub fn question(self) -> Option<InputRequiredResult> {
        let (question, token) = self.pending.into_inner()?;
        let asked = InputRequest::Elicitation(form(&question));
        let requests = BTreeMap::from([(CONFIRM.to_owned(), asked)]);
        Some(InputRequiredResult::new(Some(requests), Some(token)))
    }

    async fn request(&self, peer: &Peer<RoleServer>, question: &Question) -> Decision {
        if !self.can_be_asked() {
            return Decision::Silent;
        }
        let request = ServerRequest::ElicitRequest(form(question));
        let options = PeerRequestOptions::no_options();
        let decision = match peer.send_request_with_option(request, options).await {
            Ok(handle) => answer_to(handle).await,
            Err(_gone) => Decision::Silent,
        };
        if decision == Decision::Silent {
            self.manners.unable.store(true, Ordering::Relaxed);
        }
        decision
    }
}

/// Waits for the answer, in a task that outlives a call that is cancelled meanwhile: a question that nobody waits for any more is taken
/// back, lest a person agrees to what will not happen.
async fn answer_to(mut handle: RequestHandle<RoleServer>) -> Decision {
    let (mut tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let answer = tokio::select! {
            answer = tokio::time::timeout(PATIENCE, &mut handle.rx) => answer,
            () = tell.closed() => {
                let _ = handle.cancel(Some("the call ended".to_owned())).await;
                return;
            }
        };
        let decision = match answer {
            Ok(Ok(Ok(ClientResult::ElicitResult(answer)))) => decision(&answer),
            Ok(_no_answer) => Decision::Silent,
            Err(_too_late) => {
                let _ = handle.cancel(Some("no answer in time".to_owned())).await;
                Decision::Silent
            }
        };
        let _ = tell.send(decision);
    });
    told.await.unwrap_or(Decision::Silent)
}

impl Person for Client<'_> {
    fn ask<'a>(&'a self, question: &'a Question, token: &'a str) -> BoxFuture<'a, Decision> {
        async move {
            match &self.way {
                Way::Request(peer) => self.request(peer, question).await,
                Way::Result => {
                    *self.pending.lock() = Some((question.clone(), token.to_owned()));
                    Decision::Later
                }
                Way::None => Decision::Silent,
            }
        }
        .boxed()
    }

    fn can_be_asked(&self) -> bool {
        match &self.way {
            Way::Request(_) => !self.manners.unable.load(Ordering::Relaxed),
            Way::Result => true,
            Way::None => false,
        }
    }

    fn brought(&self) -> Option<(&str, Decision)> {
        let (token, decision) = self.brought.as_ref()?;
        Some((token, *decision))
    }
}

/// A client that names no mode means forms: there was nothing else in the first version.
fn has_forms(capability: &ElicitationCapability) -> bool {
    capability.form.is_some() || capability.url.is_none()
}

/// One box to tick. Written by hand: what the library derives carries a `$schema` that some clients refuse.
fn form(question: &Question) -> ElicitRequest {
    let mut tick = BooleanSchema::new();
    tick.title = Some(question.title.clone().into());
    let fields = BTreeMap::from([(CONFIRM.to_owned(), PrimitiveSchemaDefinition::Boolean(tick))]);
    let mut schema = ElicitationSchema::new(fields);
    schema.required = Some(vec![CONFIRM.to_owned()]);
    ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("{}\n\n{}", question.title, question.text),
        requested_schema: schema,
    })
}

/// Only a box that was ticked is a yes.
fn decision(answer: &ElicitResult) -> Decision {
    let ticked = answer
        .content
        .as_ref()
        .and_then(|content| content.get(CONFIRM))
        .and_then(Value::as_bool);
    match (&answer.action, ticked) {
        (ElicitationAction::Accept, Some(true)) => Decision::Yes,
        _ => Decision::No,
    }
}

/// What a repeated call carries: our token, and what the person said. A client that brings the one without the other has nothing to tell.
fn brought(request: &CallToolRequestParams) -> Option<(String, Decision)> {
    let token = request.request_state.clone()?;
    let answer = request
        .input_responses
        .as_ref()
        .and_then(|responses| responses.get(CONFIRM))
        .and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok());
    Some((token, answer.as_ref().map_or(Decision::Silent, decision)))
}

#[cfg(test)]
mod tests;
