//! stdin and stdout as the MCP library wants them.
//!
//! Here: one [`Stdio`], an implementation of the library's `Transport` with what its own lacks: bad lines are answered (`decode`),
//! oversized ones too (`lines`, `rescue`), a client that does not read is made to wait, a notification that comes too early does
//! not end the session, and the end of input leaves accepted calls time to be answered. Each operation is measured here, from
//! received to sent (`meter`). Not here: the protocol in its two eras; that is the library's.
//!
//! What is in flight is bounded by slots. A request takes one before the library sees it and gives it back when its answer has been
//! written; an answer to a bad line takes one, too. With no slot free no line is taken, the reader's short queue fills, and the
//! client's own writes block. So memory is bounded by slots × answer + queue × line, whatever the client does.

mod decode;
mod lines;
mod meter;
mod rescue;
mod writer;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcMessage,
    JsonRpcRequest, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::Transport;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use self::decode::{Decoded, Refusal};
use self::lines::Line;
use self::meter::Ticket;
use self::writer::{Frame, Writer};
use crate::stop::{Cause, Stop};

pub(crate) use self::meter::OTHER;

/// The two streams of a session.
pub struct Io {
    /// Where the client's messages come from.
    pub input: Box<dyn Read + Send>,
    /// Where frames, and nothing else, go.
    pub output: Box<dyn Write + Send>,
}

/// How much a client may ask for at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Longest message in bytes.
    pub max_line_bytes: usize,
    /// Requests in flight; further ones wait in the pipe.
    pub max_in_flight: usize,
}

/// The name of a tool if there is one of that name: names that a client makes up are no labels.
pub type KnownTool = fn(&str) -> Option<&'static str>;

/// Room for most answers from the beginning: growing copies what is there.
const USUAL_ANSWER_BYTES: usize = 4096;

/// The transport. See the module's words.
pub struct Stdio {
    lines: mpsc::Receiver<Line>,
    writer: Writer,
    stop: Stop,
    bounds: Bounds,
    known_tool: KnownTool,
    slots: Arc<Semaphore>,
    in_flight: HashMap<RequestId, Ticket>,
    /// Taken from the queue and waiting for a slot.
    held: Option<Held>,
    /// Whether the library has chosen an era; before that it takes a notification for a broken client.
    opened: bool,
    /// The version that `initialize` settled on; requests of the modern era carry their own.
    version: &'static str,
    began: Instant,
    drain_until: Option<tokio::time::Instant>,
}

enum Held {
    Request(Box<JsonRpcRequest<ClientRequest>>, Instant),
    Refusal(Refusal),
}

impl Stdio {
    /// Starts the reading and the writing thread. `on_first_frame` is called once the client has its first answer.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn start(
        io: Io,
        bounds: Bounds,
        stop: Stop,
        known_tool: KnownTool,
        on_first_frame: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Stdio> {
        let bounds = Bounds {
            max_in_flight: bounds.max_in_flight.clamp(1, Semaphore::MAX_PERMITS),
            ..bounds
        };
        Ok(Stdio {
            writer: Writer::spawn(io.output, stop.clone(), on_first_frame)?,
            lines: lines::spawn(io.input, bounds.max_line_bytes)?,
            stop,
            bounds,
            known_tool,
            slots: Arc::new(Semaphore::new(bounds.max_in_flight)),
            in_flight: HashMap::new(),
            held: None,
            opened: false,
            version: "",
            began: Instant::now(),
            drain_until: None,
        })
    }

