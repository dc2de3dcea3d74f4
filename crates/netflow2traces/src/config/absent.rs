//! Settings that are defined but not in this version: never ignored, always refused with a word on what there is.

use std::collections::BTreeMap;

use crate::cli::setting_name;
use crate::error::UsageError;

/// What of a setting this version has.
pub(super) enum Supports {
    /// Nothing; the setting must not be set.
    Nothing,
    /// One value.
    Only(&'static str),
}

use Supports::{Nothing, Only};

/// Key, what there is of it, and what to do instead.
pub(super) const ABSENT: &[(&str, Supports, &str)] = &[
    ("trace_shape", Only("packet"), "use packet"),
    ("span_time", Only("receive"), "use receive; the flow's own times are attributes"),
    ("span_time_max_age", Nothing, "spans carry the time of receipt"),
    ("schema", Only("netflow"), "use netflow"),
];

/// Refuses the first setting that asks for what is not there.
pub(super) fn refuse(values: &BTreeMap<String, Vec<String>>) -> Result<(), UsageError> {
    for (key, supports, instead) in ABSENT {
        let Some(values) = values.get(*key) else { continue };
        let wrong = values.iter().find(|value| {
            let value = value.trim().to_ascii_lowercase();
            match supports {
                Nothing => true,
                Only(only) => value != *only,
            }
        });
        let name = setting_name(key);
        match (wrong, supports) {
            (None, _) => {}
            (Some(_), Nothing) => {
                return Err(UsageError::new(format!("{name} is not in this version: {instead}")));
            }
            (Some(value), _) => {
                return Err(UsageError::new(format!("{name}: {value:?} is not in this version: {instead}")));
            }
        }
    }
    Ok(())
}
