//! `switchbell admin`: what the owner of the machine may do without signing in.
//!
//! One line of JSON each way over a Unix socket in the data folder that its owner alone may open.
//! Without a running server, the command opens the database itself.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow};
use host::Shutdown;
use people::People;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};

/// Bytes of a request or an answer.
const LINE: u64 = 16 * 1024;

/// A wish of the machine's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// Make another account; its owner's set-up link is the answer.
    AddAccount {
        /// What it is called.
        name: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The line to print.
    Done(String),
    /// Why not.
    Refused(String),
}

/// Fulfils a wish. Gives the line to print.
pub async fn fulfil(people: &People, origin: &str, wish: Wish) -> Result<String> {
    match wish {
        Wish::AddAccount { name } => {
            let path = people.add_account(&name).await.map_err(|problem| {
                let field = problem.fields().first().map(|fault| fault.detail.clone());
                anyhow!(field.unwrap_or_else(|| problem.to_string()))
            })?;
            Ok(format!("{origin}{path}"))
        }
    }
}

/// Where the socket of the server with this data folder is.
pub fn path(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// Listens for wishes until the server stops. What a dead server left behind is replaced: the
/// caller holds the lock of the database.
pub fn listen(
    data: &Path,
    people: People,
    origin: String,
    shutdown: Shutdown,
) -> Result<impl Future<Output = ()> + Send + 'static> {
    let path = path(data);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{}", path.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("{}", path.display()))?;
    // The folder is its owner's alone, so nobody gets in between the two steps.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        loop {
            let accepted = tokio::select! {
                () = shutdown.stopping() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (people, origin) = (people.clone(), origin.clone());
                    telemetry::spawn("admin.wish", async move {
                        if let Err(error) = serve(stream, &people, &origin).await {
                            tracing::warn!(%error, "an admin command broke off");
                        }
                    });
                }
                Err(error) => tracing::warn!(%error, "an admin command could not connect"),
            }
        }
        // Gone either way when the folder is.
        let _ = fs::remove_file(&path);
    })
}

async fn serve(stream: UnixStream, people: &People, origin: &str) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LINE).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(wish) => fulfil(people, origin, wish).await,
        Err(error) => Err(anyhow!("the server does not know this command: {error}")),
    };
    let answer = match answer {
        Ok(line) => Answer::Done(line),
        Err(error) => Answer::Refused(format!("{error:#}")),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// Asks the running server; nothing when none runs on this data folder.
pub async fn ask(data: &Path, wish: &Wish) -> Result<Option<String>> {
    let mut stream = match UnixStream::connect(path(data)).await {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error).context("the running server cannot be asked"),
    };
    let mut text = serde_json::to_string(wish)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LINE).read_to_string(&mut answer).await?;
    match serde_json::from_str(&answer).context("the running server answered nothing useful")? {
        Answer::Done(line) => Ok(Some(line)),
        Answer::Refused(why) => Err(anyhow!(why)),
    }
}
