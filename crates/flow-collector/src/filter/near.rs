//! Words that were mistyped.

/// The word that is nearest to this one, if any is near: one letter or two that are wrong, missing, too many, or swapped.
pub(super) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody means a word of two letters by two others.
    let most = (word.chars().count() / 2).min(2);
    let distances = words.into_iter().map(|other| (distance(word, other), other));
    distances
        .filter(|(distance, _)| (1..=most).contains(distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, near)| near)
}

/// Changes from one word to the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let lower = |text: &str| text.chars().take(32).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (from, to) = (lower(from), lower(to));
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                    let changed = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let is_swap = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                    if is_swap { changed.min(rows[i - 2][j - 2] + 1) } else { changed }
                }
            };
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["port", "proto", "packets", "as", "if"];
        for (word, near) in [
            ("prot", Some("port")),
            ("pakets", Some("packets")),
            ("PORTS", Some("port")),
            ("protocl", Some("proto")),
            ("is", Some("as")),
            ("xy", None),
            ("banana", None),
        ] {
            assert_eq!(nearest(word, words), near, "{word}");
        }
    }
}
