//! What letters, digits and signs of other scripts look like to somebody who reads Vietnamese.
//!
//! Digits follow Unicode's decimal digits (general category Nd) and the encircled ones. Look-alikes are the letters of
//! Unicode's confusables (UTS #39) that pass for small or capital ASCII letters in common fonts; only those are here.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use unicode_normalization::UnicodeNormalization as _;

/// Where letters of Vietnamese end in Unicode.
const VIETNAMESE: usize = 0x1F00;

/// The first character of each run of ten decimal digits outside ASCII (category Nd).
const ZEROS: [u32; 63] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650,
    0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1E140, 0x1E2F0, 0x1E950,
];

/// The digit that `c` is, in whatever script and dress.
pub(super) fn digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let from = |first: u32, value: u32| char::from_digit(code - first + value, 10);
    match code {
        0x30..=0x39 => return Some(c),
        // Vietnamese letters are among these.
        0..=0xB1 | 0xBA..=0x65F | 0x1E00..=0x1EFF => return None,
        0xB2 | 0xB3 => return from(0xB2, 2),
        0xB9 => return Some('1'),
        0x2070 | 0x24EA | 0x24FF | 0x3007 | 0x96F6 | 0x1F100 | 0x1F10B | 0x1F10C => {
            return Some('0');
        }
        0x2074..=0x2079 => return from(0x2074, 4),
        0x2080..=0x2089 => return from(0x2080, 0),
        0x2460..=0x2468 => return from(0x2460, 1),
        0x2474..=0x247C => return from(0x2474, 1),
        0x2488..=0x2490 => return from(0x2488, 1),
        0x24F5..=0x24FD => return from(0x24F5, 1),
        0x2776..=0x277E => return from(0x2776, 1),
        0x2780..=0x2788 => return from(0x2780, 1),
        0x278A..=0x2792 => return from(0x278A, 1),
        0x1F101..=0x1F10A => return from(0x1F101, 0),
        0x1FBF0..=0x1FBF9 => return from(0x1FBF0, 0),
        _ => {}
    }
    for ideographs in ["一二三四五六七八九", "壹贰叁肆伍陆柒捌玖"] {
        if let Some(at) = ideographs.chars().position(|known| known == c) {
            return char::from_digit(u32::try_from(at).ok()? + 1, 10);
        }
    }
    let at = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[at], 10)
}

/// Whether `c` is a part of a word or number.
pub(super) fn is_word(c: char) -> bool {
    match u32::from(c) {
        0..=0x7F => c.is_ascii_alphanumeric(),
        // Vietnamese, which is what nearly all of a text is; a look into Unicode's tables takes longer.
        0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0x1BA | 0x1E00..=0x1EFF => true,
        _ => c.is_alphanumeric(),
    }
}

/// A Vietnamese letter without its marks; what has no such letter stays as it is.
pub(super) fn bare(c: char) -> char {
    static BARE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let bare = |code: u32| {
            let c = char::from_u32(code)?;
            let base = match c {
                'đ' => 'd',
                'Đ' => 'D',
                _ => std::iter::once(c).nfd().next()?,
            };
            u8::try_from(base).ok().filter(u8::is_ascii)
        };
        (0..VIETNAMESE)
            .map(|code| u32::try_from(code).ok().and_then(bare).unwrap_or(0))
            .collect()
    });
    match BARE.get(c as usize) {
        Some(0) | None => c,
        Some(base) => char::from(*base),
    }
}

/// Whether nobody sees `c`: what joins, hides, turns or tags without being a sign of its own.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00..=0x08 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F..=0x84 | 0x86..=0x9F | 0xAD | 0x34F | 0x61C
        | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x20D0..=0x20F0 | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// The ASCII sign that `c` passes for.
