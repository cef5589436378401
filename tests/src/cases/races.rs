//! Concurrent calls. Only natively: a component has one thread, and a provider serves one call at a
//! time.

use super::prelude::*;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub(super) const CASES: &[Case] = &[
    case!(sixty_four_racers_have_one_winner),
    case!(a_reader_sees_old_or_new),
    case!(a_directory_swapped_for_a_link_during_removal),
    case!(threads_never_share_a_name),
];

const ONE_THREAD: &str = "a component has one thread";

fn one_thread(w: &World) -> bool {
    w.placement() != Placement::Native
}

fn sixty_four_racers_have_one_winner(w: &World) -> Outcome {
    if one_thread(w) {
        return skip(ONE_THREAD);
    }
    let (start, target) = (Barrier::new(64), w.path("prize"));
    let race = |number: usize| {
        let (_file, path) = data(number.to_string());
        start.wait();
        path.persist(&target, ReplaceMode::NoClobber, Durability::None).map(|()| number)
    };
    let winners: Vec<usize> = thread::scope(|scope| {
        let racers: Vec<_> = (0..64).map(|number| scope.spawn(move || race(number))).collect();
        racers.into_iter().filter_map(|racer| racer.join().unwrap().ok()).collect()
    });
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(w.take("prize"), winners[0].to_string().as_bytes());
    Outcome::Passed
}

fn a_reader_sees_old_or_new(w: &World) -> Outcome {
    if one_thread(w) {
        return skip(ONE_THREAD);
    }
    let versions: Vec<Vec<u8>> = (0..100).map(|number| vec![number; 50_000]).collect();
    w.write("target", &versions[0]);
    let (target, done) = (w.path("target"), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for version in &versions {
                let (_file, path) = data(version);
                path.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let seen = std::fs::read(&target).expect("the target is there at any time");
            assert!(
                versions.contains(&seen),
                "{} bytes, the first of them {:?}",
                seen.len(),
                seen.first()
            );
        }
    });
    assert!(w.take("target") == versions[99]);
    Outcome::Passed
}

fn a_directory_swapped_for_a_link_during_removal(w: &World) -> Outcome {
    if one_thread(w) {
        return skip(ONE_THREAD);
    }
    w.plant_directory("outside");
    for number in 0..50 {
        w.write(&format!("outside/{number}"), "precious");
    }
    let outside = w.path("outside");
    for _ in 0..20 {
        let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
        let (bait, aside) = (format!("{}/bait", dir.path()), format!("{}/aside", dir.path()));
        dir.create_directory("bait").unwrap();
        for number in 0..50 {
            dir.create_file(&format!("bait/{number}")).unwrap();
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // An attacker with write access replaces the directory by a link, and puts it back.
                while !done.load(Ordering::Acquire) {
                    let _ = std::fs::rename(&bait, &aside);
                    link(&outside, &bait);
                    let _ = std::fs::remove_file(&bait);
                    let _ = std::fs::rename(&aside, &bait);
                }
            });
            // The removal may fail; it must not be led outside.
            let _ = dir.close();
            done.store(true, Ordering::Release);
        });
        dir.close().expect("nobody disturbs it any more");
    }
    assert_eq!(w.list(""), ["outside"]);
    assert_eq!(w.list("outside").len(), 50);
    w.remove("outside");
    Outcome::Passed
}

/// Plants a link from a thread of its own; the witness serves one.
fn link(target: &str, path: &str) {
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(target, path);
    #[cfg(windows)]
    let _ = std::os::windows::fs::symlink_dir(target, path);
    #[cfg(target_family = "wasm")]
    unreachable!("{path} -> {target} is planted natively alone");
}

fn threads_never_share_a_name(w: &World) -> Outcome {
    if one_thread(w) {
        return skip(ONE_THREAD);
    }
    let create = || (0..50).map(|_| named()).collect::<Vec<_>>();
    let files: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(w.list("").len(), files.len());
    Outcome::Passed
}
