//! A second handle on a connection's TCP socket: the only way to end one whose client has stopped reading, because a
//! close frame would wait behind everything else.

use actix_web::{dev::Extensions, rt::net::TcpStream};
use socket2::{SockRef, Socket};
use std::{any::Any, net::Shutdown, sync::Arc, time::Duration};

/// Ends a connection at once.
#[derive(Clone)]
pub struct Kill(Arc<Socket>);

impl Kill {
    /// Cuts both directions. A socket that is gone already is no matter.
    pub fn now(&self) {
        drop(self.0.shutdown(Shutdown::Both));
    }
}

/// Sets a new connection up: small frames leave at once, a vanished peer is noticed, and the connection can be killed.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else {
        return;
    };
    let socket = SockRef::from(stream);
    // What the system refuses here, it does without.
    drop(socket.set_tcp_nodelay(true));
    #[cfg(target_os = "linux")]
    drop(socket.set_tcp_user_timeout(Some(Duration::from_secs(30))));
    drop(socket.set_send_buffer_size(256 << 10));
    if let Ok(copy) = socket.try_clone() {
        data.insert(Kill(Arc::new(copy)));
    }
}
