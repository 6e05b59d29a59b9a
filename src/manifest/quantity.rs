//! Reads quantities as Kubernetes writes them: numbers with a unit, as `250m` or `64Mi`.

use serde_json::Value;

/// The units of quantities, each with how many thousandths it is: so many, divided by so many.
const UNITS: [(&str, u128, u128); 16] = [
    ("n", 1, 1_000_000),
    ("u", 1, 1000),
    ("m", 1, 1),
    ("", 1000, 1),
    ("k", 1_000_000, 1),
    ("M", 1_000_000_000, 1),
    ("G", 1_000_000_000_000, 1),
    ("T", 1_000_000_000_000_000, 1),
    ("P", 1_000_000_000_000_000_000, 1),
    ("E", 1_000_000_000_000_000_000_000, 1),
    ("Ki", 1000 << 10, 1),
    ("Mi", 1000 << 20, 1),
    ("Gi", 1000 << 30, 1),
    ("Ti", 1000 << 40, 1),
    ("Pi", 1000 << 50, 1),
    ("Ei", 1000 << 60, 1),
];

/// A Kubernetes quantity in thousandths, rounded up. What is too big for the number becomes the biggest.
pub(crate) fn quantity(value: &Value) -> Option<u64> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let signless = text.strip_prefix('+').unwrap_or(&text);
    let unit = signless.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &signless[..signless.len() - unit.len()];
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}").parse::<u128>().ok()?;
    let (times, parts) = scale(unit)?;
    let parts = parts.checked_mul(10_u128.checked_pow(u32::try_from(part.len()).ok()?)?)?;
    let thousandths = digits.checked_mul(times)?.div_ceil(parts);
    Some(u64::try_from(thousandths).unwrap_or(u64::MAX))
}

/// How many thousandths a unit is: so many, divided by so many.
fn scale(unit: &str) -> Option<(u128, u128)> {
    if let Some((_, times, parts)) = UNITS.iter().find(|(name, _, _)| *name == unit) {
        return Some((*times, *parts));
    }
    let power: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
    let tens = 10_u128.checked_pow(power.unsigned_abs())?;
    if power < 0 { Some((1000, tens)) } else { Some((tens.checked_mul(1000)?, 1)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, thousandths) in [
            ("250m", 250),
            ("2", 2000),
            ("+2", 2000),
            ("0.5", 500),
            (".5", 500),
            ("1.25", 1250),
            ("1Ki", 1_024_000),
            ("1.123456789G", 1_123_456_789_000),
            ("1Pi", 1000 << 50),
            ("2T", 2_000_000_000_000_000),
            ("1e3", 1_000_000),
            ("1E3", 1_000_000),
            ("25e-2", 250),
            ("1500u", 2),
            ("1n", 1),
            ("1E", u64::MAX),
            ("8Ei", u64::MAX),
        ] {
            assert_eq!(quantity(&json!(text)), Some(thousandths), "{text}");
        }
        assert_eq!(quantity(&json!(2)), Some(2000));
        for text in ["much", "", ".", "1.2.3", "-1", "1 Gi", "1GB", "1e", "1e99", "e3", "1ki"] {
            assert_eq!(quantity(&json!(text)), None, "{text}");
        }
    }
}
