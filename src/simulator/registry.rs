//! The registry: every device of one city, the faults in force, and the record. The one place where they change.
//!
//! Invariants: an effect is on record before the device remembers it and before its answer leaves; one lock covers all
//! three, and nobody waits for anything while holding it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::{
    CityError, CityOptions, Stage,
    device::{self, Door, DoorOrder},
    fault::{Fault, FaultOrder, Rule, Rules},
    memory::{Effect, Heard, HeardFilter, Kind, Memory, Summary},
    pause,
    record::Record,
    role, vnportal,
    wire::{Answer, Request},
    zalo::{self, Article, Platform},
};

/// The most devices that one city has.
const MAX_DEVICES: usize = 20_000;
/// Devices on one third byte of their addresses.
const DEVICES_A_STREET: usize = 250;
/// The longest host, with its port.
const MAX_HOST: usize = 261;

/// A device that listens.
#[derive(Debug)]
struct Resident {
    address: SocketAddr,
    open: bool,
    recognises_repeats: Option<bool>,
    orders: mpsc::UnboundedSender<DoorOrder>,
}

/// What changes.
#[derive(Debug, Default)]
struct State {
    residents: BTreeMap<String, Resident>,
    memories: BTreeMap<String, Memory>,
    /// The one Zalo platform.
    platform: Platform,
    rules: Rules,
    record: Option<Record>,
    /// The number of the last entry.
    number: u64,
}

/// One city.
#[derive(Debug)]
pub(super) struct Registry {
    control: SocketAddr,
    /// Who plays the devices; where nobody does, they are the city's own.
    stage: Option<Arc<dyn Stage>>,
    runtime: Handle,
    stop: CancellationToken,
    state: Mutex<State>,
    tasks: Mutex<JoinSet<()>>,
    requests: watch::Sender<u64>,
    began: Instant,
    /// What `at_ms` of the first new entry counts from: the last entry of the record.
    offset_ms: u64,
}

