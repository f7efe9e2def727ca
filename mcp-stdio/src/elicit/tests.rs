//! Who can be asked, and what an answer means; over a pipe with a client written by hand.

use super::*;
use serde_json::json;

fn said(answer: Value) -> Decision {
    let mut request = CallToolRequestParams::new("orders_delete");
    request.request_state = Some("token".to_owned());
    request.input_responses = Some(BTreeMap::from([(CONFIRM.to_owned(), answer)]));
    brought(&request).unwrap().1
}

#[test]
fn only_a_ticked_box_is_a_yes() {
    assert_eq!(
        said(json!({"action": "accept", "content": {"confirm": true}})),
        Decision::Yes
    );
    for no in [
        json!({"action": "accept", "content": {"confirm": false}}),
        json!({"action": "accept", "content": {"confirm": "true"}}),
        json!({"action": "accept", "content": {}}),
        json!({"action": "accept"}),
        json!({"action": "decline", "content": {"confirm": true}}),
        json!({"action": "cancel"}),
    ] {
        assert_eq!(said(no.clone()), Decision::No, "{no}");
    }
}

#[test]
fn an_answer_that_is_none_is_silence() {
    for garbage in [
        json!(null),
        json!(true),
        json!({"action": "perhaps"}),
        json!([]),
    ] {
        assert_eq!(said(garbage.clone()), Decision::Silent, "{garbage}");
    }
    let mut request = CallToolRequestParams::new("orders_delete");
    assert!(brought(&request).is_none());
    request.request_state = Some("token".to_owned());
    assert_eq!(brought(&request).unwrap().1, Decision::Silent);
}

#[test]
fn a_client_that_only_opens_addresses_has_no_forms() {
    let capability = |value: Value| serde_json::from_value(value).unwrap();
    assert!(has_forms(&capability(json!({}))));
    assert!(has_forms(&capability(json!({"form": {}, "url": {}}))));
    assert!(!has_forms(&capability(json!({"url": {}}))));
}

#[test]
fn the_question_is_one_box_without_a_dialect() {
    let question = Question {
        title: "Delete order 7?".to_owned(),
        text: "- order: it goes".to_owned(),
    };
    let form = json!(form(&question));
    assert_eq!(form["method"], "elicitation/create");
    let schema = &form["params"]["requestedSchema"];
    assert_eq!(
        *schema,
        json!({"type": "object", "properties": {"confirm": {"type": "boolean", "title": "Delete order 7?"}}, "required": ["confirm"]})
    );
    let message = form["params"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Delete order 7?\n\n- order"),
        "{message}"
    );
}

/// A server whose only tool asks, and a client that is written by hand; time passes as soon as nobody has anything to do.
mod over_a_pipe {
    use std::sync::Arc;