    /// The next message for the library; `None` at the end of the input. May be cancelled and called again: what was taken from
    /// the queue stays in `held` until a slot is free.
    async fn next(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            if self.held.is_some() {
                let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
                if let Some(message) = self.held.take().and_then(|held| self.admit(held, slot)) {
                    return Some(message);
                }
            }
            let line = self.lines.recv().await?;
            match decode::decode(&line, self.bounds.max_line_bytes) {
                Decoded::Blank => {}
                Decoded::Refused(refusal) => self.held = Some(Held::Refusal(refusal)),
                Decoded::Message(message) => match *message {
                    JsonRpcMessage::Request(request) => {
                        self.held = Some(Held::Request(Box::new(request), Instant::now()));
                    }
                    other if self.opened => {
                        self.forget_cancelled(&other);
                        return Some(other);
                    }
                    _too_early => {}
                },
            }
        }
    }

    /// Hands a request on, or answers what cannot be handed on.
    fn admit(&mut self, held: Held, slot: OwnedSemaphorePermit) -> Option<ClientJsonRpcMessage> {
        match held {
            Held::Request(request, _) if self.in_flight.contains_key(&request.id) => {
                let text = format!("invalid request: id {} is still in flight", request.id);
                self.refuse(
                    Refusal {
                        id: Some(request.id),
                        error: ErrorData::invalid_request(text, None),
                        reason: "id_in_flight",
                    },
                    slot,
                );
                None
            }
            Held::Request(request, received) => {
                self.opened |= chooses_an_era(&request.request);
                self.in_flight.insert(
                    request.id.clone(),
                    Ticket::new(&request, self.known_tool, received, slot),
                );
                Some(JsonRpcMessage::Request(*request))
            }
            Held::Refusal(refusal) => {
                self.refuse(refusal, slot);
                None
            }
        }
    }

    /// Without the id when a call under that id is still running: the client would take this for its answer.
    fn refuse(&self, refusal: Refusal, slot: OwnedSemaphorePermit) {
        meter::bad_line(refusal.reason);
        tracing::debug!(reason = refusal.reason, "answered a bad line");
        let id = refusal.id.filter(|id| !self.in_flight.contains_key(id));
        let answer = ServerJsonRpcMessage::error(refusal.error, id);
        let reply = Ticket::refused(slot).answered_by(&answer, self.version);
        let _ = self.write(&answer, Some(reply));
    }

    /// The library does not answer a cancelled request, so its slot would never come back.
    fn forget_cancelled(&mut self, message: &ClientJsonRpcMessage) {
        if let JsonRpcMessage::Notification(notification) = message
            && let ClientNotification::CancelledNotification(cancelled) = &notification.notification
            && let Some(id) = &cancelled.params.request_id
        {
            self.in_flight.remove(id);
        }
    }

    fn write(
        &self,
        answer: &ServerJsonRpcMessage,
        reply: Option<meter::Reply>,
    ) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(USUAL_ANSWER_BYTES);
        serde_json::to_writer(&mut bytes, answer)?;
        bytes.push(b'\n');
        self.writer.send(Frame { bytes, reply })
    }

    /// Waits until every accepted request has been answered and written, but not beyond the cause's time.
    async fn drain(&mut self) {
        let cause = self.stop.cause().unwrap_or(Cause::InputEnded);
        let deadline = *self
            .drain_until
            .get_or_insert_with(|| tokio::time::Instant::now() + cause.drain());
        let all = u32::try_from(self.bounds.max_in_flight).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout_at(deadline, self.slots.acquire_many(all)).await;
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = std::io::Error;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = std::io::Result<()>> + Send + 'static {
        if let JsonRpcMessage::Response(response) = &item
            && let ServerResult::InitializeResult(result) = &response.result
        {
            self.version = meter::known_version(&result.protocol_version);
        }
        let ticket = answered_id(&item).and_then(|id| self.in_flight.remove(id));
        let reply = ticket.map(|ticket| ticket.answered_by(&item, self.version));
        std::future::ready(self.write(&item, reply))
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if self.stop.cause().is_none() {
            let stop = self.stop.clone();
            tokio::select! {
                biased;
                _ = stop.requested() => {}
                message = self.next() => match message {
                    Some(message) => return Some(message),
                    None => self.stop.now(Cause::InputEnded),
                },
            }
        }
        self.drain().await;
        meter::session(self.began, self.version);
        None
    }

    async fn close(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether the library leaves its opening phase on this request: on `initialize`, or on any request but a probe that carries
/// the whole metadata of the modern era.
fn chooses_an_era(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => {
            let meta = other.get_meta();
            let complete = meta
                .missing_required_keys(&ProtocolVersion::V_2026_07_28)
                .is_empty();
            complete
                && meta
                    .protocol_version()
                    .is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}

fn answered_id(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        _ => None,
    }
}
