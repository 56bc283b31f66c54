//! Codes in pictures that people are told to photograph: where a text shows one, or says where one hangs, nobody can read where it
//! leads.

use super::{fold::Letter, token::Token};

/// What leads to a picture.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// The first letter of *quét*, or of the code where that comes first.
    pub from: usize,
    /// The letter behind the words that point at it.
    pub to: usize,
}

/// Words for photographing.
const SCANNING: [&str; 3] = ["quét", "scan", "chụp"];

/// Words between *quét* and *QR*.
const BETWEEN: [&str; 13] = [
    "mã", "vào", "qua", "ngay", "code", "ô", "hình", "cái", "chiếc", "điện", "thoại", "bằng",
    "vạch",
];

/// Words that point at something near: `quét mã QR dưới đây`.
const NEAR: [&str; 22] = [
    "dưới đây",
    "bên dưới",
    "ở dưới",
    "phía dưới",
    "sau đây",
    "sau",
    "này",
    "bên cạnh",
    "bên trái",
    "bên phải",
    "bên trên",
    "phía trên",
    "ở trên",
    "kèm theo",
    "đính kèm",
    "trong ảnh",
    "trong hình",
    "trên ảnh",
    "trên hình",
    "trên màn hình",
    "trên áp phích",
    "trên tờ rơi",
];

/// Words behind a code with which the place follows where it hangs, is printed or is sent.
const PLACED: [&str; 20] = [
    "dán", "in", "có", "ở", "trên", "tại", "treo", "đặt", "niêm", "để", "gắn", "phát", "kèm",
    "trong", "gửi", "đăng", "trước", "cạnh", "cuối", "do",
];

/// Words for paying and for coming in, between a code and its place: `mã QR nộp học phí dán ở bảng tin`.
const LEADING: [&str; 17] = [
    "quyên", "chuyển", "khoản", "nộp", "đóng", "góp", "quỹ", "thu", "thanh", "toán", "học", "phí",
    "tiền", "ủng", "hộ", "đăng", "ký",
];

/// Words that tell people not to.
const FORBIDDING: [&str; 8] = [
    "không", "đừng", "chớ", "chưa", "tránh", "ngừng", "trước", "khoan",
];

/// Words that tell of what swindlers do.
const TELLING: [&str; 8] = ["kẻ", "giả", "lừa", "mạo", "cảnh", "tượng", "nạn", "bị"];

/// Words behind a code that say the same of it.
const FALSE: [&str; 5] = ["giả", "lạ", "đè", "mạo", "lừa"];

/// How far what tells of swindlers stands from a code, in words without a pause.
const TELLING_REACH: usize = 8;

/// Things of one's own with a code on them that others photograph: papers, goods, the state's program for identity cards.
const OWN: [&str; 15] = [
    "căn", "cước", "cccd", "thẻ", "vneid", "tem", "nhãn", "bao", "sản", "hộ", "giấy", "phép",
    "truy", "vssid", "bì",
];

/// How far a code and the word for photographing stand apart, in words.
const REACH: usize = 14;

/// The codes that a text tells people to photograph.
pub(super) fn codes(letters: &[Letter], tokens: &[Token]) -> Vec<Code> {
    (0..tokens.len())
        .filter(|at| is_code(tokens, *at))
        .filter_map(|at| near(letters, tokens, at).or_else(|| placed(letters, tokens, at)))
        .collect()
}

/// Whether token `at` ends a word for such a code: *QR*, *mã vuông*, and *mã* alone where a place follows it.
fn is_code(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| &*tokens[before].text);
    match tokens[at].text.as_str() {
        "qr" | "vietqr" => true,
        "vuông" => before == "mã" || before == "vạch",
        "mã" => {
            tokens.get(at + 1).is_some_and(|next| {
                next.is_exactly_one_of(&[
                    "dán", "treo", "in", "niêm", "ở", "có", "trên", "trong", "tại",
                ])
            }) && tokens[at].sentence == tokens[at + 1].sentence
                && is_scanned(tokens, at).is_some()
        }
        _ => false,
    }
}

/// The word for photographing right before the code that ends with token `code`.
fn is_scanned(tokens: &[Token], code: usize) -> Option<usize> {
    let mut scan = code.checked_sub(1)?;
    while code - scan <= 5 && tokens[scan].is_exactly_one_of(&BETWEEN) {
        scan = scan.checked_sub(1)?;
    }
    tokens[scan].is_one_of(&SCANNING).then_some(scan)
}

/// Whether a word shortly before token `scan` says not to. Behind *thì* stands what to do then.
fn told_not(tokens: &[Token], scan: usize) -> bool {
    let before = tokens[..scan].iter().rev().take(3);
    let mut before =
        before.take_while(|word| word.sentence == tokens[scan].sentence && word.text != "thì");
    before.any(|word| word.is_exactly_one_of(&FORBIDDING))
}

