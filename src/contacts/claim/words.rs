//! Words around numbers that plainly are no contacts.

/// Words in front of a date.
pub(super) const BEFORE_DATE: [&str; 17] = [
    "ngày", "hôm", "từ", "đến", "tới", "trước", "sau", "sáng", "trưa", "chiều", "tối", "đêm",
    "mùng", "mồng", "và", "hết", "tháng",
];

/// Words in front of a year.
pub(in crate::contacts) const BEFORE_YEAR: [&str; 9] = [
    "năm", "đoạn", "khóa", "khoá", "niên", "thập", "từ", "đến", "tới",
];

/// Words in front of a number that orders: articles, documents, places.
pub(super) const BEFORE_ORDER: [&str; 57] = [
    "điều",
    "khoản",
    "điểm",
    "mục",
    "chương",
    "hiệu",
    "luật",
    "định",
    "tư",
    "văn",
    "thị",
    "hoạch",
    "quyết",
    "khối",
    "tổ",
    "xóm",
    "thôn",
    "bản",
    "phường",
    "quận",
    "lớp",
    "phòng",
    "tầng",
    "trang",
    "thứ",
    "bước",
    "phần",
    "quý",
    "hẻm",
    "ngõ",
    "ngách",
    "đường",
    "lộ",
    "quốc",
    "tiết",
    "bài",
    "hình",
    "bảng",
    "biểu",
    "mẫu",
    "phụ",
    "lục",
    "tuần",
    "lần",
    "đợt",
    "kỳ",
    "số",
    "nhà",
    "bị",
    "căn",
    "hộ",
    "lô",
    "km",
    "cột",
    "nghị",
    "pháp",
    "lệnh",
];

/// Words in front of `số` that make an ordering number of it: `Công văn số 1234`.
pub(super) const NUMBERED: [&str; 21] = [
    "văn",
    "định",
    "tư",
    "thị",
    "hoạch",
    "luật",
    "lệnh",
    "trình",
    "quyết",
    "nhà",
    "đường",
    "ngõ",
    "lô",
    "hình",
    "thứ",
    "bảng",
    "mẫu",
    "phòng",
    "hiệu",
    "khối",
    "mục",
];

/// Words behind a number that count or measure.
pub(super) const UNITS: [&str; 73] = [
    "kv", "kw", "kva", "mva", "mw", "hz", "mhz", "đồng", "đ", "vnđ", "vnd", "usd", "triệu", "tỷ",
    "tỉ", "nghìn", "ngàn", "trăm", "người", "hộ", "khối", "lần", "giờ", "phút", "giây", "tháng",
    "năm", "tuổi", "km", "m", "kg", "g", "lượt", "cuộc", "vụ", "bản", "trang", "cái", "suất", "độ",
    "mét", "ha", "tấn", "chiếc", "xe", "hình", "nạn", "ca", "điểm", "thành", "nhóm", "phần",
    "tuần", "quý", "bước", "khoản", "căn", "cây", "chữ", "từ", "k", "h", "tr", "cụm", "loa", "bài",
    "lớp", "buổi", "giải", "quyển", "tờ", "lít", "việc",
];

/// Words behind a number that it counts, or that say whom one reaches by it: `120 bà con`, `Gọi 1022 bà con ơi`.
pub(super) const COUNTED_OR_CALLED: [&str; 31] = [
    "đoàn",
    "hội",
    "ngày",
    "phường",
    "xã",
    "trường",
    "hồ",
    "học",
    "cán",
    "nhân",
    "gia",
    "em",
    "bà",
    "ông",
    "đơn",
    "cơ",
    "doanh",
    "nhà",
    "địa",
    "thủ",
    "tổ",
    "xóm",
    "công",
    "đối",
    "bệnh",
    "đại",
    "con",
    "tin",
    "dịch",
    "thôn",
    "khu",
];

/// Words directly behind which a number is one to call.
pub(super) const CALLED: [&str; 14] = [
    "gọi", "bấm", "quay", "thoại", "máy", "nóng", "đài", "đt", "sđt", "dđ", "hotline", "tel",
    "phone", "zalo",
];
