//! Asks whether a connection is taken.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

use super::{Asked, late};

/// How long a connection stays that leads to a service. What forwards it on the way takes it at once, and
/// ends it as soon as nobody takes it at the other end.
const KEPT: Duration = Duration::from_millis(100);

/// Connects, and waits whether the connection stays, or says something.
pub(super) async fn connect(address: SocketAddr, limit: Duration) -> Asked {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        match timeout(KEPT, stream.read(&mut [0])).await {
            Ok(Ok(0)) => Err(io::Error::other("the connection is closed at once")),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    };
    match timeout(limit, asking).await {
        Ok(Ok(())) => Asked::Answered,
        Ok(Err(error)) => Asked::Refused(error.to_string()),
        Err(_) => Asked::Late(late(limit)),
    }
}
