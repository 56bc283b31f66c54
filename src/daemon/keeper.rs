//! Keeps the tokens of accounts fresh (`store/account`): asks for the next pair when half the life of the present one is over,
//! or when calls with it are refused.
//!
//! - The refresh token is good for one use. So one node asks at a time, under a lease that is longer than a call can take, and
//!   the new pair is on record before anybody uses it.
//! - Without an answer the refresh token may be spent. It is tried again; that it was then refused is told as what it is.
//! - A refusal is for a person: whoever is the account's administrator authorises it again. Until then it is asked once an hour,
//!   because what was refused may have been the application's secret, and the present access token goes on being used.
//! - With good tokens it is asked now and then what remains of the account's quota (`quota`).
//! - Each account is looked after in a task of its own, so that a call that hangs holds up no other account.

mod quota;

use std::{
    collections::{BTreeMap, HashMap},
    panic::resume_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
};

use super::{Shared, live::Live};
use crate::{
    adapter::{
        Adapter, Exchange, Failure,
        zalo::{
            self,
            oauth::{self, Account, NoPair},
        },
    },
    domain::{
        delivery::Reason,
        detail::Detail,
        id::{AccountId, DeliveryId},
        secret::Secret,
        time::Timestamp,
    },
    store::{
        StoreError,
        account::{Holding, NewPair, NotRenewed},
    },
};

/// How long a lease outlives the call that it is for.
const SLACK: Duration = Duration::from_secs(30);

/// The first wait after there was no answer; each further one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);

/// The longest wait after there was no answer.
const LONGEST: Duration = Duration::from_mins(15);

/// How long a refusal is left alone.
const REFUSED: Duration = Duration::from_hours(1);

/// How long what the store does not give is left alone.
const UNREAD: Duration = Duration::from_secs(30);

/// How long a delivery waits that would carry a token of which it is only just known that it is refused.
const SOON: Duration = Duration::from_secs(15);

/// The most calls at the authorisation server at once.
const SIDE_BY_SIDE: usize = 8;

/// The longest between two looks at what other nodes and people have written.
const LOOK: Duration = Duration::from_mins(1);

/// What this node knows of accounts beside the record.
#[derive(Debug, Default)]
pub(super) struct Keeper(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Pairs with which a call was refused.
    refused: HashMap<AccountId, i64>,
    /// Pairs with which a call was taken.
    taken: HashMap<AccountId, i64>,
    /// Pairs that were good when they were last looked at.
    good: HashMap<AccountId, i64>,
    /// Calls in a row without an answer.
    unanswered: HashMap<AccountId, u32>,
    /// When it was last asked what remains of an account's quota, by product.
    asked: HashMap<(AccountId, String), Timestamp>,
    /// The first delivery that goes beyond what remains, and how many do, as it was last told.
    short: HashMap<(AccountId, String), (DeliveryId, usize)>,
    wake: Arc<Notify>,
}

impl Keeper {
    /// A poisoned lock guards tables that are never left half-written.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears what came of calls with the access token of `pair`, where they carried one: `None` where they were taken.
    pub(super) fn hear(&self, adapter: &dyn Adapter, pair: Option<i64>, failure: Option<&Failure>) {
        let (Some(account), Some(pair)) = (adapter.account(), pair) else {
            return;
        };
        let id = account.id();
        let mut known = self.known();
        match failure {
            None if known.taken.get(id) != Some(&pair) => {
                known.taken.insert(id.clone(), pair);
            }
            Some(failure) if failure.reason() == Reason::Unauthorised => {
                known.refused.insert(id.clone(), pair);
                known.wake.notify_one();
            }
            // Every other refusal says nothing of the token.
            _ => {}
        }
    }
}

/// What the store does not give at the moment, with the code of its sentence. Nobody has to do anything about it at Zalo.
pub(super) fn unread(code: &str) -> Failure {
    Failure::Retry {
        after: Some(UNREAD),
        reason: Reason::Defect,
        detail: Detail::new(code).to_string(),
    }
}

