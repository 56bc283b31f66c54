//! Runs a program on some input, with a time limit, capped output and an environment of its own. No shell, ever.
//!
//! A program that is not done in time, or whose result nobody waits for any more, is killed with everything it started.

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
};

use crate::domain::audio::Program;

/// How much of what a program complains is kept, in bytes.
const KEPT_COMPLAINT: u64 = 2_048;

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such program.
    #[error("the program {program} is not installed")]
    Missing {
        /// Its name.
        program: String,
    },
    /// It could not be started.
    #[error("the program {program} cannot be started")]
    Start {
        /// Its name.
        program: String,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// It was not done in time.
    #[error("the program {program} was not done after {} s and was ended", .limit.as_secs_f64())]
    TimedOut {
        /// Its name.
        program: String,
        /// The time that it had.
        limit: Duration,
    },
    /// It ended badly.
    #[error("the program {program} ended with {status}{}", said(.complaint))]
    Died {
        /// Its name.
        program: String,
        /// Its exit code or the signal.
        status: String,
        /// The beginning of what it wrote to standard error.
        complaint: String,
    },
    /// It wrote more than any result has.
    #[error("the program {program} wrote more than {cap} bytes")]
    TooMuch {
        /// Its name.
        program: String,
        /// The most that is taken.
        cap: u64,
    },
    /// Talking to it failed.
    #[error("the program {program} could not be talked to")]
    Broken {
        /// Its name.
        program: String,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

fn said(complaint: &str) -> String {
    if complaint.is_empty() {
        String::new()
    } else {
        format!(": {complaint}")
    }
}

/// Where and how programs run.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    /// The workspace: where they run, and what paths are relative to.
    pub root: PathBuf,
    /// All of their environment; secrets of this program are none of theirs.
    pub environment: Vec<(OsString, OsString)>,
    /// The time that each has.
    pub limit: Duration,
    /// The most bytes that are taken from each.
    pub cap: u64,
}

impl Workshop {
    /// Runs `program` on `input` and gives what it writes.
    pub(super) async fn run(
        &self,
        program: &Program,
        arguments: &[String],
        input: &[u8],
    ) -> Result<Vec<u8>, ProcessError> {
        let name = || program.name.clone();
        let path = if program.name.contains('/') {
            self.root.join(&program.name)
        } else {
            PathBuf::from(&program.name)
        };
        // A relative path would be looked up from the folder that the program runs in.
        let path = if program.name.contains('/') {
            std::path::absolute(&path).unwrap_or(path)
        } else {
            path
        };
        let child = Command::new(path)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let child = child.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ProcessError::Missing { program: name() },
            _ => ProcessError::Start {
                program: name(),
                source,
            },
        })?;
        let mut company = Company {
            child,
            is_over: false,
        };
        let talk = tokio::time::timeout(self.limit, company.talk(input, self.cap));
        let talked = match talk.await {
            Err(_) => {
                return Err(ProcessError::TimedOut {
                    program: name(),
                    limit: self.limit,
                });
            }
            Ok(Err(source)) => {
                return Err(ProcessError::Broken {
                    program: name(),
                    source,
                });
            }
            Ok(Ok(talked)) => talked,
        };
        match talked {
            Talked::TooMuch => Err(ProcessError::TooMuch {
                program: name(),
                cap: self.cap,
            }),
            Talked::Done {
                status,
                output,
                complaint,
            } => {
                if status.success() {
                    Ok(output)
                } else {
                    Err(ProcessError::Died {
                        program: name(),
                        status: status.to_string(),
                        complaint,
                    })
                }
            }
        }
    }
}

enum Talked {
    TooMuch,
    Done {
        status: std::process::ExitStatus,
        output: Vec<u8>,
        complaint: String,
    },
}

/// A program and everything that it starts.
struct Company {
    child: Child,
    is_over: bool,
}

impl Company {
    async fn talk(&mut self, input: &[u8], cap: u64) -> io::Result<Talked> {
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (
            self.child.stdin.take(),
            self.child.stdout.take(),
            self.child.stderr.take(),
        ) else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let write = async move {
            // A program that does not want to hear it all says by its status whether that was right.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
            Ok(())
        };
        let ((), output, complaint) =
            match tokio::try_join!(write, read(stdout, cap), complaint(stderr)) {
                Ok(said) => said,
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    return Ok(Talked::TooMuch);
                }
                Err(error) => return Err(error),
            };
        let status = self.child.wait().await?;
        self.is_over = true;
        Ok(Talked::Done {
            status,
            output,
            complaint,
        })
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Its number cannot have gone to anybody else, because nobody has waited for it yet.
        let group = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn read(from: impl AsyncRead + Unpin, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// The beginning of what it says, on one line. The rest is read too, so that it can go on.
async fn complaint(mut from: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut bytes = Vec::new();
    (&mut from)
        .take(KEPT_COMPLAINT)
        .read_to_end(&mut bytes)
        .await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
