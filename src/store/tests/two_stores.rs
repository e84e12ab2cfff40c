//! Two stores on the same files, as two servers have them: each sees the other only on the disk.

use std::thread;

use super::*;

#[test]
fn subscriptions_made_at_the_same_time_are_all_kept() {
    let place = place();
    thread::scope(|scope| {
        for thread in 0..8 {
            let (store, alice) = (&place.store, &place.alice);
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("box-{thread}-{number}");
                    store.subscribe(alice, &name).expect("subscribed");
                }
            });
        }
    });
    let subscribed = place.store.subscriptions(&place.alice).expect("a list");
    assert_eq!(subscribed.len(), 8 * 25);
}