/// The access token that `adapter`'s calls carry at the moment, with the number of its pair; why there is none; `None` where it
/// needs none.
pub(super) async fn access(
    shared: &Shared,
    adapter: &dyn Adapter,
) -> Option<Result<(i64, Secret), Failure>> {
    let account = adapter.account()?;
    let now = shared.clock.now();
    Some(match shared.store.account_of(account.id()).await {
        Ok(Some(holding)) if holding.is_good(now) => {
            if shared.keeper.known().refused.get(account.id()) == Some(&holding.pair) {
                // Another call would be refused as well, and be one of the delivery's tries. The keeper is about to look.
                Err(Failure::Retry {
                    after: Some(SOON),
                    reason: Reason::Unauthorised,
                    detail: Detail::new("zalo-unauthorised").to_string(),
                })
            } else {
                Ok((holding.pair, holding.access))
            }
        }
        Ok(_) => Err(zalo::unauthorised()),
        Err(error) => {
            tracing::error!(account.id = %account.id(), error = &error as &dyn std::error::Error, "an account's tokens could not be read");
            Err(unread("zalo-unread"))
        }
    })
}

/// How one account is looked after.
#[derive(Debug)]
struct Care {
    /// When it is looked at next; `None` while it is looked at.
    next: Option<Timestamp>,
    /// Whether something happened meanwhile, so that it is looked at again at once.
    again: bool,
    /// Whether it had good tokens, and will have others, when it was last looked at.
    is_well: bool,
}

/// What a look came to: when to look again, and whether all is well.
type Looked = Result<(Timestamp, bool), StoreError>;

/// Keeps tokens fresh, until told to stop.
pub(super) async fn run(shared: Shared) {
    let mut changes = shared.live.subscribe();
    let wake = shared.keeper.known().wake.clone();
    let doors = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut cares: BTreeMap<AccountId, Care> = BTreeMap::new();
    let mut looks: JoinSet<(AccountId, Looked)> = JoinSet::new();
    let mut before = shared.clock.now();
    while !shared.stop.soft.is_cancelled() {
        let live = changes.borrow_and_update().clone();
        let now = shared.clock.now();
        // When to look again was worked out by a clock that was set back since.
        if now < before {
            look_at_all(&mut cares, now);
        }
        before = now;
        begin(&shared, &live, &doors, &mut cares, &mut looks);
        let lacking = cares.values().filter(|care| !care.is_well).count();
        shared.metrics.set_unauthorised(lacking);
        let next = cares.values().filter_map(|care| care.next).min();
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            _ = changes.changed() => look_at_all(&mut cares, shared.clock.now()),
            () = wake.notified() => look_at_all(&mut cares, shared.clock.now()),
            Some(looked) = looks.join_next() => match looked {
                Ok((id, looked)) => end(&shared, &mut cares, &id, looked).await,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // Nobody cancels them.
                    Err(_) => return,
                },
            },
            () = sleep_until(&shared, now, next) => {}
        }
    }
    // Whatever was spent has to be put on record.
    while looks.join_next().await.is_some() {}
}

/// Begins to look at each account that is due.
fn begin(
    shared: &Shared,
    live: &Arc<Live>,
    doors: &Arc<Semaphore>,
    cares: &mut BTreeMap<AccountId, Care>,
    looks: &mut JoinSet<(AccountId, Looked)>,
) {
    let accounts: BTreeMap<&AccountId, &Account> = live
        .adapters
        .iter()
        .filter_map(|(_, adapter)| adapter.account())
        .map(|account| (account.id(), account))
        .collect();
    // What is looked at stays, so that nobody else looks at it meanwhile.
    cares.retain(|id, care| care.next.is_none() || accounts.contains_key(id));
    let now = shared.clock.now();
    for (id, account) in accounts {
        let care = cares.entry(id.clone()).or_insert(Care {
            next: Some(now),
            again: false,
            is_well: true,
        });
        if care.next.is_none_or(|next| next > now) {
            continue;
        }
        care.next = None;
        let (shared, account, doors) = (shared.clone(), account.clone(), doors.clone());
        let live = live.clone();
        looks.spawn(async move {
            let looked = tend(&shared, &live, &account, &doors).await;
            (account.id().clone(), looked)
        });
    }
}

/// Has all accounts looked at, those that are being looked at once that is over.
fn look_at_all(cares: &mut BTreeMap<AccountId, Care>, now: Timestamp) {
    for care in cares.values_mut() {
        match &mut care.next {
            Some(next) => *next = now,
            None => care.again = true,
        }
    }
}

