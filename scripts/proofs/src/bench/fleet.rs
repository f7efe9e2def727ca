//! A hundred servers started at once on one home: how soon all have answered, what they hold together.

use std::thread::spawn;
use std::time::{Duration, Instant};

use super::{Quantity, Row};
use crate::client::Server;
use crate::procfs::resident_bytes;
use crate::stage::Stage;

const SERVERS: usize = 100;
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn measure(stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let began = Instant::now();
    // Each client spawns its own server, as a hundred windows would.
    let servers: Vec<Server> = (0..SERVERS)
        .map(|_| stage.server())
        .collect::<anyhow::Result<_>>()?;
    let clients: Vec<_> = servers
        .into_iter()
        .map(|mut server| {
            spawn(move || {
                server.pipes.initialize()?;
                anyhow::Ok((server, Instant::now()))
            })
        })
        .collect();
    let (mut servers, mut last) = (Vec::new(), began);
    for client in clients {
        let (server, ready) = client
            .join()
            .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        servers.push(server);
        last = last.max(ready);
    }
    let together: u64 = servers
        .iter()
        .map(|server| resident_bytes(server.child.id()))
        .sum::<anyhow::Result<u64>>()?;
    for server in servers {
        server.close(ENDS_WITHIN)?;
    }
    Ok(vec![
        Row {
            what: "100 servers started at once: all initialized",
            figure: "",
            measured: Quantity::Time(last - began),
            promised: Some(Quantity::Time(Duration::from_secs(1))),
        },
        Row {
            what: "100 servers: resident memory together",
            figure: "",
            measured: Quantity::Bytes(together),
            promised: Some(Quantity::Bytes(1_200_000_000)),
        },
    ])
}
