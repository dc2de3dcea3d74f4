//! A clock that is never set, and the same for all threads.

use std::sync::LazyLock;
use std::time::Instant;

use flow_state::Timestamp;

use crate::pipeline;

/// The time by the system's clock as it was at the first call, and what has passed since. For rates: the time of receipt goes
/// back when the clock is set, and from one worker to another that has more to read.
pub(crate) fn now() -> Timestamp {
    static FIRST: LazyLock<(Instant, Timestamp)> = LazyLock::new(|| (Instant::now(), pipeline::now()));
    let (instant, time) = *FIRST;
    time + instant.elapsed()
}
