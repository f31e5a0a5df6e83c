//! Whether somebody listens, and what they say unasked.

use std::time::Instant;

use bartizan_proto::probe::Answer;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::{BANNER_BYTES_MAX, BANNER_PATIENCE};
use crate::{Trouble, has, reach, since};

pub(crate) async fn ask(host: &str, port: u16, banner: Option<&str>) -> Result<Answer, Trouble> {
    let begun = Instant::now();
    let mut stream = reach::connect(host, port).await?;
    let ms = since(begun);
    let matched = match banner {
        Some(wanted) => Some(greets(&mut stream, wanted).await),
        None => None,
    };
    Ok(Answer::Connected { ms, matched })
}

/// Reads until it is there, or until it can no longer come.
async fn greets(stream: &mut TcpStream, wanted: &str) -> bool {
    let mut said = Vec::new();
    let reading = async {
        let mut buffer = [0; 256];
        while said.len() < BANNER_BYTES_MAX && !has(&said, wanted) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => said.extend(buffer.get(..count).unwrap_or_default()),
            }
        }
    };
    // Whoever says nothing did not say it.
    let _ = timeout(BANNER_PATIENCE, reading).await;
    said.truncate(BANNER_BYTES_MAX);
    has(&said, wanted)
}
