//! Ports, and waiting for a server on one.

use std::net::{Ipv4Addr, TcpListener};

/// A port on 127.0.0.1 that nobody listened on a moment ago. Somebody else may take it first: be ready to try again.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
