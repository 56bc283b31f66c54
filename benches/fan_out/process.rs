//! The benchmark's own processes: a sink for every run, and the run itself.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::{measure::Measured, sink::Arrived};

/// A sink in a process of its own, which ends when its input does.
#[derive(Debug)]
pub(crate) struct Sink {
    process: Child,
    address: SocketAddr,
}

impl Sink {
    /// Starts one, and says where it listens.
    pub(crate) fn start() -> anyhow::Result<(Self, SocketAddr)> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("the sink has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line
            .trim()
            .parse()
            .with_context(|| format!("the sink said `{line}`"))?;
        Ok((Self { process, address }, address))
    }

    /// Asks what arrived and ends the sink.
    pub(crate) fn stop(&mut self) -> anyhow::Result<Arrived> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(b"GET /_stats HTTP/1.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer
            .split_once("\r\n\r\n")
            .context("the sink's answer is cut")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // a sink that has gone already has been waited for by nobody else
        let _ = self.process.wait();
    }
}

/// Runs a subject's process and reads its result, the last line that it says.
pub(crate) fn result(command: &mut Command) -> anyhow::Result<Measured> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the process ended with {}", output.status);
    }
    let said = String::from_utf8(output.stdout)?;
    let last = said.lines().last().context("the process said nothing")?;
    Ok(serde_json::from_str(last)?)
}
