//! The base of all ratios: a plain `reqwest` client that sends N different bodies and keeps nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::ensure;
use loa::clock::Clock;
use tokio::task::JoinSet;

use crate::{
    measure::{self, Measured},
    subject,
};

/// Sends `n` bodies with `in_flight` workers on one thread, the fastest way that was found.
pub(crate) fn run(sink: SocketAddr, n: u64, in_flight: usize) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(in_flight)
            .build()?;
        let next = Arc::new(AtomicU64::new(0));
        let (began_us, began, cpu) = (
            Clock::system().now().as_micros(),
            Instant::now(),
            measure::cpu("self")?,
        );
        let mut workers = JoinSet::new();
        for _ in 0..in_flight {
            let (client, next) = (client.clone(), Arc::clone(&next));
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= n {
                        return anyhow::Ok(());
                    }
                    send(&client, sink, number).await?;
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(Measured {
            seconds: began.elapsed().as_secs_f64(),
            began_us,
            cpu: measure::cpu("self")? - cpu,
            server_cpu: 0.0,
            peak_mib: measure::peak_mib()?,
        })
    })
}

async fn send(client: &reqwest::Client, sink: SocketAddr, number: u64) -> anyhow::Result<()> {
    let body = serde_json::json!({
        "id": format!("bare-{number:06}"),
        "channel": format!("Cụm loa số {number}"),
        "text": subject::WORDS,
    });
    let answer = client
        .post(format!("http://{sink}/channel-{number}"))
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", format!("bare-{number:06}"))
        .body(body.to_string())
        .send()
        .await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    ensure!(
        status == 202 && !body.is_empty(),
        "the sink answered {status}"
    );
    Ok(())
}
