//! How much is tried: little in `make test`, as much as is asked for in `make torture`; and by which
//! chance.

use ioworkload_tests::random;
use std::env;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// `TORTURE_COUNT`: runs of each scenario under load; the other areas take a multiple or a part of
/// it.
static COUNT: LazyLock<Option<usize>> = LazyLock::new(|| number("TORTURE_COUNT"));

/// `TORTURE_MINUTES`: after them nothing is begun beyond the quick form.
static END: LazyLock<Option<Instant>> = LazyLock::new(|| {
    let minutes = number("TORTURE_MINUTES")? as u64;
    Some(Instant::now() + Duration::from_mins(minutes))
});

/// What all chance comes from; said when there is some.
pub static SEED: LazyLock<u64> = LazyLock::new(random::seed);

fn number(variable: &str) -> Option<usize> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable}={text}: no number")))
}

/// Starts the clock.
pub fn begin() {
    let _ = (*COUNT, *END);
}

/// Whether this is the long form.
pub fn long() -> bool {
    COUNT.is_some()
}

/// Whether the time is over.
pub fn over() -> bool {
    END.is_some_and(|end| Instant::now() >= end)
}

/// The numbers of the rounds: `quick` of them, or in the long form what `long` makes of the count,
/// as far as the time goes, but never less than the quick form.
pub fn rounds(quick: usize, long: fn(usize) -> usize) -> impl Iterator<Item = usize> {
    let count = COUNT.map_or(quick, |count| quick.max(long(count)));
    (0..count).take_while(move |round| *round < quick || !over())
}

/// Says in the long form, now and then, how far it is.
pub fn progress(area: &str, what: &str, done: usize) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if long() && last.is_none_or(|last| last.elapsed() > Duration::from_secs(10)) {
        eprintln!("{area}, {what}: {done}");
        *last = Some(Instant::now());
    }
}
