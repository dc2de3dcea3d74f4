//! Durations as people write them.

use std::time::Duration;

/// Reads `500ms`, `90s`, `15m`, `24h` or `7d`; a number needs its unit.
///
/// # Errors
///
/// What would be right.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a duration such as 90s, 15m, 24h or 7d";
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit.trim_start().to_ascii_lowercase().as_str() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(EXPECTED),
    };
    let number: u64 = number.parse().map_err(|_| EXPECTED)?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800), (" 1 H ", 3600)]
        {
            assert_eq!(parse(text).map(|duration| duration.as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "h", "60", "-1s", "1.5h", "1w", "1h30m", "99999999999999999999s", "999999999999999999d"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
