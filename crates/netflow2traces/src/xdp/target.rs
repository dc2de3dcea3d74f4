//! Which map is meant.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How a map is named; as text what `--map` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// By its number.
    Id(u32),
    /// By its name.
    Name(String),
    /// By the file it is pinned to.
    Pin(PathBuf),
    /// As a map of the program on an interface, of several that with this name.
    Interface { interface: String, map: Option<String> },
}

/// Why a text names no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected name=NAME, id=NUMBER, pin=PATH or iface=INTERFACE, and for one of several maps iface=INTERFACE/NAME")]
pub(crate) struct TargetError;

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, value) = text.trim().split_once('=').ok_or(TargetError)?;
        if value.is_empty() {
            return Err(TargetError);
        }
        match kind {
            "id" => value.parse().map(Self::Id).map_err(|_| TargetError),
            "name" => Ok(Self::Name(value.to_owned())),
            "pin" => Ok(Self::Pin(value.into())),
            // No name of an interface has a slash.
            "iface" => match value.split_once('/') {
                Some((interface, map)) if interface.is_empty() || map.is_empty() => Err(TargetError),
                Some((interface, map)) => Ok(Self::of_interface(interface, Some(map))),
                None => Ok(Self::of_interface(value, None)),
            },
            _ => Err(TargetError),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id={id}"),
            Self::Name(name) => write!(f, "name={name}"),
            Self::Pin(path) => write!(f, "pin={}", path.display()),
            Self::Interface { interface, map: Some(map) } => write!(f, "iface={interface}/{map}"),
            Self::Interface { interface, map: None } => write!(f, "iface={interface}"),
        }
    }
}

impl Target {
    pub(crate) fn of_interface(interface: &str, map: Option<&str>) -> Self {
        Self::Interface { interface: interface.to_owned(), map: map.map(str::to_owned) }
    }

    /// The interface that it names.
    pub(crate) fn interface(&self) -> Option<&str> {
        match self {
            Self::Interface { interface, .. } => Some(interface),
            _ => None,
        }
    }

    /// What tells it from others: a name is that, everything else says what it is.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_named_in_four_ways() {
        for (text, expected) in [
            ("id=7", Target::Id(7)),
            ("name=xdp_stats_map", Target::Name("xdp_stats_map".to_owned())),
            ("pin=/sys/fs/bpf/a=b", Target::Pin("/sys/fs/bpf/a=b".into())),
            ("iface=eth0", Target::of_interface("eth0", None)),
            ("iface=eth0/xdp_stats_map", Target::of_interface("eth0", Some("xdp_stats_map"))),
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string(), text);
        }
        for text in ["", "xdp_stats_map", "id=", "id=x", "id=-1", "name=", "iface=/a", "iface=a/", "prog=1"] {
            assert_eq!(text.parse::<Target>(), Err(TargetError), "{text}");
        }
    }

    #[test]
    fn labels_are_names_or_say_what_they_are() {
        for (text, label) in [("name=a", "a"), ("id=7", "id=7"), ("iface=eth0/a", "iface=eth0/a")] {
            assert_eq!(text.parse::<Target>().unwrap().label(), label);
        }
    }
}
