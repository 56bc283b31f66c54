//! Line ends. A line may be broken because it was full, and then nobody hears it; or because an item, a heading or a line
//! of a list ends there, and then a voice makes a pause, with or without a full stop in writing.

use super::{
    passage::is_short_form,
    token::{Kind, Token},
};

/// Nobody's lines are full with fewer characters.
const NARROWEST: usize = 40;

/// Words after which something has to come: no line of a list ends with one.
const OPEN: &[&str] = &[
    "anh",
    "ấp",
    "bà",
    "bản",
    "bằng",
    "bị",
    "bởi",
    "các",
    "chị",
    "chiều",
    "cho",
    "chú",
    "cô",
    "của",
    "cùng",
    "do",
    "dưới",
    "đến",
    "để",
    "đêm",
    "đồng",
    "được",
    "đường",
    "gọi",
    "gồm",
    "hãy",
    "hoặc",
    "hộ",
    "huyện",
    "khi",
    "khối",
    "không",
    "khu",
    "là",
    "lúc",
    "mà",
    "mọi",
    "một",
    "ngày",
    "ngõ",
    "nhân",
    "như",
    "nhưng",
    "những",
    "nếu",
    "ông",
    "phố",
    "phường",
    "quận",
    "qua",
    "ra",
    "rằng",
    "sáng",
    "sẽ",
    "số",
    "tại",
    "tên",
    "thành",
    "tháng",
    "theo",
    "thì",
    "thôn",
    "thứ",
    "tỉnh",
    "tổ",
    "tối",
    "tới",
    "trên",
    "trong",
    "trưa",
    "từ",
    "tức",
    "và",
    "vào",
    "về",
    "vì",
    "với",
    "xã",
    "xóm",
];

/// Signs that end a line that was not only full.
const ENDING: [char; 6] = ['.', '!', '?', ':', ';', '…'];

/// Signs that begin an item.
pub(super) const BULLETS: &[&str] = &[
    "-", "–", "—", "*", "+", "•", "●", "○", "▪", "■", "□", "◦", "‣", "·", "✓", "✔", "➢", "➤", "►",
    "▶", "→", "⇒", "\u{f0d8}", "\u{f0b7}", "\u{f0a7}", "\u{f0fc}", "♦", "◆", "★", "☆", "❖", ">",
    ">>",
];

