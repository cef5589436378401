//! Later attempts to remove the directories of ended runs. A process that lacks descriptors, say,
//! has some again soon.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::{Inner, OpenRoot};

/// The pause before the first attempt. Each is twice as long as the last, if that removed nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The directories of a root that could not be removed yet.
#[derive(Default)]
pub(super) struct Retries(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Whether there is a thread that tries.
    trying: bool,
}

#[derive(Clone)]
struct Waiting {
    opened: Arc<OpenRoot>,
    name: String,
}

impl Retries {
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Tries each once, and returns how many are left.
    fn attempt(&self) -> usize {
        // Not under the lock, because a removal may take long. Only this thread takes any out.
        let waiting = self.lock().waiting.clone();
        let stayed: Vec<bool> =
            waiting.iter().map(|Waiting { opened, name }| !opened.remove_left(name)).collect();
        let mut state = self.lock();
        let mut stayed = stayed.into_iter();
        // Those that have come meanwhile are at the end.
        state.waiting.retain(|_| stayed.next().unwrap_or(true));
        state.trying = !state.waiting.is_empty();
        state.waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries to remove a directory later, as long as the root is open.
pub(super) fn later(root: &Arc<Inner>, opened: Arc<OpenRoot>, name: String) {
    root.retries.lock().waiting.push(Waiting { opened, name });
    resume(root);
}

/// Starts the thread that tries, if there is anything to try and it does not run.
pub(super) fn resume(root: &Arc<Inner>) {
    let mut state = root.retries.lock();
    if state.trying || state.waiting.is_empty() {
        return;
    }
    let weak = Arc::downgrade(root);
    let thread = thread::Builder::new().name("wasi-tempfile-removal".to_owned());
    // Without a thread, the next directory that is made or removed tries again to start one.
    state.trying = thread.spawn(move || try_until_done(&weak)).is_ok();
}

fn try_until_done(root: &Weak<Inner>) {
    let (mut pause, mut before) = (FIRST_PAUSE, usize::MAX);
    loop {
        thread::sleep(pause);
        let Some(root) = root.upgrade() else { return };
        let left = root.retries.attempt();
        if left == 0 {
            return;
        }
        pause = if left < before { FIRST_PAUSE } else { (2 * pause).min(LONGEST_PAUSE) };
        before = left;
    }
}
