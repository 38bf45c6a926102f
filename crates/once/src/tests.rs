//! Facts about the map: who makes a value, how long it is kept, and what makes room.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use tokio::sync::{Notify, Semaphore};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn map() -> OnceMap<u32, u32> {
    OnceMap::new(10)
}

fn flights(map: &OnceMap<u32, u32>) -> usize {
    map.0.lock().flights.len()
}

#[tokio::test]
async fn a_hundred_callers_at_once_make_one_call() {
    let (map, gate, calls) = (map(), Semaphore::new(0), Cell::new(0));
    let now = Instant::now();
    let ask = async || {
        let make = || async {
            calls.set(calls.get() + 1);
            let _open = gate.acquire().await;
            Ok::<_, Infallible>((7, Expiry::Never))
        };
        map.get_or_try_make(&1, now, make).await
    };
    // all have asked when the gate opens
    let open = async { gate.add_permits(1) };
    let (values, ()) = join(join_all((0..100).map(|_| ask())), open).await;
    assert_eq!(values, [Ok(7); 100]);
    assert_eq!((calls.get(), flights(&map)), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_callers_on_several_threads_make_one_call() {
    let (map, calls) = (Arc::new(map()), Arc::new(AtomicUsize::new(0)));
    let now = Instant::now();
    let tasks = (0..100).map(|_| {
        let (map, calls) = (Arc::clone(&map), Arc::clone(&calls));
        tokio::spawn(async move {
            let make = || async {
                calls.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok::<_, Infallible>((7, Expiry::Never))
            };
            map.get_or_try_make(&1, now, make).await
        })
    });
    for value in join_all(tasks).await {
        assert_eq!(value.unwrap(), Ok(7));
    }
    assert_eq!((calls.load(Ordering::SeqCst), flights(&map)), (1, 0));
}

#[tokio::test]
async fn values_of_different_keys_are_made_at_the_same_time() {
    let (map, other) = (map(), Notify::new());
    let now = Instant::now();
    let first = map.get_or_try_make(&1, now, || async {
        other.notified().await;
        Ok::<_, Infallible>((1, Expiry::Never))
    });
    let second = map.get_or_try_make(&2, now, || async {
        other.notify_one();
        Ok::<_, Infallible>((2, Expiry::Never))
    });
    assert_eq!(join(first, second).await, (Ok(1), Ok(2)));
}

#[tokio::test]
async fn a_failure_is_not_kept_and_the_next_waiter_makes_the_value() {
    let (map, calls) = (map(), Cell::new(0));
    let now = Instant::now();
    let ask = async || {
        let make = || async {
            calls.set(calls.get() + 1);
            let call = calls.get();
            tokio::task::yield_now().await;
            if call == 1 {
                return Err("no");
            }
            Ok((call, Expiry::Never))
        };
        map.get_or_try_make(&1, now, make).await
    };
    let values = join_all((0..3).map(|_| ask())).await;
    assert_eq!(values, [Err("no"), Ok(2), Ok(2)]);
    assert_eq!((calls.get(), flights(&map)), (2, 0));
}

#[tokio::test]
async fn a_cancelled_caller_hands_over_to_a_waiter() {
    let map = map();
    let now = Instant::now();
    let mut first = Box::pin(map.get_or_try_make(&1, now, || async {
        std::future::pending::<Result<_, Infallible>>().await
    }));
    assert!(futures::poll!(first.as_mut()).is_pending());
    let second = map.get_or_try_make(&1, now, || async {
        Ok::<_, Infallible>((2, Expiry::Never))
    });
    let mut second = Box::pin(second);
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(first);
    assert_eq!(second.await, Ok(2));
    assert_eq!(flights(&map), 0);
}

#[tokio::test]
async fn a_cancelled_waiter_leaves_nothing_behind() {
    let map = map();
    let now = Instant::now();
    let never = || async { std::future::pending::<Result<_, Infallible>>().await };
    let mut first = Box::pin(map.get_or_try_make(&1, now, never));
    let mut second = Box::pin(map.get_or_try_make(&1, now, never));
    assert!(futures::poll!(first.as_mut()).is_pending());
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(second);
    assert_eq!(flights(&map), 1);
    drop(first);
    assert_eq!(flights(&map), 0);
}

#[tokio::test]
async fn a_caller_that_panics_does_not_wedge_the_waiters() {
    let (map, gate) = (Arc::new(map()), Arc::new(Notify::new()));
    let now = Instant::now();
    let first = tokio::spawn({
        let (map, gate) = (Arc::clone(&map), Arc::clone(&gate));
        async move {
            let make = || async {
                gate.notified().await;
                panic!("in the middle of it");
            };
            map.get_or_try_make::<_, Infallible>(&1, now, make).await
        }
    });
    let second = async {
        let make = || async { Ok::<_, Infallible>((2, Expiry::Never)) };
        map.get_or_try_make(&1, now, make).await
    };
    // the spawned task makes the value before the second asks
    tokio::task::yield_now().await;
    assert_eq!(flights(&map), 1);
    let open = async { gate.notify_one() };
    let (value, ()) = join(second, open).await;
    assert_eq!(value, Ok(2));
    assert!(first.await.unwrap_err().is_panic());
    assert_eq!(flights(&map), 0);
}

#[test]
fn a_panic_while_the_map_is_locked_does_not_wedge_it() {
    let map = map();
    let now = Instant::now();
    let make = || map.get_or_make(&1, now, || panic!("in the middle of it"));
    assert!(catch_unwind(AssertUnwindSafe(make)).is_err());
    assert_eq!(map.get_or_make(&1, now, || (2, Expiry::Never)), 2);
}

#[test]
fn a_value_is_kept_until_it_expires() {
    let map = map();
    let now = Instant::now();
    map.insert(1, 7, Expiry::At(now + MINUTE), now);
    let just_before = now + MINUTE.saturating_sub(Duration::from_nanos(1));
    assert_eq!(map.get(&1, just_before), Some(7));
    assert_eq!(map.get(&1, now + MINUTE), None);
    let again = map.get_or_make(&1, now + MINUTE, || (8, Expiry::Never));
    assert_eq!(again, 8);
    assert_eq!(map.get(&1, now + 1000 * MINUTE), Some(8));
}

#[test]
fn what_has_expired_is_dropped_even_if_nobody_asks_for_it_again() {
    let map = OnceMap::new(10);
    let now = Instant::now();
    let secret = Arc::new(());
    map.insert(1, Arc::clone(&secret), Expiry::At(now + MINUTE), now);
    assert_eq!(map.get(&2, now + MINUTE), None);
    assert_eq!(Arc::strong_count(&secret), 1);
}

#[test]
fn a_new_value_replaces_the_old_one_with_its_expiry() {
    let map = map();
    let now = Instant::now();
    map.insert(1, 7, Expiry::At(now + MINUTE), now);
    map.insert(1, 8, Expiry::Never, now);
    assert_eq!(map.get(&1, now + MINUTE), Some(8));
    map.remove_if(&1, |value| *value == 7);
    assert_eq!(map.get(&1, now), Some(8));
    map.remove_if(&1, |value| *value == 8);
    assert_eq!(map.get(&1, now), None);
}

#[test]
fn the_bound_is_kept_and_the_oldest_goes_first() {
    let map = map();
    let now = Instant::now();
    for key in 0..1000 {
        map.insert(key, key, Expiry::Never, now);
        assert!(map.0.lock().entries.len() <= 10);
    }
    let kept: Vec<_> = (0..1000)
        .filter(|key| map.get(key, now).is_some())
        .collect();
    assert_eq!(kept, (990..1000).collect::<Vec<_>>());
}

#[test]
fn what_has_expired_makes_room_before_the_oldest() {
    let map = map();
    let now = Instant::now();
    for key in 0..9 {
        map.insert(key, key, Expiry::Never, now);
    }
    map.insert(9, 9, Expiry::At(now + MINUTE), now);
    map.insert(10, 10, Expiry::Never, now + MINUTE);
    assert_eq!(map.get(&0, now), Some(0));
    map.insert(11, 11, Expiry::Never, now + MINUTE);
    assert_eq!(map.get(&0, now), None);
}

#[test]
fn a_value_in_use_is_kept_whatever_the_bound() {
    let map = OnceMap::keeping_used(2, |value: &Arc<u32>| Arc::strong_count(value) > 1);
    let now = Instant::now();
    let used: Vec<_> = (0..4)
        .map(|key| map.get_or_make(&key, now, || (Arc::new(key), Expiry::Never)))
        .collect();
    for value in &used {
        assert!(Arc::ptr_eq(value, &map.get(value, now).unwrap()));
    }
    drop(used);
    map.insert(4, Arc::new(4), Expiry::Never, now);
    assert_eq!(map.0.lock().entries.len(), 2);
    assert!(map.get(&3, now).is_some() && map.get(&4, now).is_some());
}

/// A map of the holders `a`, `b` and so on.
fn shared() -> OnceMap<u32, u32, char> {
    OnceMap::new(10)
}

#[test]
fn a_holder_that_fills_the_map_loses_its_own_values_alone() {
    let map = shared();
    let now = Instant::now();
    for key in 0..4 {
        map.share(&'a').insert(key, key, Expiry::Never, now);
    }
    for key in 100..10_000 {
        map.share(&'b').insert(key, key, Expiry::Never, now);
        assert!(map.len() <= 10);
    }
    assert!((0..4).all(|key| map.share(&'a').get(&key, now) == Some(key)));
    // what the others do not use is the greedy one's, the youngest of it
    let left = (100..10_000).filter(|key| map.share(&'b').get(key, now).is_some());
    assert_eq!(left.collect::<Vec<_>>(), (9994..10_000).collect::<Vec<_>>());
}

#[test]
fn a_value_that_another_holder_uses_stays_whoever_set_it() {
    let map = shared();
    let now = Instant::now();
    // the greedy one is first everywhere
    for key in 0..4 {
        map.share(&'b').insert(key, key, Expiry::Never, now);
        assert_eq!(map.share(&'a').get(&key, now), Some(key));
    }
    for key in 100..10_000 {
        map.share(&'b').insert(key, key, Expiry::Never, now);
        assert!(map.len() <= 10);
    }
    assert!((0..4).all(|key| map.share(&'a').get(&key, now) == Some(key)));
    // or sets it anew
    map.share(&'b').insert(0, 7, Expiry::Never, now);
    for key in 100..10_000 {
        map.share(&'b').insert(key, key, Expiry::Never, now);
    }
    assert_eq!(map.share(&'a').get(&0, now), Some(7));
}

#[test]
fn what_one_holder_gets_is_no_claim_that_pushes_out_the_values_of_others() {
    let map = shared();
    let now = Instant::now();
    for key in 0..10 {
        map.share(&'a').insert(key, key, Expiry::Never, now);
    }
    for key in (0..10).chain(100..200) {
        let _ = map.share(&'b').get(&key, now);
    }
    assert!((0..10).all(|key| map.share(&'a').get(&key, now) == Some(key)));
}

#[test]
fn holders_that_want_more_than_there_is_have_equal_parts() {
    let map = shared();
    let now = Instant::now();
    for round in 0..100 {
        for (number, holder) in ['a', 'b', 'c', 'd', 'e'].iter().enumerate() {
            let key = u32::try_from(number).unwrap() * 1000 + round;
            map.share(holder).insert(key, key, Expiry::Never, now);
        }
    }
    for (number, holder) in ['a', 'b', 'c', 'd', 'e'].iter().enumerate() {
        let first = u32::try_from(number).unwrap() * 1000;
        let kept = (first..first + 100).filter(|key| map.share(holder).get(key, now).is_some());
        assert_eq!(kept.count(), 2, "{holder}");
    }
}

#[test]
fn the_claims_to_one_value_are_bounded_and_go_with_it() {
    let map: OnceMap<u32, u32, u32> = OnceMap::new(2);
    let now = Instant::now();
    map.share(&0).insert(1, 1, Expiry::At(now + MINUTE), now);
    for holder in 0..10_000 {
        assert_eq!(map.share(&holder).get(&1, now), Some(1));
    }
    assert!(map.0.lock().entries.claims() <= 16);
    assert_eq!(map.share(&0).get(&1, now + MINUTE), None);
    assert_eq!((map.len(), map.0.lock().entries.claims()), (0, 0));
    for key in 0..1000 {
        map.share(&key).insert(key, key, Expiry::Never, now);
    }
    assert_eq!((map.len(), map.0.lock().entries.claims()), (2, 2));
}

#[test]
fn a_map_is_printed_without_its_keys_and_values() {
    let map = OnceMap::new(1);
    map.insert("hunter2", "hunter2", Expiry::Never, Instant::now());
    assert_eq!(format!("{map:?}"), "OnceMap(1 values)");
}