pub(super) fn sign(c: char) -> Option<char> {
    Some(match c {
        '。' | '․' | '·' | '•' | '∙' | '⋅' | '・' | '‧' | 'ꓸ' | '۔' | '܁' | '܂' | '⸱' | '▪'
        | '●' => '.',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' | '➖' | 'ー' | '᠆' | '⸺' | '─' | '~'
        | '∼' => '-',
        '∕' | '⁄' | '⧸' | '〳' | '╱' => '/',
        '꞉' | '∶' | '˸' | 'ː' | '։' => ':',
        '【' | '〔' | '「' | '『' | '⟦' => '[',
        '】' | '〕' | '」' | '』' | '⟧' => ']',
        '➕' => '+',
        _ => return None,
    })
}

/// The small ASCII letter that `c` (small, without marks) passes for.
pub(super) fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' | 'ɑ' | 'ᴀ' => 'a',
        'в' | 'β' | 'ь' | 'ʙ' | 'ᏼ' => 'b',
        'с' | 'ϲ' | 'ᴄ' | 'ⅽ' | 'ᴐ' => 'c',
        'đ' | 'ð' | 'ɖ' | 'ԁ' | 'ᴅ' | 'ɗ' => 'd',
        'е' | 'ε' | 'э' | 'ҽ' | 'ᴇ' | 'є' | '℮' => 'e',
        'ƒ' | 'ꜰ' | 'ғ' => 'f',
        'ɡ' | 'ɢ' | 'ց' | 'ƍ' => 'g',
        'һ' | 'հ' | 'н' | 'ʜ' => 'h',
        'і' | 'ι' | 'ı' | 'ɩ' | 'ɪ' | 'Ꭵ' => 'i',
        'ј' | 'ϳ' | 'ȷ' => 'j',
        'к' | 'κ' | 'ᴋ' | 'ҝ' => 'k',
        'ӏ' | 'ł' | 'ʟ' | 'ⅼ' | 'ǀ' | '|' | 'ا' | 'ן' => 'l',
        'м' | 'ᴍ' | 'ⅿ' | 'μ' => 'm',
        'η' | 'п' | 'ո' | 'ɴ' | 'ռ' => 'n',
        'о' | 'ο' | 'σ' | 'օ' | 'ᴏ' | 'ø' | 'ө' | '০' | '੦' | 'ס' | 'ⲟ' | 'θ' | 'ѳ' => {
            'o'
        }
        'р' | 'ρ' | 'ᴘ' | 'þ' => 'p',
        'ԛ' | 'զ' | 'գ' => 'q',
        'г' | 'ʀ' | 'ᴦ' | 'я' => 'r',
        'ѕ' | 'ꜱ' | 'ʂ' => 's',
        'т' | 'τ' | 'ᴛ' => 't',
        'υ' | 'ս' | 'ᴜ' | 'ʋ' | 'ц' => 'u',
        'ν' | 'ѵ' | 'ᴠ' | 'ⅴ' | '∨' => 'v',
        'ԝ' | 'ω' | 'ᴡ' | 'ш' | 'ѡ' => 'w',
        'х' | 'χ' | '×' | 'ⅹ' | '᙮' => 'x',
        'у' | 'γ' | 'ү' | 'ʏ' | 'ყ' => 'y',
        'ᴢ' | 'ʐ' => 'z',
        _ => return dressed(c),
    })
}

/// The letter in a circle, in a square, or of a flag.
fn dressed(c: char) -> Option<char> {
    let code = u32::from(c);
    let first = [0x1F150, 0x1F170, 0x1F1E6].into_iter();
    let at = first
        .map(|first| code.wrapping_sub(first))
        .find(|at| *at < 26)?;
    char::from_u32(u32::from('a') + at)
}

/// The digit that a letter or sign between digits passes for.
pub(super) fn passes_for_digit(c: char, is_upper: bool) -> Option<char> {
    Some(match c {
        'o' | 'd' => '0',
        'i' | 'l' | '|' | '!' => '1',
        'z' => '2',
        // The Cyrillic letter is a figure to the eye.
        'e' | 'з' => '3',
        'a' => '4',
        's' => '5',
        'b' if !is_upper => '6',
        'b' => '8',
        'g' if is_upper => '6',
        'g' | 'q' => '9',
        't' => '7',
        _ => return None,
    })
}

