//! A TCP gate before a server: open, it passes everything on; shut, whoever has come through is cut off and nobody else gets in.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::spawn;

use parking_lot::Mutex;

/// The gate; it stands for as long as the process lives.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    /// Where one knocks.
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    is_shut: bool,
    through: Vec<TcpStream>,
}

impl Gate {
    /// An open one.
    pub(super) fn before(server: SocketAddr) -> anyhow::Result<Self> {
        let knocking = TcpListener::bind("127.0.0.1:0")?;
        let gate = Self {
            address: knocking.local_addr()?,
            state: Arc::default(),
        };
        let state = Arc::clone(&gate.state);
        spawn(move || {
            for visitor in knocking.incoming().flatten() {
                // A visitor who is not let in sees the connection end.
                let _ = let_in(visitor, server, &state);
            }
        });
        Ok(gate)
    }

    pub(super) fn shut(&self) {
        let mut state = self.state.lock();
        state.is_shut = true;
        for visitor in state.through.drain(..) {
            let _ = visitor.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn open(&self) {
        self.state.lock().is_shut = false;
    }
}

fn let_in(visitor: TcpStream, server: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    let mut state = state.lock();
    if state.is_shut {
        return Ok(());
    }
    let inside = TcpStream::connect(server)?;
    for side in [&visitor, &inside] {
        side.set_nodelay(true)?;
        state.through.push(side.try_clone()?);
    }
    pass_on(visitor.try_clone()?, inside.try_clone()?);
    pass_on(inside, visitor);
    Ok(())
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// Answers everything with itself.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let back = stream.try_clone().unwrap();
                pass_on(stream, back);
            }
        });
        address
    }

    fn asked(stream: &mut TcpStream) -> bool {
        let mut answer = [0; 5];
        stream.write_all(b"hello").is_ok() && stream.read_exact(&mut answer).is_ok()
    }

    #[test]
    fn a_shut_gate_cuts_off_who_is_through_and_lets_nobody_in() {
        let gate = Gate::before(echo()).unwrap();
        let mut through = TcpStream::connect(gate.address).unwrap();
        assert!(asked(&mut through));
        gate.shut();
        assert!(!asked(&mut through));
        assert!(!asked(&mut TcpStream::connect(gate.address).unwrap()));
        gate.open();
        assert!(asked(&mut TcpStream::connect(gate.address).unwrap()));
    }
}
