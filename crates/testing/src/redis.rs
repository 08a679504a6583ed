//! A private Redis server for one test. It keeps nothing on disk, as the product asks nothing durable of Redis.

use crate::{env, net, process::Server};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// How often a start is tried when another process takes the port first.
const TRIES: u32 = 5;

/// A running server. Dropping it kills the process.
pub struct Redis {
    server: Option<Server>,
    folder: TempDir,
    program: PathBuf,
    port: u16,
}

impl Redis {
    /// Starts an empty server.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("redis")
            .tempdir()
            .expect("a temporary folder can be made");
        let mut redis = Self {
            server: None,
            folder,
            program: program(),
            port: net::free_port(),
        };
        for _ in 0..TRIES {
            if redis.launch().await {
                return redis;
            }
            redis.port = net::free_port();
        }
        panic!("Redis does not start:\n{}", redis.log());
    }

    /// The server's url.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server; everything it held is gone.
    pub fn kill9(&mut self) {
        self.server = None;
    }

    /// Starts a killed server again, empty, on the same port; kills a running one first.
    pub async fn restart(&mut self) {
        self.kill9();
        for _ in 0..TRIES {
            if self.launch().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("Redis does not come back on port {}:\n{}", self.port, self.log());
    }

    async fn launch(&mut self) -> bool {
        let port = self.port;
        let mut command = Command::new(&self.program);
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.arg("--dir").arg(self.folder.path());
        let mut server = Server::spawn(&mut command, &self.folder.path().join("log"));
        let ready = server.ready(|| answers(port).is_some_and(|reply| reply == *b"+PONG\r\n")).await;
        self.server = ready.then_some(server);
        ready
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn answers(port: u16) -> Option<[u8; 7]> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
    socket.write_all(b"PING\r\n").ok()?;
    let mut reply = [0; 7];
    socket.read_exact(&mut reply).ok()?;
    Some(reply)
}

fn program() -> PathBuf {
    let named = env::var("SHEAF_TEST_REDIS_SERVER").map(PathBuf::from);
    named
        .or_else(|| env::on_path("redis-server"))
        .expect("this test starts its own Redis: install the package \"redis-server\" or set SHEAF_TEST_REDIS_SERVER")
}