    use rmcp::handler::server::ServerHandler;
    use rmcp::model::{
        CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities, ServerConfig,
    };
    use rmcp::{ErrorData, ServiceExt as _};
    use tokio::io::{
        AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf,
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Asks(Arc<Manners>);

    impl ServerHandler for Asks {
        fn get_info(&self) -> ServerConfig {
            ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        }

        async fn call_tool(
            &self,
            request: CallToolRequestParams,
            context: RequestContext<RoleServer>,
        ) -> Result<CallToolResponse, ErrorData> {
            let negotiated = context
                .peer
                .peer_info()
                .map(|info| info.protocol_version.to_string());
            let person = Client::of(&request, &context, negotiated.as_deref(), &self.0);
            let question = Question {
                title: "Delete?".to_owned(),
                text: "- order 7".to_owned(),
            };
            let decision = person.ask(&question, "token").await;
            Ok(CallToolResult::success(vec![ContentBlock::text(format!("{decision:?}"))]).into())
        }
    }

    struct Wire {
        lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
        output: WriteHalf<DuplexStream>,
    }

    impl Wire {
        async fn open(version: &str, capabilities: &Value) -> Wire {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(async move {
                let service = Asks::default().serve(theirs).await.unwrap();
                let _ = service.waiting().await;
            });
            let (input, output) = tokio::io::split(ours);
            let mut wire = Wire {
                lines: BufReader::new(input).lines(),
                output,
            };
            let client = json!({"name": "test", "version": "1"});
            let hello = json!({"protocolVersion": version, "capabilities": capabilities, "clientInfo": client});
            wire.send(json!({"id": 0, "method": "initialize", "params": hello}))
                .await;
            wire.next().await;
            wire.send(json!({"method": "notifications/initialized"}))
                .await;
            wire
        }

        async fn send(&mut self, mut message: Value) {
            message["jsonrpc"] = "2.0".into();
            self.output
                .write_all(format!("{message}\n").as_bytes())
                .await
                .unwrap();
        }

        async fn next(&mut self) -> Value {
            let line = self.lines.next_line().await.unwrap().unwrap();
            serde_json::from_str(&line).unwrap()
        }

        async fn call(&mut self, id: u64) {
            self.send(json!({"id": id, "method": "tools/call", "params": {"name": "any"}}))
                .await;
        }

        /// What the tool made of the client's answer to its question.
        async fn answered(&mut self, id: u64, answer: Value) -> String {
            self.call(id).await;
            let question = self.next().await;
            assert_eq!(question["method"], "elicitation/create", "{question}");
            let mut response = answer;
            response["id"] = question["id"].clone();
            self.send(response.clone()).await;
            // A client that answers twice does no harm.
            self.send(response).await;
            self.decision(id).await
        }

        async fn decision(&mut self, id: u64) -> String {
            let frame = self.next().await;
            assert_eq!(frame["id"], id, "{frame}");
            frame["result"]["content"][0]["text"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    }

    fn accept(confirm: bool) -> Value {
        json!({"result": {"action": "accept", "content": {"confirm": confirm}}})
    }

    #[tokio::test]
    async fn a_client_that_can_ask_is_asked() {
        for version in ["2025-06-18", "2025-11-25"] {
            let mut wire = Wire::open(version, &json!({"elicitation": {}})).await;
            assert_eq!(wire.answered(1, accept(true)).await, "Yes");
            assert_eq!(wire.answered(2, accept(false)).await, "No");
            let cancel = json!({"result": {"action": "cancel"}});
            assert_eq!(wire.answered(3, cancel).await, "No");
            assert_eq!(wire.answered(4, accept(true)).await, "Yes");
        }
    }

    #[tokio::test]
    async fn a_client_that_cannot_ask_is_not_asked() {
        for (version, capabilities) in [
            ("2025-11-25", json!({})),
            ("2025-11-25", json!({"elicitation": {"url": {}}})),
            ("2025-03-26", json!({"elicitation": {}})),
        ] {
            let mut wire = Wire::open(version, &capabilities).await;
            wire.call(1).await;
            assert_eq!(wire.decision(1).await, "Silent", "{version}");
        }
    }

    #[tokio::test]
    async fn a_client_that_answers_with_nonsense_is_not_asked_again() {
        for nonsense in [
            json!({"error": {"code": -32601, "message": "no such method"}}),
            json!({"result": {}}),
            json!({"result": {"action": "perhaps"}}),
        ] {
            let mut wire = Wire::open("2025-11-25", &json!({"elicitation": {}})).await;
            assert_eq!(
                wire.answered(1, nonsense.clone()).await,
                "Silent",
                "{nonsense}"
            );
            wire.call(2).await;
            assert_eq!(wire.decision(2).await, "Silent");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_drops_the_question_costs_one_patience_and_is_not_asked_again() {
        let mut wire = Wire::open("2025-11-25", &json!({"elicitation": {"form": {}}})).await;
        let began = tokio::time::Instant::now();
        wire.call(1).await;
        assert_eq!(wire.next().await["method"], "elicitation/create");
        assert_eq!(wire.next().await["method"], "notifications/cancelled");
        assert_eq!(wire.decision(1).await, "Silent");
        assert!((PATIENCE..PATIENCE * 2).contains(&began.elapsed()));
        let began = tokio::time::Instant::now();
        wire.call(2).await;
        assert_eq!(wire.decision(2).await, "Silent");
        assert!(began.elapsed() < PATIENCE);
    }
}