/// Takes a lock whose holder may have died: the state is whole between any two statements that matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Makes a city that controls itself at `control`, knowing what its record says. Has to be called within a runtime.
    pub(super) fn open(
        options: &CityOptions,
        control: SocketAddr,
        stage: Option<Arc<dyn Stage>>,
    ) -> Result<Arc<Self>, CityError> {
        let mut state = State::default();
        let mut offset_ms = 0;
        if let Some(path) = &options.record {
            let (memories, number) = (&mut state.memories, &mut state.number);
            let platform = &mut state.platform;
            let record = Record::open(path, |heard| {
                offset_ms = offset_ms.max(heard.at_ms);
                *number = (*number).max(heard.number);
                if let Some(change) = &heard.zalo {
                    platform.apply(change);
                }
                memories.entry(heard.host.clone()).or_default().apply(heard);
            })?;
            state.record = Some(record);
        }
        Ok(Arc::new(Self {
            control,
            stage,
            runtime: Handle::current(),
            stop: CancellationToken::new(),
            state: Mutex::new(state),
            tasks: Mutex::new(JoinSet::new()),
            requests: watch::Sender::new(0),
            began: Instant::now(),
            offset_ms,
        }))
    }

    /// Where the city is controlled.
    pub(super) fn control(&self) -> SocketAddr {
        self.control
    }

    /// Ends when the city is to stop.
    pub(super) fn stopped(&self) -> WaitForCancellationFuture<'_> {
        self.stop.cancelled()
    }

    /// Tells every task to end.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until every task has ended.
    pub(super) async fn ended(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
        lock(&self.state).record = None; // lets go of the file
    }

    /// Runs a task until it ends by itself or the city stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while let Some(ended) = tasks.try_join_next() {
            report(ended);
        }
        tasks.spawn_on(task, &self.runtime);
    }

    /// The number of requests so far, for those who wait for one.
    pub(super) fn requests(&self) -> watch::Receiver<u64> {
        self.requests.subscribe()
    }

    /// The address of the device that stands for `host`, which moves in if it is new: as a mail server, or as what it is called as.
    pub(super) fn device(
        self: &Arc<Self>,
        host: &str,
        recognises_repeats: Option<bool>,
        is_mail: bool,
    ) -> Result<SocketAddr, CityError> {
        let host = host.to_ascii_lowercase();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if host.is_empty() || host.len() > MAX_HOST || !host.bytes().all(known) {
            return Err(CityError::InvalidHost { host });
        }
        if self.stop.is_cancelled() {
            return Err(CityError::Stopped);
        }
        let mut state = lock(&self.state);
        let state = &mut *state;
        if let Some(resident) = state.residents.get_mut(&host) {
            resident.recognises_repeats = recognises_repeats.or(resident.recognises_repeats);
            return Ok(resident.address);
        }
        let number = state.residents.len();
        if number >= MAX_DEVICES {
            return Err(CityError::Full);
        }
        let open = !state.rules.refuses(&host, Instant::now());
        let (door, address) = self.new_door(number, open)?;
        let (orders, inbox) = mpsc::unbounded_channel();
        state.residents.insert(
            host.clone(),
            Resident {
                address,
                open,
                recognises_repeats,
                orders,
            },
        );
        state.memories.entry(host.clone()).or_default();
        self.spawn(device::serve(
            Arc::clone(self),
            (host.into(), is_mail),
            (door, address),
            inbox,
        ));
        Ok(address)
    }

    /// Every device has its own loopback address and the control address's port, so that thousands of them take one port
    /// from the range that outgoing connections use. Where only 127.0.0.1 exists, any free port there.
    fn new_door(&self, number: usize, open: bool) -> Result<(Door, SocketAddr), CityError> {
        let _runtime = self.runtime.enter();
        let byte =
            |number: usize| u8::try_from(number).expect("20,000 devices fill 80 streets of 250");
        let (street, house) = (
            byte(number / DEVICES_A_STREET),
            byte(number % DEVICES_A_STREET + 1),
        );
        let own = SocketAddr::from((Ipv4Addr::new(127, 77, street, house), self.control.port()));
        let shared = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Door::new(own, open)
            .or_else(|_| Door::new(shared, open))
            .map_err(|source| CityError::Bind {
                address: shared,
                source,
            })
    }

    /// What goes wrong with a command before the request that counts, where somebody ordered it for that command.
    pub(super) fn trip(&self, host: &str, request: &Request) -> Option<Fault> {
        let mut state = lock(&self.state);
        let State {
            memories, rules, ..
        } = &mut *state;
        let number = memories
            .get(host)
            .map_or(0, |memory| memory.counts.requests);
        rules.hit_command(host, request, number, Instant::now())
    }

    /// One request arrives at a device: what it answers, and what goes wrong.
    pub(super) fn receive(&self, host: &str, request: &Request) -> (Answer, Option<Fault>) {
        let at_ms = self.elapsed_ms();
        let mut state = lock(&self.state);
        let State {
            residents,
            memories,
            platform,
            rules,
            record,
            number,
        } = &mut *state;
        let memory = memories.entry(host.to_owned()).or_default();
        *number += 1;
        memory.counts.requests += 1;
        let mut fault = rules.hit(host, request, memory.counts.requests, Instant::now());
        let recognises_repeats = residents
            .get(host)
            .and_then(|resident| resident.recognises_repeats);
        let (mut response, mut change) = if zalo::answers(request) {
            platform.answer(request)
        } else {
            (role::respond(memory, request, recognises_repeats), None)
        };
        if let Some(stage) = &self.stage {
            let played = stage.play(host, request, &response.answer, response.effect);
            if let Some((answer, effect)) = played.answer {
                (response.answer, response.effect) = (answer, effect);
                (response.post, response.clip, change) = (None, None, None);
            }
            fault = fault.or(played.fault);
        }
        if fault.as_ref().is_some_and(|fault| !fault.happens()) {
            response.effect = Effect::Ignored;
            response.post = None;
            change = None;
            response.clip = None;
        }
        let mut heard = Heard {
            host: host.to_owned(),
            number: *number,
            at_ms,
            kind: response.kind,
            method: request.method.clone(),
            path: request.path.clone(),
            key: response.key,
            digest: blake3::hash(&request.body).to_hex().to_string(),
            text: response.text,
            status: status_sent(fault.as_ref(), &response.answer),
            effect: response.effect,
            fault: fault.as_ref().map(|fault| fault.word().to_owned()),
            post: response.post,
            zalo: change,
            clip: response.clip,
        };
        if (heard.effect != Effect::Ignored || heard.zalo.is_some())
            && let Some(record) = record
            && let Err(error) = record.append(&heard)
        {
            // what cannot be written down must not happen: the file has to tell the truth
            tracing::error!(
                host,
                error = &error as &dyn std::error::Error,
                "the simulated city cannot keep its record"
            );
            response.answer = Answer::json(
                500,
                &serde_json::json!({"error": "the record cannot be written"}),
            );
            heard = Heard {
                effect: Effect::Ignored,
                status: Some(500),
                post: None,
                zalo: None,
                clip: None,
                ..heard
            };
        }
        if let Some(change) = &heard.zalo {
            platform.apply(change);
        }
        memory.apply(heard);
        drop(state);
        self.requests.send_modify(|requests| *requests += 1);
        (response.answer, fault)
    }

    /// A clerk publishes a page by hand. Nobody calls the device for that, so it counts as no request.
    pub(super) fn paste(&self, host: &str, title: &str, html: &str) -> Result<(), CityError> {
        let host = host.to_ascii_lowercase();
        let at_ms = self.elapsed_ms();
        let mut state = lock(&self.state);
        let State {
            memories,
            record,
            number,
            ..
        } = &mut *state;
        let Some(memory) = memories.get_mut(&host) else {
            return Err(CityError::InvalidHost { host });
        };
        *number += 1;
        let (effect, post) = vnportal::pasted(&memory.site, title, html);
        let heard = Heard {
            host,
            number: *number,
            at_ms,
            kind: Kind::Website,
            method: "HAND".to_owned(),
            path: String::new(),
            key: None,
            digest: blake3::hash(html.as_bytes()).to_hex().to_string(),
            text: Some(title.to_owned()),
            status: None,
            effect,
            fault: None,
            post: Some(post),
            zalo: None,
            clip: None,
        };
        if let Some(record) = record {
            record.append(&heard)?;
        }
        memory.apply(heard);
        Ok(())
    }

    /// Milliseconds since the city began.
    fn elapsed_ms(&self) -> u64 {
        self.offset_ms + u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts a fault in force. When this returns, doors that it closes are closed.
    pub(super) async fn add_fault(self: &Arc<Self>, order: FaultOrder) -> Result<(), CityError> {
        if let Some(mistake) = order.mistake() {
            return Err(CityError::InvalidFault { mistake });
        }
        let order = FaultOrder {
            host: order.host.to_ascii_lowercase(),
            ..order
        };
        let ends = order
            .for_ms
            .filter(|_| order.fault == Fault::Refuse)
            .map(Duration::from_millis);
        lock(&self.state).rules.add(order, Instant::now());
        if let Some(length) = ends {
            let registry = Arc::clone(self);
            self.spawn(async move {
                tokio::select! {
                    () = registry.stopped() => {}
                    () = pause(length) => {
                        if let Err(error) = registry.settle_doors().await {
                            tracing::error!(error = &error as &dyn std::error::Error, "a simulated device stays closed");
                        }
                    }
                }
            });
        }
        self.settle_doors().await
    }

    /// Takes back the faults ordered for `host`, or all. Returns how many; doors that they kept closed are open then.
    pub(super) async fn clear_faults(&self, host: Option<&str>) -> Result<usize, CityError> {
        let cleared = lock(&self.state).rules.clear(host);
        self.settle_doors().await?;
        Ok(cleared)
    }

    /// The faults in force, oldest first.
    pub(super) fn faults(&self) -> Vec<Rule> {
        lock(&self.state).rules.list(Instant::now()).to_vec()
    }

    /// Opens and closes doors until they are as the faults in force would have them.
    async fn settle_doors(&self) -> Result<(), CityError> {
        let mut waiting = Vec::new();
        {
            let mut state = lock(&self.state);
            let State {
                residents, rules, ..
            } = &mut *state;
            let now = Instant::now();
            for (host, resident) in residents {
                let open = !rules.refuses(host, now);
                if open != resident.open {
                    resident.open = open;
                    let (done, told) = oneshot::channel();
                    // a device that has ended is reported below, where nobody tells that it is done
                    let _ = resident.orders.send(DoorOrder { open, done });
                    waiting.push((resident.address, told));
                }
            }
        }
        for (address, told) in waiting {
            told.await
                .map_err(|_| CityError::Stopped)?
                .map_err(|source| CityError::Bind { address, source })?;
        }
        Ok(())
    }

    /// The newest entries that a filter wants, oldest first, at most `limit`.
    pub(super) fn heard(&self, filter: &HeardFilter, limit: usize) -> Vec<Heard> {
        let state = lock(&self.state);
        let entries = state.memories.values().flat_map(|memory| &memory.entries);
        let mut wanted: Vec<&Heard> = entries.filter(|heard| filter.wants(heard)).collect();
        wanted.sort_by_key(|heard| heard.number);
        let surplus = wanted.len().saturating_sub(limit);
        wanted.into_iter().skip(surplus).cloned().collect()
    }

    /// The articles of the Zalo platform.
    pub(super) fn articles(&self) -> Vec<Article> {
        lock(&self.state).platform.articles().cloned().collect()
    }

    /// The city at a glance.
    pub(super) fn summary(&self) -> Summary {
        let state = lock(&self.state);
        let mut summary = Summary::default();
        for (host, memory) in &state.memories {
            summary.add(
                host,
                state.residents.get(host).map(|resident| resident.address),
                memory,
            );
        }
        summary
    }
}

/// The status that will go out, if one does.
fn status_sent(fault: Option<&Fault>, answer: &Answer) -> Option<u16> {
    match fault {
        Some(Fault::Status { code, .. } | Fault::Instead { code, .. } | Fault::Echo { code }) => {
            Some(*code)
        }
        Some(Fault::Redirect { .. }) => Some(307),
        Some(
            Fault::Reset | Fault::Garbage | Fault::AcceptedThenLost | Fault::Hang | Fault::After,
        ) => None,
        _ => Some(answer.status),
    }
}

/// Says when a task died instead of ending.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a part of the simulated city died"
        );
    }
}