/// Takes in what a look came to.
async fn end(
    shared: &Shared,
    cares: &mut BTreeMap<AccountId, Care>,
    id: &AccountId,
    looked: Looked,
) {
    let looked = match looked {
        Ok(looked) => {
            shared.store_works("keeper");
            Some(looked)
        }
        Err(error) => {
            shared.store_failed("keeper", &error).await;
            None
        }
    };
    let now = shared.clock.now();
    let Some(care) = cares.get_mut(id) else {
        return;
    };
    let again = std::mem::take(&mut care.again);
    match looked {
        Some((next, is_well)) => {
            care.next = Some(if again { now } else { next });
            care.is_well = is_well;
        }
        None => care.next = Some(now),
    }
}

async fn sleep_until(shared: &Shared, looked: Timestamp, next: Option<Timestamp>) {
    match next {
        Some(next) => shared.clock.sleep_since(looked, next).await,
        None => std::future::pending().await,
    }
}

/// Looks after one account, and lets what waited for its tokens go out.
async fn tend(shared: &Shared, live: &Live, account: &Account, doors: &Semaphore) -> Looked {
    let next = look(shared, account, doors).await?;
    let holding = shared.store.account_of(account.id()).await?;
    let now = shared.clock.now();
    if news(shared, account.id(), holding.as_ref(), now) {
        shared.store.release(Reason::Unauthorised, now).await?;
        shared.prepared.notify_one();
    }
    if let Some(holding) = holding.as_ref().filter(|holding| holding.is_good(now)) {
        quota::look(shared, live, holding).await?;
    }
    let is_well = holding.is_some_and(|holding| holding.is_good(now) && !holding.is_refused());
    Ok((next, is_well))
}

/// Whether there are good tokens that there were not before.
fn news(shared: &Shared, id: &AccountId, holding: Option<&Holding>, now: Timestamp) -> bool {
    let mut known = shared.keeper.known();
    let Some(holding) = holding.filter(|holding| holding.is_good(now)) else {
        known.good.remove(id);
        return false;
    };
    known.good.insert(id.clone(), holding.pair) != Some(holding.pair)
}

/// Renews one account's tokens where that is due, and says when to look again.
async fn look(
    shared: &Shared,
    account: &Account,
    doors: &Semaphore,
) -> Result<Timestamp, StoreError> {
    let (store, now, id) = (&shared.store, shared.clock.now(), account.id());
    let latest = now + LOOK.max(shared.poll());
    let Some(mut holding) = store.account_of(id).await? else {
        if shared.clock.is_simulated() {
            // In the simulated city an administrator consents at once, so that a newcomer has nothing to do.
            authorise_simulated(shared, account).await?;
        }
        return Ok(latest);
    };
    let (refused, taken) = {
        let known = shared.keeper.known();
        (known.refused.get(id).copied(), known.taken.get(id).copied())
    };
    if holding.spoilt.is_some() && holding.is_good(now) && taken == Some(holding.pair) {
        store.account_taken(id, holding.pair).await?;
        holding.spoilt = None;
    }
    if refused == Some(holding.pair) && holding.is_good(now) {
        // One pair that is refused is followed by another. If that is, too, a third would be.
        let is_next = holding.spoilt.is_some();
        let detail = is_next.then(|| Detail::new("zalo-disowned").to_string());
        let (node, detail) = (&shared.node, detail.as_deref());
        store
            .spoil_account(id, holding.pair, detail, node, now)
            .await?;
        tracing::warn!(account.id = %id, "an account's access token was refused");
        let Some(fresh) = store.account_of(id).await? else {
            return Ok(latest);
        };
        holding = fresh;
    }
    if let Some(refused) = refused {
        // Only once it is on record, so that no call is made with it in between.
        let mut known = shared.keeper.known();
        if known.refused.get(id) == Some(&refused) {
            known.refused.remove(id);
        }
    }
    let due = match &holding.trouble {
        // Disowned: only a person can help.
        Some(trouble) if trouble.refused && trouble.next.is_none() => return Ok(latest),
        Some(trouble) => trouble.next.unwrap_or(now),
        None if holding.is_good(now) => holding.half_life(),
        None => now,
    };
    if now < due {
        return Ok(due.min(latest));
    }
    renew(shared, account, &holding, doors).await?;
    Ok(latest)
}

