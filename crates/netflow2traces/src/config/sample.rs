//! Sampling as people write it.

use std::num::NonZero;

use flow_collector::{Probability, SamplingConfig};

use super::size;

/// Reads a share (`10%`, `1/100`, `0.01`), a size (`size:1MB`), a limit (`max:5000/s`), or several of them with commas.
///
/// # Errors
///
/// What would be right.
pub(crate) fn parse(text: &str) -> Result<SamplingConfig, &'static str> {
    const EXPECTED: &str =
        "expected a share such as 10%, 1/100 or 0.01, size:BYTES, max:SPANS/s, or several with commas";
    let mut config = SamplingConfig::default();
    for part in text.split(',') {
        let part = part.trim().to_ascii_lowercase();
        let is_again = if let Some(bytes) = part.strip_prefix("size:") {
            let bytes = size::parse(bytes)?;
            config.policy.size.replace(NonZero::new(bytes as u64).ok_or(EXPECTED)?).is_some()
        } else if let Some(spans) = part.strip_prefix("max:") {
            let spans = spans.strip_suffix("/s").unwrap_or(spans).trim();
            config.max_spans_per_second.replace(spans.parse().map_err(|_| EXPECTED)?).is_some()
        } else {
            config.policy.rate.replace(share(&part).ok_or(EXPECTED)?).is_some()
        };
        if is_again {
            return Err(EXPECTED);
        }
    }
    Ok(config)
}

fn share(text: &str) -> Option<Probability> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    Probability::new(match (text.strip_suffix('%'), text.split_once('/')) {
        (Some(percent), _) => number(percent)? / 100.0,
        (None, Some((part, whole))) => number(part)? / number(whole)?,
        (None, None) => number(text)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(rate: Option<f64>, size: Option<u64>, max: Option<u32>) -> SamplingConfig {
        let mut config = SamplingConfig::default();
        config.policy.rate = rate.and_then(Probability::new);
        config.policy.size = size.and_then(NonZero::new);
        config.max_spans_per_second = max.and_then(NonZero::new);
        config
    }

    #[test]
    fn a_share_a_size_and_a_limit() {
        for (text, expected) in [
            ("10%", config(Some(0.1), None, None)),
            ("1/100", config(Some(0.01), None, None)),
            ("0.01", config(Some(0.01), None, None)),
            ("2.5 %", config(Some(0.025), None, None)),
            ("1", config(Some(1.0), None, None)),
            ("size:1MB", config(None, Some(1_000_000), None)),
            ("SIZE:1MiB", config(None, Some(1 << 20), None)),
            ("max:5000/s", config(None, None, Some(5_000))),
            ("max:5000", config(None, None, Some(5_000))),
            ("1/10,size:1m,max:5000/s", config(Some(0.1), Some(1_000_000), Some(5_000))),
            (" max: 20 /s , 50% ", config(Some(0.5), None, Some(20))),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "0",
            "0%",
            "101%",
            "100",
            "-1%",
            "nan",
            "inf",
            "1/0",
            "10/1",
            "1/2/3",
            "ten",
            "10%,",
            "10%,20%",
            "size:",
            "size:0",
            "size:big",
            "size:1,size:2",
            "max:",
            "max:0",
            "max:5000/m",
            "max:-1",
            "max:1,max:1",
            "rate:10%",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
