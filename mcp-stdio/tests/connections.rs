//! What a shop's server sees of this client below HTTP: how many connections, and who is asked on the way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use support::{Home, Server};

/// A shop that answers any order and counts the connections it is asked on.
struct Shop {
    base_url: String,
    connections: Arc<AtomicUsize>,
}

impl Shop {
    fn open() -> Shop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/api/v2", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || answer_all(stream));
            }
        });
        Shop {
            base_url,
            connections,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn home(&self) -> Home {
        Home::new()
            .set("API_BASE_URL", &self.base_url)
            .set("STORE_ID", "4242")
            .set("API_KEY", "KEY")
    }
}

/// Answers request after request until the client closes.
fn answer_all(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default();
        let id = path.rsplit('/').next().unwrap_or_default();
        let body = json!({"status": "success", "order": {"id": id}}).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()))
            .is_err()
        {
            return;
        }
    }
}

fn read_twelve(server: &mut Server) {
    for id in 7_001_001..7_001_013 {
        let arguments = json!({"order_id": id, "fields": ["id"]});
        let order = server.call("orders_get", arguments).ok();
        assert_eq!(order["order"]["id"], id.to_string());
    }
}

#[test]
fn all_reads_of_a_process_go_over_one_connection() {
    let shop = Shop::open();
    let mut server = shop.home().session();
    read_twelve(&mut server);
    assert_eq!(shop.connections(), 1);
}

/// The key goes to the shop and to nobody else, whatever other programs on this machine are told to do.
#[test]
fn no_proxy_of_the_environment_is_asked() {
    let (shop, proxy) = (Shop::open(), Shop::open());
    let mut command = shop.home().command();
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env(name, proxy.base_url.trim_end_matches("/api/v2"));
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY");
    let mut server = Server::spawn(&mut command);
    server.initialize();
    read_twelve(&mut server);
    assert_eq!((shop.connections(), proxy.connections()), (1, 0));
}
