//! Where readings come from.

use xdp_counters::{Layout, ReadError, Reader, Selector};

use super::target::Target;
use super::watched::{NoReading, Read};
use crate::error::UsageError;

/// What reads a map, which need not be there yet.
///
/// # Errors
///
/// A layout that is none.
pub(super) fn open(target: &Target, layout: Option<&str>) -> anyhow::Result<Read> {
    let layout = layout.map(str::parse::<Layout>).transpose();
    let layout = layout.map_err(|error| UsageError::new(format!("--layout (XDP_LAYOUT): {error}")))?;
    let reader = Reader::new(target.clone().into(), layout)?;
    Ok(Box::new(move || reader.read().map_err(NoReading::from)))
}

impl From<Target> for Selector {
    fn from(target: Target) -> Self {
        match target {
            Target::Id(id) => Self::Id(id),
            Target::Name(name) => Self::Name(name),
            Target::Pin(path) => Self::Pin(path),
            Target::Interface { interface, map } => Self::Interface { interface, map },
        }
    }
}

impl From<ReadError> for NoReading {
    fn from(error: ReadError) -> Self {
        if error.is_missing() { Self::Missing(error.into()) } else { Self::Failed(error.into()) }
    }
}
