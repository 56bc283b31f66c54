//! `loa` as the subject: a whole daemon in this process, with a workspace of N channels, one bulletin and one schedule
//! that falls due once. Planning, rendering and freezing happen before the instant; what is measured is what people wait
//! for, from the instant until every outcome is on record.
//!
//! The clock is a simulated one: it jumps from one thing to do to the next, and runs at life's speed while anything is
//! being done, so that nothing has to be waited for and the measured part is real time.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use loa::{
    adapter::transport::{Route, Transport, TransportSettings},
    clock::Clock,
    config::{self, Secrets},
    daemon::{self, Daemon, Shared, live::Live},
    domain::{time::Timestamp, workspace::Workspace},
    source,
    store::{LogFilter, Store, World},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    Mode, Plan,
    measure::{self, Measured},
};

/// What is said: with the envelope about 1.5 KB on the wire.
pub(crate) const WORDS: &str = "Thưa bà con. Gần đây có kẻ tự xưng là cán bộ thuế, công an gọi điện cho người vừa \
    đăng ký kinh doanh, yêu cầu cài ứng dụng lạ, đọc mã xác thực hoặc chuyển tiền để được miễn, giảm thuế. Cơ quan \
    thuế và công an không làm việc qua điện thoại theo cách ấy. Bà con tuyệt đối không bấm vào đường dẫn lạ, không cài \
    ứng dụng không rõ nguồn gốc, không đọc mã xác thực cho bất kỳ ai, kể cả người nói đúng họ tên và số giấy tờ của \
    mình. Khi nhận cuộc gọi như vậy, bà con hãy dập máy và gọi ngay cho công an phường nơi mình ở. Nếu đã lỡ chuyển \
    tiền, bà con báo ngay cho ngân hàng để khóa tài khoản và đến công an gần nhất trình báo. Đề nghị bà con nhắc nhau, \
    nhất là nhắc người cao tuổi trong gia đình và các hộ kinh doanh quanh mình. Muốn làm thủ tục thuế, bà con đến trực \
    tiếp chi cục thuế hoặc bộ phận một cửa của phường trong giờ làm việc, hoặc tự mở cổng dịch vụ công trên máy của \
    mình. Không ai được thu tiền mặt tại nhà thay cho cơ quan thuế. Công an phường trực cả ngày lẫn đêm; tin báo của bà \
    con được giữ kín. Xin nhắc lại: không bấm, không đọc, không chuyển; dập máy và gọi công an phường.";

/// When the deliveries are due: a Monday, 05:30 in Vinh.
const DUE: &str = "2024-03-25T05:30:00+07:00";
/// How long before that the daemon starts; more than the time in which words are frozen.
const LEAD: Duration = Duration::from_mins(20);
/// How fast the clock runs while there is nothing to do.
const SPEED: f64 = 1_000.0;
/// Longer than a run takes.
const PATIENCE: Duration = Duration::from_mins(5);
/// Channels in one file, so that no file is too large to be read.
const CHANNELS_A_FILE: u64 = 1_000;
/// Wards that the channels are spread over.
const WARDS: u64 = 33;

/// Runs the daemon until everything is on record.
pub(crate) fn run(
    plan: &Plan,
    sink: SocketAddr,
    database: &str,
    server: Option<u32>,
) -> anyhow::Result<Measured> {
    let workspace = workspace(plan, sink)?;
    let runtime = daemon::runtime()?;
    let fan_out = async {
        tokio::time::timeout(PATIENCE, fan_out(plan.n, workspace, sink, database, server)).await
    };
    runtime.block_on(fan_out).context("it did not end")?
}

async fn fan_out(
    n: u64,
    workspace: Workspace,
    sink: SocketAddr,
    database: &str,
    server: Option<u32>,
) -> anyhow::Result<Measured> {
    let alone = database.starts_with("sqlite:");
    let store = Store::open(database, World::Real, alone).await?;
    let delivery = workspace.settings.delivery.clone();
    let transport = Transport::new(TransportSettings {
        connect_timeout: delivery.connect_timeout,
        total_timeout: delivery.total_timeout,
        allow: workspace.settings.allow.clone(),
        answer_cap: 64 * 1024,
        route: Route::Direct,
    })?;
    let due = Timestamp::parse_rfc3339(DUE)?;
    let clock = Clock::simulated(due - LEAD, SPEED);
    let live = Live::new(
        Arc::new(workspace),
        &Secrets::of(Path::new("."), World::Real),
    );
    let node = config::node_name(Clock::system().now().as_micros());
    let shared = Shared::new(node, alone, clock.clone(), store.clone(), transport, live);
    let daemon = Daemon::start(shared.clone()).await?;

    clock.sleep_until(due).await;
    let (began_us, began) = (Clock::system().now().as_micros(), Instant::now());
    let server_used = || server.map_or(Ok(0.0), measure::server_cpu);
    let (cpu, server_cpu) = (measure::cpu("self")?, server_used()?);
    arrived(sink, n).await?;
    on_record(&store).await?;
    let measured = Measured {
        seconds: began.elapsed().as_secs_f64(),
        began_us,
        cpu: measure::cpu("self")? - cpu,
        server_cpu: server_used()? - server_cpu,
        peak_mib: measure::peak_mib()?,
    };
    let accepted = store.account(&LogFilter::default()).await?.accepted;
    ensure!(accepted == n, "{accepted} of {n} were accepted");
    shared.stop.soft.cancel();
    daemon.finish().await?;
    Ok(measured)
}

