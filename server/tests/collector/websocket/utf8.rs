//! 6.*: text that is UTF-8, and text that is not, however it is cut. Each sequence stands in the text of a line.

use super::cases::{Case, Ends, NOT_UTF8, line};
use super::wire::*;

/// Number, bytes in hexadecimal, whether they are UTF-8. Not here is 6.7.1, U+0000, which JSON has only escaped.
const SEQUENCES: &[(&str, &str, bool)] = &[
    ("6.2", "48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121", true),
    ("6.3", "cebae1bdb9cf83cebcceb5eda080656469746564", false),
    ("6.4", "cebae1bdb9cf83cebcceb5f4908080656469746564", false),
    ("6.5.1", "68656c6c6f24776f726c64", true),
    ("6.5.2", "68656c6c6fc2a2776f726c64", true),
    ("6.5.3", "68656c6c6fe282ac776f726c64", true),
    ("6.5.4", "68656c6c6ff0a4ada2776f726c64", true),
    ("6.5.5", "cebae1bdb9cf83cebcceb5", true),
    ("6.6.1", "ce", false),
    ("6.6.2", "ceba", true),
    ("6.6.3", "cebae1", false),
    ("6.6.4", "cebae1bd", false),
    ("6.6.5", "cebae1bdb9", true),
    ("6.6.6", "cebae1bdb9cf", false),
    ("6.6.7", "cebae1bdb9cf83", true),
    ("6.6.8", "cebae1bdb9cf83ce", false),
    ("6.6.9", "cebae1bdb9cf83cebc", true),
    ("6.6.10", "cebae1bdb9cf83cebcce", false),
    ("6.6.11", "cebae1bdb9cf83cebcceb5", true),
    ("6.7.2", "c280", true),
    ("6.7.3", "e0a080", true),
    ("6.7.4", "f0908080", true),
    ("6.8.1", "f888808080", false),
    ("6.8.2", "fc8480808080", false),
    ("6.9.1", "7f", true),
    ("6.9.2", "dfbf", true),
    ("6.9.3", "efbfbf", true),
    ("6.9.4", "f48fbfbf", true),
    ("6.10.1", "f7bfbfbf", false),
    ("6.10.2", "fbbfbfbfbf", false),
    ("6.10.3", "fdbfbfbfbfbf", false),
    ("6.11.1", "ed9fbf", true),
    ("6.11.2", "ee8080", true),
    ("6.11.3", "efbfbd", true),
    ("6.11.4", "f48fbfbf", true),
    ("6.11.5", "f4908080", false),
    ("6.12.1", "80", false),
    ("6.12.2", "bf", false),
    ("6.12.3", "80bf", false),
    ("6.12.4", "80bf80", false),
    ("6.12.7", "80bf80bf80bf", false),
    ("6.13.1", "c020c120c220c320", false),
    ("6.13.2", "e020e120e220ef20", false),
    ("6.13.3", "f020f120f220f720", false),
    ("6.13.4", "f820f920fa20fb20", false),
    ("6.13.5", "fc20fd20", false),
    ("6.14.1", "c0", false),
    ("6.14.2", "e080", false),
    ("6.14.3", "f08080", false),
    ("6.14.4", "f8808080", false),
    ("6.14.5", "fc80808080", false),
    ("6.14.6", "df", false),
    ("6.14.7", "efbf", false),
    ("6.14.8", "f7bfbf", false),
    ("6.14.9", "fbbfbfbf", false),
    ("6.14.10", "fdbfbfbfbf", false),
    ("6.15.1", "c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf", false),
    ("6.16.1", "fe", false),
    ("6.16.2", "ff", false),
    ("6.16.3", "fefeffff", false),
    ("6.17.1", "c0af", false),
    ("6.17.2", "e080af", false),
    ("6.17.3", "f08080af", false),
    ("6.17.4", "f8808080af", false),
    ("6.17.5", "fc80808080af", false),
    ("6.18.1", "c1bf", false),
    ("6.18.2", "e09fbf", false),
    ("6.18.3", "f08fbfbf", false),
    ("6.18.4", "f887bfbfbf", false),
    ("6.18.5", "fc83bfbfbfbf", false),
    ("6.19.1", "c080", false),
    ("6.19.2", "e08080", false),
    ("6.19.3", "f0808080", false),
    ("6.19.4", "f880808080", false),
    ("6.19.5", "fc8080808080", false),
    ("6.20.1", "eda080", false),
    ("6.20.2", "edadbf", false),
    ("6.20.3", "edae80", false),
    ("6.20.4", "edafbf", false),
    ("6.20.5", "edb080", false),
    ("6.20.6", "edbe80", false),
    ("6.20.7", "edbfbf", false),
    ("6.21.1", "eda080edb080", false),
    ("6.21.4", "edadbfedbfbf", false),
    ("6.21.8", "edafbfedbfbf", false),
    ("6.22.1", "efbfbe", true),
    ("6.22.2", "efbfbf", true),
    ("6.22.3", "f09fbfbe", true),
    ("6.22.34", "f48fbfbf", true),
    ("6.23.1", "efbfb9", true),
    ("6.23.5", "efbfbd", true),
];

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let mut cases = vec![
        Case::new("6.1.1", [frame(FIN | TEXT, b"")], Ends::Open),
        Case::new("6.1.2", [frame(TEXT, b""), frame(CONTINUATION, b""), frame(FIN, b"")], Ends::Open),
    ];
    let middle = line("6.1.3", 0);
    let says = [frame(TEXT, b""), frame(CONTINUATION, middle.as_bytes()), frame(FIN, b"")];
    cases.push(Case::new("6.1.3", says, Ends::Open).keeps(&[&middle]));
    for (number, digits, is_text) in SEQUENCES {
        let sequence: Vec<u8> =
            (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
        // In one frame, and cut behind its first byte: what is torn there is whole again when the rest has come.
        for is_cut in [false, true] {
            let number = format!("{number}{}", if is_cut { ", cut" } else { "" });
            let whole = [format!("[\":case\",null,\"{number} ").as_bytes(), &sequence, b"\",1]"].concat();
            let at = whole.len() - sequence.len() - 4 + 1;
            let says = match is_cut {
                false => vec![frame(FIN | TEXT, &whole)],
                true => vec![frame(TEXT, &whole[..at]), frame(FIN | CONTINUATION, &whole[at..])],
            };
            assert_eq!(std::str::from_utf8(&whole).is_ok(), *is_text, "{number}");
            cases.push(match String::from_utf8(whole) {
                Ok(line) => Case::new(number, says, Ends::Open).keeps(&[&line]),
                Err(_) => Case::new(number, says, NOT_UTF8),
            });
        }
    }
    cases
}
