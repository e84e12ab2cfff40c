//! Sets of code points in few octets: how many are left out, how many are in, and so on in turns; each number seven bits an octet, the
//! lowest first, with 128 on all octets but its last.

/// Whether a set has this letter.
pub(super) fn has(set: &[u8], letter: char) -> bool {
    let (mut end, mut run, mut shift, mut is_inside) = (0u32, 0u32, 0, false);
    for octet in set {
        run |= u32::from(octet & 0x7f) << shift;
        shift += 7;
        if *octet < 0x80 {
            end += run;
            if u32::from(letter) < end {
                return is_inside;
            }
            (run, shift, is_inside) = (0, 0, !is_inside);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_left_out_and_in_by_turns() {
        // 65 not, B to D, 300 not, and one.
        let set = [66, 3, 172, 2, 1];
        for (letter, is_in) in [('A', false), ('B', true), ('D', true), ('E', false)] {
            assert_eq!(has(&set, letter), is_in, "{letter}");
        }
        let last = char::from_u32(69 + 300).expect("a letter");
        assert!(has(&set, last));
        let after = char::from_u32(70 + 300).expect("a letter");
        assert!(!has(&set, after));
        assert!(!has(&[], 'A'));
    }
}
