//! A server whose answer to the first letter comes too late.

use super::{letter, smtp};
use crate::mail::MailError;
use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Speaks with one client and takes none of its letters but the first of a late conversation. From there on every answer
/// of that one waits for the next line.
fn converse(stream: &TcpStream, mut late: Option<UnboundedSender<()>>) -> std::io::Result<()> {
    let mut out = stream;
    out.write_all(b"220 here\r\n")?;
    let (mut in_letter, mut held) = (false, None::<&str>);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let answer = match line.as_str() {
            "." => "451 not now\r\n",
            _ if in_letter => continue,
            "DATA" => "354 go on\r\n",
            _ => "250 fine\r\n",
        };
        in_letter = line == "DATA";
        if let Some(before) = held.replace(answer) {
            out.write_all(before.as_bytes())?;
        } else if let Some(late) = late.take_if(|_| line == ".") {
            held = Some("250 taken\r\n");
            late.send(()).ok();
        } else {
            held = None;
            out.write_all(answer.as_bytes())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_late_answer_is_not_taken_for_that_to_the_next_letter() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mailer = smtp(&format!("smtp://{}", server.local_addr().unwrap()));
    let (late, mut is_late) = unbounded_channel();
    std::thread::spawn(move || {
        let mut late = Some(late);
        for stream in server.incoming().flatten() {
            let late = late.take();
            std::thread::spawn(move || converse(&stream, late));
        }
    });
    let first = letter(1);
    tokio::select! {
        answer = mailer.send(&first) => panic!("nobody answered, but {answer:?}"),
        _ = is_late.recv() => {}
    }
    // Time for a pool to take the connection back, if it wants.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let answer = mailer.send(&letter(2)).await;
    assert!(
        matches!(&answer, Err(MailError::Unavailable(why)) if why.contains("451")),
        "{answer:?}"
    );
}