/// Waits until the sink has got everything, without looking again and again.
async fn arrived(sink: SocketAddr, n: u64) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(sink).await?;
    stream
        .write_all(format!("GET /_wait?n={n} HTTP/1.1\r\n\r\n").as_bytes())
        .await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// Waits until nothing waits and nothing is under way any more. Not by an account, which counts every row each time it is
/// asked.
async fn on_record(store: &Store) -> anyhow::Result<()> {
    let mut pulse = store.pulse();
    loop {
        pulse.borrow_and_update();
        if store.next_ready().await?.is_none() && !store.is_held_elsewhere("").await? {
            return Ok(());
        }
        pulse.changed().await?;
    }
}

/// The workspace as people would have written it.
fn workspace(plan: &Plan, sink: SocketAddr) -> anyhow::Result<Workspace> {
    let mut files = BTreeMap::new();
    let mut write = |path: &str, text: String| files.insert(path.to_owned(), text.into_bytes());
    write("loa.yaml", settings(plan.in_flight));
    write(
        "content/topics.yaml",
        "topics:\n  lua-dao: { title: Lừa đảo, official: 14 }\n".to_owned(),
    );
    write("content/contacts.yaml", CONTACTS.to_owned());
    write("content/bulletins/ban-tin.yaml", bulletin());
    write("schedules/lich.yaml", SCHEDULES.to_owned());
    write("channels/recipes/sink.yaml", RECIPE.to_owned());
    let mut wards = "wards:\n".to_owned();
    for ward in 0..WARDS {
        writeln!(
            wards,
            "  phuong-{ward}: {{ kind: phuong, name: Số {ward}, code: \"{}\", valid: {{ from: 2024-01-01 }} }}",
            16_000 + ward
        )?;
    }
    write("channels/wards.yaml", wards);
    for first in (0..plan.n).step_by(usize::try_from(CHANNELS_A_FILE)?) {
        let mut channels = "channels:\n".to_owned();
        for number in first..plan.n.min(first + CHANNELS_A_FILE) {
            let ward = number % WARDS;
            let mode = match plan.mode {
                Mode::AtLeastOnce => "at-least-once",
                Mode::AtMostOnce => "at-most-once",
            };
            writeln!(
                channels,
                "  loa-{number}:\n    ward: phuong-{ward}\n    name: Cụm loa số {number}\n    kind: loudspeaker\n    \
                 mode: {mode}\n    adapter: {{ recipe: {{ use: sink, with: {{ url: \"http://{sink}/channel-{number}\" }} }} }}"
            )?;
        }
        write(&format!("channels/kenh-{first}.yaml"), channels);
    }
    let loaded = source::load_files(&files);
    let Some(mut workspace) = loaded.workspace else {
        bail!("the workspace has mistakes: {:#?}", loaded.diagnostics)
    };
    // All channels are on one host here. In a city every channel is a host of its own, and the limits per host never
    // hold; they are not what is measured.
    workspace.settings.delivery.host_concurrency = usize::MAX;
    workspace.settings.delivery.host_per_second = 1e9;
    Ok(workspace)
}

fn settings(in_flight: usize) -> String {
    format!(
        r#"
name: Đo
zone: Asia/Ho_Chi_Minh
city: {{ id: vinh, name: thành phố Vinh, province: tỉnh Nghệ An }}
database: sqlite:unused.db
approval: {{ required: off }}
plan: {{ horizon: 2h, prepare: 15m, grace: 1m }}
delivery:
  workers: {in_flight}
  connect_timeout: 3s
  total_timeout: 20s
  lease: 60s
  retry: {{ first: 5s, longest: 1m, attempts: 8 }}
network: {{ allow: ["127.0.0.1/32"] }}
"#
    )
}

const CONTACTS: &str = r#"
contacts:
  cong-an: { kind: office, name: Công an thành phố, owner: Công an, purpose: Báo tin, source: "Công văn", verified_on: 2024-03, verified_by: "Công văn", expires: 2030-12 }
"#;

const SCHEDULES: &str = r#"
schedules:
  mot-lan:
    when: { at: ["05:30"], days: [mon] }
    bulletins: { only: [ban-tin] }
    to: { kind: loudspeaker }
    missed: skip
    deadline: 1h
"#;

const RECIPE: &str = r#"
title: Nơi nhận của phép đo
parameters:
  url: { about: "Địa chỉ đầy đủ" }
request:
  method: POST
  url: "{{ with.url }}"
  headers: { Idempotency-Key: "{{ message.delivery }}" }
  body:
    json: { id: "{{ message.delivery }}", channel: "{{ channel.name }}", text: "{{ message.text }}" }
accepted: { status: [202], json: { "/status": queued } }
errors:
  - { status: ["4xx"], then: reject }
"#;

fn bulletin() -> String {
    format!(
        r#"
title: Cảnh giác kẻ giả danh cán bộ
topic: lua-dao
priority: normal
valid: {{ from: 2024-03-01, until: 2024-12-31 }}
source: {{ document: "Công văn", month: 2024-03 }}
contacts: [cong-an]
script: "{WORDS}"
"#
    )
}
