//! Comparisons of two benchmarks, measured in pairs: other work on the machine disturbs both alike.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};

use crate::processes::waited;
use crate::report::{Measurement, Report};

/// Runs an operation `count` times, and returns the nanoseconds that this took.
pub(crate) type Routine = Rc<dyn Fn(u64) -> u64>;

/// Two benchmarks of a group that are measured in pairs.
pub(crate) struct Comparison {
    pub(crate) group: &'static str,
    pub(crate) slow: bool,
    pub(crate) benchmark: &'static str,
    pub(crate) baseline: &'static str,
    /// The largest ratio that is accepted.
    pub(crate) target: Option<f64>,
    pub(crate) run: Routine,
    pub(crate) run_baseline: Routine,
}

/// Runs `once` `count` times, and returns the nanoseconds that this took.
pub(crate) fn timed(count: u64, mut once: impl FnMut()) -> u64 {
    let start = Instant::now();
    (0..count).for_each(|_| once());
    nanoseconds(start.elapsed())
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Subtracts the run-queue wait of this thread from the time that `run` returns.
fn undisturbed(run: impl FnOnce() -> u64) -> u64 {
    let waited = || waited(Path::new("/proc/thread-self/schedstat"));
    let before = waited();
    let took = run();
    let waited = waited() - before;
    // The wait includes that of the start, which is not in the time: never subtract more than half.
    took - waited.min(took / 2)
}

/// One sample: both benchmarks with the same number of iterations.
struct Pair {
    count: u64,
    nanoseconds: u64,
    baseline: u64,
}

impl Comparison {
    /// Measures it, unless the command line filters it out.
    pub(crate) fn measure(&self, criterion: &mut Criterion, report: &mut Report) {
        let pairs = RefCell::new(Vec::new());
        let mut group = criterion.benchmark_group(self.group);
        group.sampling_mode(SamplingMode::Flat);
        let (samples, warm_up, measured) = if self.slow { (10, 1, 1000) } else { (30, 300, 1200) };
        group.sample_size(samples);
        group
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(measured));
        group.bench_function(format!("{} against {}", self.benchmark, self.baseline), |bencher| {
            bencher.iter_custom(|count| {
                let pair = self.pair(count, pairs.borrow().len() % 2 == 0);
                let took = pair.nanoseconds;
                pairs.borrow_mut().push(pair);
                Duration::from_nanos(took)
            });
        });
        group.finish();
        // The command line may leave it out, and the shortest samples are from the warm-up.
        let pairs = pairs.into_inner();
        let Some(last) = pairs.last() else { return };
        let (times, ratios): (Vec<f64>, Vec<f64>) = pairs
            .iter()
            .filter(|pair| pair.count > last.count / 2)
            .map(|pair| {
                let nanoseconds = pair.nanoseconds as f64;
                (nanoseconds / pair.count as f64, nanoseconds / pair.baseline as f64)
            })
            .unzip();
        let (group, benchmark, baseline) = (self.group, self.benchmark, self.baseline);
        report.add(Measurement::time(group, benchmark, &times, baseline, &ratios, self.target));
    }

    fn pair(&self, count: u64, baseline_last: bool) -> Pair {
        let run = |routine: &Routine| undisturbed(|| routine(count));
        if baseline_last {
            let nanoseconds = run(&self.run);
            Pair { count, nanoseconds, baseline: run(&self.run_baseline) }
        } else {
            let baseline = run(&self.run_baseline);
            Pair { count, nanoseconds: run(&self.run), baseline }
        }
    }
}