/// The letter whose name, without its marks, is `name`: as the alphabet has it, as children learn it, and the letter itself.
pub(super) fn letter_said(name: &str) -> Option<char> {
    let mut chars = name.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        return letter.is_ascii_lowercase().then_some(letter);
    }
    Some(match name {
        "be" | "bo" => 'b',
        "xe" | "co" => 'c',
        "de" | "do" => 'd',
        "ep" | "pho" => 'f',
        "ge" | "go" => 'g',
        "hat" | "ho" => 'h',
        "gi" => 'j',
        "ca" => 'k',
        "lo" | "el" => 'l',
        "em" | "mo" => 'm',
        "en" | "no" => 'n',
        "pe" | "po" => 'p',
        "quy" => 'q',
        "ro" => 'r',
        "et" | "so" => 's',
        "te" | "to" => 't',
        "ve" | "vo" => 'v',
        "ich" | "xo" => 'x',
        "det" | "zet" => 'z',
        _ => return None,
    })
}

/// Whether `name` is an end under which names are given and no name itself: `.vn`, `gov.vn`.
pub(super) fn is_ending_alone(name: &str) -> bool {
    let (first, second) = name.split_once('.').unwrap_or((name, ""));
    let is_sort = matches!(
        first,
        "gov"
            | "com"
            | "edu"
            | "net"
            | "org"
            | "int"
            | "ac"
            | "biz"
            | "info"
            | "name"
            | "pro"
            | "health"
    );
    (second.is_empty() && is_common_end(first)) || (is_sort && second == "vn")
}

/// Ends of domain names that people also say or write with spaces around the dots.
const COMMON_ENDS: [&str; 40] = [
    "vn", "com", "net", "org", "gov", "edu", "info", "biz", "xyz", "top", "online", "site", "shop",
    "club", "vip", "io", "cc", "app", "dev", "asia", "mobi", "tv", "me", "us", "cn", "ru", "tk",
    "ml", "link", "live", "store", "website", "click", "win", "icu", "pro", "fun", "space", "tech",
    "name",
];

/// Ends of domain names that are also Vietnamese words or file names: only in one piece with what stands before.
const OTHER_ENDS: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br \
    bs bt bw by bz ca cd cf cg ch ci ck cl cm co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm \
    fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in iq ir is it je jm jo jp \
    ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md mg mh mk mm mn mo mp mq mr ms mt mu mv mw \
    mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs rw sa sb sc sd \
    se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tl tm tn to tr tt tw tz ua ug uk uy uz va vc \
    ve vg vi vu wf ws ye yt za zm zw aero agency art bank bet bio blog buzz cam care cash center chat cheap cfd cloud \
    company cool coupons cyou date deals digital direct download email events exchange expert express fan finance fit fund \
    game games gift global gold group guide guru help host house insure int international jobs land legal life limited \
    loan loans lol ltd market media mil mom money movie museum network news ninja one page party pay photo photos pics \
    plus porn press promo quest racing rent report rest review rip rocks run sale sbs school science security services \
    sex social software solutions stream studio support system team tel today tools toys trade trading travel tube uno \
    ventures video vote wang watch wiki work works world wtf zone zip mov ong ngo ist bar best bid bond boo casa ceo \
    charity church city claims codes coffee community computer dad day delivery energy family farm fish food foundation \
    gay gives green health hiphop how ink institute kids law love map marketing meme mortgage navy new nexus onl phd \
    pub rich sarl shopping show singles supply surf tax tips vin viet google youtube example test invalid monster hair skin \
    autos homes lat casino poker credit accountant cricket faith webcam ren moe foo ing prof esq soy rsvp boats makeup beauty \
    motorcycles yachts gle baby audio christmas hosting diet bingo ";