/// Makes spaces of the line ends of a passage that nobody is meant to hear.
pub(super) fn join(tokens: &mut [Token<'_>]) {
    let breaks: Vec<usize> = (0..tokens.len())
        .filter(|at| tokens[*at].is(Kind::Break))
        .collect();
    if breaks.is_empty() {
        return;
    }
    let mut starts: Vec<usize> = vec![0];
    starts.extend(breaks.iter().map(|at| at + 1));
    let ends = breaks.iter().copied().chain([tokens.len()]);
    let lines: Vec<(usize, usize)> = starts.into_iter().zip(ends).collect();
    let width =
        |line: &[Token<'_>]| -> usize { line.iter().map(|token| token.text.chars().count()).sum() };
    let widest = lines
        .iter()
        .map(|(from, to)| width(&tokens[*from..*to]))
        .max()
        .unwrap_or(0);
    let soft: Vec<usize> = lines
        .windows(2)
        .filter(|pair| {
            let (line, next) = (&tokens[pair[0].0..pair[0].1], &tokens[pair[1].0..pair[1].1]);
            is_soft(line, next, || {
                let word = next
                    .iter()
                    .take_while(|token| !token.is(Kind::Space))
                    .map(|token| token.text.chars().count())
                    .sum::<usize>();
                let length = width(line);
                length >= NARROWEST && length + 1 + word + widest / 4 > widest
            })
        })
        .map(|pair| pair[0].1)
        .collect();
    for at in soft {
        tokens[at].kind = Kind::Space;
    }
}

/// Whether the end of `line` is only where it was full.
fn is_soft(line: &[Token<'_>], next: &[Token<'_>], is_full: impl Fn() -> bool) -> bool {
    let Some(last) = line.iter().rfind(|token| !token.is(Kind::Space)) else {
        return false;
    };
    if begins_item(next)
        || line
            .iter()
            .any(|token| !token.is(Kind::Space) && is_heading(token))
    {
        return false;
    }
    let closing = |token: &&Token<'_>| {
        token.is(Kind::Space)
            || (token.is(Kind::Sign) && token.text.starts_with(super::line::CLOSING))
    };
    let mut before = line.iter().rev().skip_while(closing);
    let (stop, word) = (before.next(), before.next());
    if stop.is_some_and(|stop| stop.is(Kind::Sign) && stop.text.starts_with(ENDING)) {
        let is_short = stop.is_some_and(|stop| stop.text == ".")
            && word.is_some_and(|word| is_short_form(word.text));
        return is_short;
    }
    match (last.kind, last.text.chars().next()) {
        (Kind::Sign, Some(',' | '-' | '–' | '—' | '/' | '&' | '(' | '“')) => return true,
        (Kind::Word, _) if OPEN.contains(&&*last.lower) => return true,
        _ => {}
    }
    let first = next.iter().find(|token| !token.is(Kind::Space));
    match first {
        Some(first) if first.is(Kind::Number) || first.text == "(" => true,
        Some(first) if first.is(Kind::Word) && !first.is_capitalised() => true,
        Some(_) => is_full(),
        None => false,
    }
}

fn is_heading(first: &Token<'_>) -> bool {
    first.is(Kind::Sign) && first.text.bytes().all(|byte| byte == b'#')
}

/// Whether a line begins with the sign or the number of an item.
fn begins_item(line: &[Token<'_>]) -> bool {
    let mut tokens = line.iter().skip_while(|token| token.is(Kind::Space));
    let (Some(first), second, third) = (tokens.next(), tokens.next(), tokens.next()) else {
        return false;
    };
    let is_spaced = |token: Option<&Token<'_>>| token.is_none_or(|token| token.is(Kind::Space));
    match first.kind {
        Kind::Sign => {
            is_heading(first)
                || (BULLETS.contains(&first.text)
                    && (is_spaced(second) || second.is_some_and(|next| next.is(Kind::Word))))
        }
        Kind::Number | Kind::Word => {
            let is_short = first.text.chars().count() <= if first.is(Kind::Number) { 2 } else { 4 };
            let is_letter = first.is(Kind::Number)
                || first.text.chars().count() == 1
                || first.text.bytes().all(|byte| b"IVX".contains(&byte));
            let marked = second.is_some_and(|mark| matches!(mark.text, "." | ")" | "/"));
            is_short && is_letter && marked && is_spaced(third)
        }
        Kind::Space | Kind::Break => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::token::tokens;

    /// `⏎` for a line end that is heard, a space for one that is not.
    fn joined(text: &str) -> String {
        let mut tokens = tokens(text);
        join(&mut tokens);
        tokens
            .iter()
            .map(|token| match (token.kind, token.text.contains('\n')) {
                (Kind::Break, _) => "⏎",
                (_, true) => " ",
                _ => token.text,
            })
            .collect()
    }

    #[test]
    fn full_lines_go_on_and_others_end() {
        for (text, heard) in [
            ("gọi số\n113 ngay", "gọi số 113 ngay"),
            ("ngày\n12/3/2024", "ngày 12/3/2024"),
            ("Kẻ gian giả danh\ncông an", "Kẻ gian giả danh công an"),
            (
                "Ủy ban nhân dân phường\nHưng Bình",
                "Ủy ban nhân dân phường Hưng Bình",
            ),
            ("THÔNG BÁO\nVề việc cắt điện", "THÔNG BÁO⏎Về việc cắt điện"),
            (
                "Không chuyển tiền\nKhông đọc mã OTP",
                "Không chuyển tiền⏎Không đọc mã OTP",
            ),
            ("- bấm đường dẫn\n- đọc mã", "- bấm đường dẫn⏎- đọc mã"),
            ("1. Dừng lại\n2. Báo tin", "1. Dừng lại⏎2. Báo tin"),
            (
                "a) hộ nghèo\nb) hộ cận nghèo",
                "a) hộ nghèo⏎b) hộ cận nghèo",
            ),
            ("Dừng lại.\nBáo tin.", "Dừng lại.⏎Báo tin."),
            ("Một là,\nHai là", "Một là, Hai là"),
            (
                "Trung tâm Văn hóa, Thể thao và Truyền thông thành phố\nVinh xin thông báo lịch phát thanh của tuần này như sau",
                "Trung tâm Văn hóa, Thể thao và Truyền thông thành phố Vinh xin thông báo lịch phát thanh của tuần này như sau",
            ),
            ("## Cần nhớ\nBà con dừng lại", "## Cần nhớ⏎Bà con dừng lại"),
        ] {
            assert_eq!(joined(text), heard);
        }
    }
}
