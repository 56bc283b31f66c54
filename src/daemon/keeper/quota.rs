//! Reads now and then how much of an account's quota remains, and says when more is planned than that.
//!
//! Whichever node looks after the account next asks, where nobody has for a while. A question that comes to nothing is not put again
//! before its time either. What is beyond is not taken out of the plan: the account may be given more by then, and the question before
//! each broadcast has the last word.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    adapter::{Exchange, zalo::quota},
    daemon::{Shared, live::Live},
    domain::{
        calendar::local,
        detail::Detail,
        quota::{AHEAD, Remaining},
    },
    store::{StoreError, account::Holding},
};

/// The time between two questions.
const EVERY: Duration = Duration::from_hours(1);

/// Asks for what is due of the account that `holding` has good tokens of.
pub(super) async fn look(
    shared: &Shared,
    live: &Live,
    holding: &Holding,
) -> Result<(), StoreError> {
    let id = &holding.id;
    let mut products = BTreeSet::new();
    for (_, adapter) in live.adapters.iter() {
        if adapter.account().is_none_or(|account| account.id() != id) {
            continue;
        }
        let Some((product, request)) = adapter.meter(&holding.access) else {
            continue;
        };
        if shared.stop.soft.is_cancelled() {
            return Ok(());
        }
        if !products.insert(product.to_owned()) || !is_due(shared, holding, product).await? {
            continue;
        }
        let busy = shared.clock.busy();
        let result = shared.transport.call(&request, shared.clock.now()).await;
        drop(busy);
        match quota::read(&Exchange { request, result }) {
            Ok(Some(amount)) => {
                let read = Remaining {
                    account: id.clone(),
                    product: product.to_owned(),
                    remain: amount.remain,
                    total: amount.total,
                    until: amount.until,
                    read: shared.clock.now(),
                };
                shared.store.note_remaining(&read).await?;
                tell(shared, live, &read).await?;
            }
            Ok(None) => {
                tracing::warn!(account.id = %id, product, "what remains of an account's quota cannot be read from the answer");
            }
            Err(failure) => {
                tracing::warn!(account.id = %id, product, detail = failure.detail(), "what remains of an account's quota could not be asked");
                let (adapter, pair) = (adapter.as_ref(), Some(holding.pair));
                shared.keeper.hear(adapter, pair, Some(&failure));
            }
        }
    }
    Ok(())
}

/// Whether it is time to ask; then it counts as asked.
async fn is_due(shared: &Shared, holding: &Holding, product: &str) -> Result<bool, StoreError> {
    let remaining = shared.store.remaining().await?;
    let its = remaining
        .iter()
        .find(|one| one.account == holding.id && one.product == product);
    let now = shared.clock.now();
    let key = (holding.id.clone(), product.to_owned());
    let mut known = shared.keeper.known();
    let asked = known.asked.get(&key).copied();
    // What was asked by a clock that has been set back since says nothing.
    let last = asked.into_iter().chain(its.map(|one| one.read));
    let last = last.filter(|last| *last <= now).max();
    let is_due = last.is_none_or(|last| now >= last + EVERY);
    if is_due {
        known.asked.insert(key, now);
    }
    Ok(is_due)
}

/// Says what of the plan goes beyond what remains, once for as long as it is the same.
async fn tell(shared: &Shared, live: &Live, read: &Remaining) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let workspace = &live.workspace;
    let over = shared.store.over_quota(workspace, now, now + AHEAD).await?;
    let its = over.iter().filter(|one| one.of == *read);
    let (first, count) = (its.clone().next(), its.count());
    let key = (read.account.clone(), read.product.clone());
    let told = first.map(|first| (first.id.clone(), count));
    {
        let mut known = shared.keeper.known();
        let before = match &told {
            Some(told) => known.short.insert(key, told.clone()),
            None => known.short.remove(&key),
        };
        if before == told {
            return Ok(());
        }
    }
    let Some(first) = first else {
        return Ok(());
    };
    let zone = workspace.settings.zone;
    let detail = Detail::new("zalo-quota-short")
        .with("product", &read.product)
        .with("remain", read.remain)
        .with("count", count)
        .with("first", local(first.due, zone).format("%H:%M %d/%m/%Y"))
        .with("channel", &first.channel);
    tracing::warn!(account.id = %read.account, detail = %detail, "more is planned than remains of an account's quota");
    let (event, detail) = ("quota-short", detail.to_string());
    let store = &shared.store;
    store.journal(event, None, &shared.node, &detail, now).await
}
