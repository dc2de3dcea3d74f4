//! Sizes in bytes as people write them.

/// Reads `8388608`, `8M` (millions), `8MiB` (2^20); also k, G, Ki, Gi, with or without a B, in any case.
///
/// # Errors
///
/// What would be right.
pub(super) fn parse(text: &str) -> Result<usize, &'static str> {
    const EXPECTED: &str = "expected a number of bytes such as 67108864, 64M or 64MiB";
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor: usize = match unit.strip_suffix('b').unwrap_or(&unit) {
        "" => 1,
        "k" => 1000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return Err(EXPECTED),
    };
    let number: usize = number.parse().map_err(|_| EXPECTED)?;
    number.checked_mul(factor).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_decimal_or_binary() {
        for (text, bytes) in [
            ("0", 0),
            ("1500", 1500),
            ("8k", 8000),
            ("8K", 8000),
            ("8M", 8_000_000),
            ("1G", 1_000_000_000),
            ("8KiB", 8192),
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("1GiB", 1 << 30),
            ("1GB", 1_000_000_000),
            ("2Mi", 2 << 20),
            ("12B", 12),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "M", "-1", "1.5M", "1T", "1MM", "99999999999G", "ten", "1 2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