/// Whether a domain may end in `label`, as common as people say aloud.
pub(super) fn is_common_end(label: &str) -> bool {
    COMMON_ENDS.contains(&label)
}

/// Whether a domain may end in `label`.
pub(super) fn is_end(label: &str) -> bool {
    static OTHERS: LazyLock<HashSet<&str>> =
        LazyLock::new(|| OTHER_ENDS.split_whitespace().collect());
    is_common_end(label)
        || label.starts_with("xn--")
        || (label.len() >= 2
            && label.bytes().all(|b| b.is_ascii_lowercase())
            && OTHERS.contains(label))
}

/// Whether an end of domain names is also a Vietnamese word, which stands behind a full stop where a blank was forgotten.
pub(super) fn is_syllable(label: &str) -> bool {
    matches!(
        label,
        "ai" | "la"
            | "do"
            | "to"
            | "so"
            | "my"
            | "be"
            | "ba"
            | "ca"
            | "co"
            | "de"
            | "ga"
            | "im"
            | "in"
            | "ly"
            | "ma"
            | "mo"
            | "na"
            | "no"
            | "sa"
            | "se"
            | "va"
            | "vi"
            | "bi"
            | "li"
            | "lo"
            | "pa"
            | "re"
            | "tin"
            | "tham"
            | "vin"
            | "ve"
            | "ta"
    )
}

/// Services whose addresses hide where they lead, or lead to a person or group and not to an office.
const SHORTENERS: [&str; 61] = [
    "forms.gle",
    "bit.ly",
    "tinyurl.com",
    "goo.gl",
    "t.co",
    "is.gd",
    "v.gd",
    "ow.ly",
    "buff.ly",
    "cutt.ly",
    "rb.gy",
    "rebrand.ly",
    "shorturl.at",
    "shorte.st",
    "s.id",
    "t.ly",
    "tiny.cc",
    "bl.ink",
    "adf.ly",
    "qrco.de",
    "me-qr.com",
    "linktr.ee",
    "lnkd.in",
    "soo.gd",
    "s2r.co",
    "tny.im",
    "by.com.vn",
    "urlvn.net",
    "ln.run",
    "short.gy",
    "g.co",
    "t.me",
    "telegram.me",
    "zalo.me",
    "chat.zalo.me",
    "m.me",
    "fb.me",
    "wa.me",
    "shope.ee",
    "vt.tiktok.com",
    "forms.gle",
    "shorten.asia",
    "bom.so",
    "bom.to",
    "s.net.vn",
    "link1s.com",
    "ouo.io",
    "surl.li",
    "u.to",
    "x.gd",
    "t2m.io",
    "dub.sh",
    "lnk.to",
    "l.facebook.com",
    "lm.facebook.com",
    "goo.su",
    "clck.ru",
    "bitly.com",
    "shorturl.com",
    "tinyurl.vn",
    "zaloapp.com",
];

/// Whether `host` shortens or hides what it leads to; its path then says everything.
pub(super) fn is_shortener(host: &str) -> bool {
    SHORTENERS.contains(&host)
}

/// The service that `name` is without its dot, where nothing else can be meant: `bitly`, `tinyurl`, `zalome`.
pub(super) fn bare_shortener(name: &str) -> Option<&'static str> {
    /// Shorter ones could be anything.
    const SHORTEST: usize = 5;
    static BARE: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
        let whole = SHORTENERS.iter().map(|host| (host.replace('.', ""), *host));
        let first = SHORTENERS.iter().filter_map(|host| {
            let name = host.strip_suffix(".com")?;
            (!name.contains('.')).then(|| (name.to_owned(), *host))
        });
        let long = |(name, _): &(String, &str)| name.len() >= SHORTEST;
        first.chain(whole).filter(long).collect()
    });
    BARE.get(name).copied()
}