/// `quét mã QR dưới đây`
fn near(letters: &[Letter], tokens: &[Token], qr: usize) -> Option<Code> {
    let is_near = |at: usize, other: usize| {
        let between = &letters[tokens[at].to..tokens[other].from];
        between
            .iter()
            .all(|letter| matches!(letter.c, ' ' | '-' | '"' | '“' | '”' | '(' | ')' | ':'))
    };
    let scan = is_scanned(tokens, qr)?;
    let mut next = qr + 1;
    if tokens.get(next).is_some_and(|token| token.text == "code") {
        next += 1;
    }
    let points = |phrase: &str| {
        let words: Vec<&str> = phrase.split(' ').collect();
        let follows = words.iter().enumerate().all(|(index, word)| {
            tokens.get(next + index).is_some_and(|token| {
                token.is_one_of(&[word]) && is_near(next + index - 1, next + index)
            })
        });
        // `quét mã QR sau khi …`: of two words, only those point.
        let last = next + words.len() - 1;
        let is_time = phrase == "sau"
            && tokens.get(last + 1).is_some_and(|token| {
                token.sentence == tokens[last].sentence
                    && is_near(last, last + 1)
                    && letters[tokens[last].to..token.from]
                        .iter()
                        .all(|letter| letter.c == ' ')
                    && !token.is_exactly_one_of(&["để"])
            });
        follows && !is_time
    };
    let phrase = NEAR.iter().find(|phrase| points(phrase))?;
    let last = next + phrase.split(' ').count() - 1;
    (!told_not(tokens, scan)).then(|| Code {
        from: tokens[scan].from,
        to: tokens[last].to,
    })
}

/// `quét mã QR dán ở cột điện`, `mã QR nộp quỹ treo ở đình, bà con quét`: the text says where the code is.
fn placed(letters: &[Letter], tokens: &[Token], code: usize) -> Option<Code> {
    let sentence = tokens[code].sentence;
    let is_same = |at: &usize| {
        tokens
            .get(*at)
            .is_some_and(|token| token.sentence == sentence)
    };
    let scanned = is_scanned(tokens, code);
    let mut place = code + 1;
    while place - code <= 6
        && scanned.is_none()
        && tokens
            .get(place)
            .is_some_and(|token| token.is_exactly_one_of(&LEADING) || token.text == "để")
    {
        place += 1;
    }
    // `quét mã QR để nộp tiền` says no place.
    let is_placed = is_same(&place)
        && tokens[place].is_exactly_one_of(&PLACED)
        && (tokens[place].text != "có"
            || !is_same(&(place + 1))
            || tokens[place + 1].text != "thể")
        && (tokens[place].text != "để"
            || is_same(&(place + 1))
                && tokens[place + 1].is_exactly_one_of(&["ở", "tại", "trên", "trong"]))
        && letters[tokens[place - 1].to..tokens[place].from]
            .iter()
            .all(|letter| matches!(letter.c, ' ' | '"' | '”' | '('));
    let scan = scanned.or_else(|| {
        let mut behind = (place..place + REACH).take_while(is_same);
        behind.find(|at| tokens[*at].is_one_of(&SCANNING))
    })?;
    // The place of one's own papers and of goods is told right behind; what swindlers do, in the whole sentence.
    let mut next = (place + 1..place + 6).take_while(is_same);
    let is_own = next.any(|at| tokens[at].is_exactly_one_of(&OWN) && !is_card(tokens, at));
    let has_pause = |at: usize| {
        let between = &letters[tokens[at].to..tokens[at + 1].from];
        between.iter().any(|letter| letter.c == ',')
    };
    let first = scan.min(code);
    let mut before = (first.saturating_sub(TELLING_REACH)..first).rev();
    let is_told = before
        .by_ref()
        .take_while(|at| is_same(at) && !has_pause(*at))
        .any(|at| tokens[at].is_exactly_one_of(&TELLING));
    let mut behind = (code + 1..place + TELLING_REACH).take_while(is_same);
    let is_told = is_told || behind.any(|at| tokens[at].is_exactly_one_of(&FALSE));
    (is_placed && !is_own && !is_told && !told_not(tokens, scan)).then(|| Code {
        from: tokens[scan.min(code)].from,
        to: tokens[place].to,
    })
}

/// Whether *giấy* or *thẻ* at token `at` is something that is handed out: an invitation, a notice.
fn is_card(tokens: &[Token], at: usize) -> bool {
    tokens[at].text == "giấy"
        && tokens
            .get(at + 1)
            .is_some_and(|next| next.is_exactly_one_of(&["mời", "báo"]))
}
