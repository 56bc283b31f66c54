//! Words around numbers that somebody is to call or to pay to.

/// Signs read aloud between the groups of a number.
pub(super) const FILLERS: [&str; 21] = [
    "bấm", "phím", "nút", "số", "con", "đuôi", "và", "x", "đầu", "chấm", "phẩy", "gạch", "ngang",
    "nối", "cách", "trừ", "xuyệt", "sẹc", "rồi", "tiếp", "dot",
];

/// Words that go on behind a number without being counted by it.
pub(super) const BEHIND: [&str; 22] = [
    "để", "khi", "ngay", "hoặc", "và", "nếu", "miễn", "trong", "theo", "nhé", "hay", "thì", "là",
    "của", "với", "rồi", "được", "lúc", "cũng", "nha", "ạ", "mà",
];

/// Emergency services, whose numbers people say without a word for calling.
pub(super) const EMERGENCY: [(&str, &[&str]); 5] = [
    ("111", &["em", "đài"]),
    ("112", &["nạn", "cứu"]),
    ("113", &["sát", "an"]),
    ("114", &["hỏa", "hoả", "cháy", "cứu"]),
    ("115", &["cứu", "tế"]),
];

/// Words of one or two parts that speak of an account.
pub(super) const ACCOUNT: [(&str, &str); 11] = [
    ("", "tknh"),
    ("", "account"),
    ("", "acc"),
    ("tài", "khỏan"),
    ("tài", "khoản"),
    ("chuyển", "khoản"),
    ("ngân", "hàng"),
    ("số", "tk"),
    ("", "stk"),
    ("", "banking"),
    ("", "iban"),
];

/// Words for paying, behind which a long number is an account, and how far they reach.
pub(super) const PAYING: [&str; 6] = ["chuyển", "nộp", "đóng", "cọc", "gửi", "banking"];

pub(super) const PAY_REACH: usize = 7;

/// Short forms of the word for an account, letter by letter: `S.T.K`, `T/K`, `A/C`.
pub(super) const SPELLED: [&str; 4] = ["stk", "tk", "ac", "stknh"];

/// Words after which a number names a person, a firm or a card of theirs, and leads to nobody.
pub(super) const IDENTITY: [&str; 12] = [
    "gplx", "chiếu", "cccd", "cmnd", "cmt", "cước", "mst", "bhxh", "bhyt", "vạch", "isbn", "imei",
];

/// The same of two words, with others of [`IDENTIFIES`] between them: `mã số thuế`, `giấy phép lái xe`.
pub(super) const IDENTITY_PAIRS: [(&str, &str); 9] = [
    ("lái", "xe"),
    ("ký", "xe"),
    ("biển", "xe"),
    ("định", "danh"),
    ("báo", "danh"),
    ("số", "thuế"),
    ("mã", "thuế"),
    ("tờ", "khai"),
    ("vận", "đơn"),
];

/// Words between those and the number.
pub(super) const IDENTIFIES: [&str; 9] = [
    "số", "là", "công", "dân", "cá", "nhân", "thẻ", "hải", "quan",
];

/// What those who are called do with what reaches them, and what banks do: a number behind it counts.
pub(super) const GOT: [&str; 7] = ["nhận", "lý", "quyết", "ghi", "lời", "có", "được"];
pub(super) const SENT: [&str; 6] = ["gửi", "phát", "cấp", "mở", "in", "soạn"];

/// What they get and send.
pub(super) const GOT_OR_SENT: [&str; 14] = [
    "tin", "phản", "yêu", "ý", "đơn", "thư", "giấy", "thẻ", "thông", "kiến", "câu", "tờ", "cuộc",
    "hồ",
];

/// Purses, which are named by their owners' telephone numbers.
pub(super) const PURSES: [&str; 8] = [
    "momo",
    "zalopay",
    "viettelpay",
    "viettelmoney",
    "vnpay",
    "shopeepay",
    "moca",
    "ví",
];

/// Banks and purses, as people write them.
pub(super) const BANKS: &str = " vietcombank vcb agribank bidv vietinbank ctg techcombank tcb mbbank mb acb sacombank stb vpbank \
    tpbank shb hdbank vib msb ocb seabank eximbank lpbank lienvietpostbank pvcombank namabank abbank bvbank ncb scb kienlongbank \
    bacabank vietbank vietabank pgbank saigonbank oceanbank gpbank cbbank coopbank shinhan woori hsbc uob cake timo ubank \
    momo zalopay viettelpay viettelmoney vnpay shopeepay moca ";