/// Asks for the next pair, if no other node does.
async fn renew(
    shared: &Shared,
    account: &Account,
    holding: &Holding,
    doors: &Semaphore,
) -> Result<(), StoreError> {
    let (store, clock, id) = (&shared.store, &shared.clock, account.id());
    let _door = doors.acquire().await;
    if shared.stop.soft.is_cancelled() {
        return Ok(());
    }
    let lease_now = clock.lease_now();
    let length = patience(shared) + SLACK;
    let lease = (lease_now, lease_now + length);
    let (node, now) = (&*shared.node, clock.now());
    if !store
        .lease_account(id, holding.pair, node, lease, now)
        .await?
    {
        return Ok(());
    }
    let busy = clock.busy();
    let read = call(shared, account.refresh(&holding.refresh)).await;
    let now = clock.now();
    let no_pair = match read {
        Ok(pair) => {
            shared.keeper.known().unanswered.remove(id);
            let new = NewPair {
                access: &pair.access,
                refresh: &pair.refresh,
                now,
                life: pair.life,
            };
            // Whatever else happens, what was given for a spent token must not be lost.
            let is_written = keep(shared, id, holding.pair, &new).await?;
            if is_written {
                tracing::info!(account.id = %id, "an account has new tokens");
            }
            drop(busy);
            return Ok(());
        }
        Err(no_pair) => no_pair,
    };
    drop(busy);
    let is_refused = matches!(no_pair, NoPair::Refused(_));
    let wait = if is_refused {
        REFUSED
    } else {
        let mut known = shared.keeper.known();
        let times = known.unanswered.entry(id.clone()).or_default();
        *times = times.saturating_add(1);
        let wait = FIRST.saturating_mul(1 << (*times - 1).min(10)).min(LONGEST);
        match no_pair {
            NoPair::Busy {
                after: Some(wish), ..
            } => wait.max(wish.min(REFUSED)),
            _ => wait,
        }
    };
    let mut detail = no_pair.detail().clone();
    if let (true, Some(_)) = (is_refused, holding.spent) {
        let argument = |name| detail.get(name).unwrap_or_default().to_owned();
        detail = Detail::new("zalo-spent")
            .with("code", argument("code"))
            .with("said", argument("said"));
    }
    tracing::error!(account.id = %id, detail = %detail, "an account could not get new tokens");
    let why = NotRenewed {
        detail: &detail.to_string(),
        refused: is_refused,
        next: now + wait,
        unspent: holding.spent.is_none() && !matches!(no_pair, NoPair::Unclear(_)),
    };
    let news = is_refused && !holding.is_refused();
    store
        .not_renewed(id, holding.pair, node, &why, news, now)
        .await
}

/// Writes a pair down, and again while the store fails: it exists nowhere else.
async fn keep(
    shared: &Shared,
    id: &AccountId,
    before: i64,
    pair: &NewPair<'_>,
) -> Result<bool, StoreError> {
    loop {
        match shared.store.renew_account(id, before, pair).await {
            Ok(written) => return Ok(written),
            Err(error @ StoreError::Gone { .. }) => return Err(error),
            Err(error) if shared.stop.hard.is_cancelled() => return Err(error),
            Err(error) => shared.store_failed("keeper", &error).await,
        }
    }
}

/// How long the authorisation server may take. A token is spent by the call that offers it, and an answer that nobody waits for costs
/// the account a person's consent: longer than a broadcast waits.
fn patience(shared: &Shared) -> Duration {
    shared.transport.total_timeout() * 3
}

/// Makes one call at the authorisation server.
async fn call(shared: &Shared, request: crate::adapter::Request) -> Result<oauth::Pair, NoPair> {
    let (now, time) = (shared.clock.now(), patience(shared));
    let result = shared.transport.call_within(&request, now, time).await;
    oauth::read(&Exchange { request, result })
}

/// Lets the simulated city's administrator consent, and takes the first pair.
async fn authorise_simulated(shared: &Shared, account: &Account) -> Result<(), StoreError> {
    let busy = shared.clock.busy();
    let verifier = Secret::new(blake3::hash(shared.node.as_bytes()).to_hex().to_string());
    let consent = oauth::visit(&account.consent(&verifier, "simulated"));
    let now = shared.clock.now();
    let Ok(answer) = shared.transport.call(&consent, now).await else {
        return Ok(());
    };
    let location = answer.headers.get("location").unwrap_or_default();
    let Some(callback) = oauth::callback(&location) else {
        return Ok(());
    };
    if let Ok(pair) = call(shared, account.exchange(&callback.code, &verifier)).await {
        let new = NewPair {
            access: &pair.access,
            refresh: &pair.refresh,
            now,
            life: pair.life,
        };
        let store = &shared.store;
        store.authorise(account.id(), &new, "simulated").await?;
    }
    drop(busy);
    Ok(())
}
