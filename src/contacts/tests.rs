//! What has to be found, and what must not be.

mod property;
mod table;

use super::*;

/// What is found in a text, as `kind normalised`.
fn seen(text: &str) -> Vec<String> {
    find(text)
        .iter()
        .map(|found| {
            assert_eq!(&text[found.range.clone()], found.written, "{text}");
            format!("{} {}", found.kind.as_str(), found.normalised)
        })
        .collect()
}

fn check(wanted: &str, texts: &[&str]) {
    let missed: Vec<String> = texts
        .iter()
        .filter(|text| !seen(text).iter().any(|one| one == wanted))
        .map(|text| format!("{text:?} gives {:?}", seen(text)))
        .collect();
    assert!(missed.is_empty(), "not {wanted}:\n{}", missed.join("\n"));
}

/// One number as people and swindlers write it.
const DISGUISES: &[&str] = &[
    "0912345678",
    "Gọi 0912 345 678.",
    "Xin 0912.345.678 nhé",
    "0912-345-678",
    "0912/345/678",
    "0912, 345, 678",
    "0912. 345. 678",
    "0912_345_678",
    "0912 – 345 — 678",
    "(0912) 345-678",
    "+84 912 345 678",
    "+84912345678",
    "84 912 345 678",
    "(+84) 912345678",
    "+84 (0)912 345 678",
    "0084 912 345 678",
    "09 12 34 56 78",
    "0 9 1 2 3 4 5 6 7 8",
    "0.9.1.2.3.4.5.6.7.8",
    "0\u{200b}9\u{200d}1\u{2060}2\u{feff}345\u{ad}678",
    "０９１２３４５６７８",
    "０９１２ 345 ６７８",
    "⓪⑨①②③④⑤⑥⑦⑧",
    "⁰⁹¹²³⁴⁵⁶⁷⁸",
    "₀₉₁₂₃₄₅₆₇₈",
    "٠٩١٢٣٤٥٦٧٨",
    "۰۹۱۲۳۴۵۶۷۸",
    "०९१२३४५६७८",
    "𝟎𝟗𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖",
    "𝟘𝟡𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠",
    "0️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
    "⓿❾❶❷❸❹❺❻❼❽",
    "〇九一二三四五六七八",
    "O912345678",
    "o9l2345678",
    "O9I2 345 678",
    "О912345678",
    "O 912 345 678",
    "không chín một hai ba bốn năm sáu bảy tám",
    "Không chín một hai, ba bốn năm, sáu bảy tám",
    "khong chin mot hai ba bon nam sau bay tam",
    "KHÔNG CHÍN MỘT HAI BA BỐN NĂM SÁU BẢY TÁM",
    "không-chín-một-hai-ba-bốn-năm-sáu-bảy-tám",
    "0 chín một hai 345 678",
    "0912 ba bốn lăm sáu bảy tám",
    "không chín mười hai, ba mươi tư, năm mươi sáu, bảy mươi tám",
    "không chín một hai, ba trăm bốn mươi lăm, sáu trăm bảy mươi tám",
    "không chín một hai chấm ba bốn năm chấm sáu bảy tám",
    "tám tư chín một hai ba bốn năm sáu bảy tám",
    "cộng tám bốn chín một hai ba bốn năm sáu bảy tám",
    "zero nine one two three four five six seven eight",
    "0912\n345 678",
    "0912 345\n  678",
    "- 0912\n- 345\n- 678",
    "1. 0912\n2. 345\n3. 678",
    "* 0912 345\n* 678",
    "> 0912\n> 345678",
    "09**12** 345 678",
    "**0912**345678",
    "`0912` 345 678",
    "09<b>12</b>345678",
    "0912<br>345<br/>678",
    "0912<!-- x -->345678",
    "0912&nbsp;345&nbsp;678",
    "&#48;912345678",
    "[0912](tel:0912345678)345678",
    "sđt0912345678nhé",
    "tel:0912345678",
    "số 0912:345:678",
    "0912·345·678",
    "0912•345•678",
    "0912|345|678",
    "0912 (345) 678",
    "0912…345…678",
    "Năm 2024 0912 345 678",
    "Ngày 05/06/2024, gọi 0912345678",
    "0912345678 đồng",
    "Điều 0912345678",
    "0912 345 678 người",
    "09/12/34/56/78",
    "sđt:0912.345.678/Zalo",
    "0912=345=678",
    "0912 x 345 x 678",
    "0912 và 345 678",
    "0912&#8203;345&ZeroWidthSpace;678",
    "a) 0912\nb) 345\nc) 678",
    "零玖壹贰叁肆伍陆柒捌",
    "09|2345678",
    "09!2345678",
    "091Z345678",
    "0912E45678",
    "09l2 34S 678",
    "khôngchínmộthaibabốnnămsáubảytám",
    "khongchinmothaibabonnamsaubaytam",
    "số không, số chín, số một, số hai, số ba, số bốn, số năm, số sáu, số bảy, số tám",
    "đầu không chín một hai, đuôi ba bốn năm sáu bảy tám",
    "ô chín một hai ba bốn năm sáu bảy tám",
    "oh nine one two three four five six seven eight",
    "ko chín một hai ba bốn năm sáu bẩy tám",
    "chín một hai, ba bốn năm, sáu bảy tám",
    "chín một hai ba bốn năm sáu bảy tám",
    "lẻ chín một hai ba bốn năm sáu bảy tám",
    "Bốn số đầu 0912, sáu số cuối 345678",
    "Bốn số đầu là 0912. Sáu số cuối là 345 678.",
    "sáu số cuối 345678, bốn số đầu 0912",
    "đầu 0912, giữa 345 rồi cuối 678",
    "từ 0912 đến 345678",
    "\u{202e}876543219 0",
    "gọi \u{202e}876 543 2190\u{202c} ngay",
];

#[test]
fn a_telephone_number_is_found_in_every_disguise() {
    check("phone 0912345678", DISGUISES);
    check(
        "phone 02383123456",
        &["0238 3123 456", "(0238) 3.123.456", "+84 238 3123 456"],
    );
    check(
        "phone 0692348560",
        &["069 234 8560", "069.2348560", "+84 (0)69 234 8560"],
    );
    check(
        "phone 19001234",
        &[
            "1900 1234",
            "1900.1234",
            "một chín không không một hai ba bốn",
        ],
    );
    check("phone 19002024", &["gọi 1900-2024", "1900 2024"]);
    check("phone 1800123456", &["1800 123 456", "1800-12-34-56"]);
    check(
        "phone +12025550123",
        &["+1 202 555 0123", "+1 (202) 555-0123"],
    );
    check(
        "phone 3841234",
        &["Gọi số 384 1234 để hỏi", "Hotline: 3841234"],
    );
}

#[test]
fn short_codes_are_found_where_somebody_is_to_call_them() {
    check(
        "short-code 113",
        &[
            "Hãy gọi 113 ngay",
            "gọi điện cho công an qua số 113",
            "gọi một một ba",
            "Cảnh sát 113",
            "Tổng đài: 113",
            "gọi ➊➊➌",
            "Bấm 1 1 3",
            "gọi số một trăm mười ba",
            "[công an](tel:113)",
            "Gọi 112, 114 hoặc 113",
            "Liên lạc 113.",
            "Báo về 113 ngay",
            "phản ánh qua 113, miễn phí",
            "báo tin cho 113 nếu nghi ngờ",
            "số khẩn cấp 113",
            "Số khẩn cấp: 112, 114, 113.",
            "báo 112 hoặc 113",
            "điện cho 113",
            "Các số 113, 8088",
        ],
    );
    check(
        "short-code 5656",
        &[
            "Nhắn tin tới 5656",
            "đầu số 5656",
            "nhắn tới năm sáu năm sáu",
            "soạn V gửi 5656",
            "gửi đến 5656 (miễn phí)",
            "gửi năm sáu năm sáu",
        ],
    );
    check("short-code 1022", &["Hãy gọi tổng đài 1022"]);
}

#[test]
fn domains_and_links_are_found_in_every_disguise() {
    check(
        "site 103.56.7.8",
        &[
            "vào 103.56.7.8 nhé",
            "vào 103 chấm 56 chấm 7 chấm 8",
            "một trăm linh ba chấm năm mươi sáu chấm bảy chấm tám",
        ],
    );
    check(
        "site dichvucong.gov.vn",
        &[
            "vào dichvucong.gov.vn.",
            "www.dichvucong.gov.vn",
            "DichVuCong.Gov.Vn",
            "dichvucong . gov . vn",
            "dichvucong .gov .vn",
            "dichvucong. gov. vn",
            "dichvucong chấm gov chấm vn",
            "dichvucong cham gov cham vn",
            "dichvucong(dot)gov(dot)vn",
            "dichvucong [dot] gov [dot] vn",
            "dichvucong[.]gov[.]vn",
            "dichvucong (chấm) gov (chấm) vn",
            "dichvucong chấm gov.vn",
            "dịchvụcông.gov.vn",
            "dісhvuсоng.gov.vn",
            "dichvucong.gοv.νn",
            "ｄｉｃｈｖｕｃｏｎｇ．ｇｏｖ．ｖｎ",
            "dichvucong。gov。vn",
            "dichvu\u{200b}cong.gov.vn",
            "dichvucong\u{200b}.gov.vn",
            "dichvucong.**gov**.vn",
            "dichvucong&#46;gov&period;vn",
            "dichvucong\n.gov.vn",
            "dichvucong chấm gov chấm vê en",
            "“dichvucong” chấm “gov” chấm “vn”",
            "dichvucong phẩy gov phẩy vn",
            "dichvucong,gov,vn",
            "dichvucong%2Egov%2evn",
            "d i c h v u c o n g . g o v . v n",
            "🅳🅸ⓒⓗ🅥🅤cong.gov.vn",
            "dichvucong gov vn",
            "vào dichvucong gov vn nhé",
            "\u{202e}nv.vog.gnocuvhcid",
        ],
    );
    check(
        "link dichvucong.gov.vn",
        &[
            "https://dichvucong.gov.vn/x",
            "hxxps://dichvucong.gov.vn",
            "http : // dichvucong.gov.vn",
            "hxxps[:]//dichvucong[.]gov[.]vn",
            "<https://dichvucong.gov.vn>",
        ],
    );
}

#[test]
fn names_of_every_sort_are_found() {
    for (wanted, text) in [
        ("site gov-vn.com", "vào gov-vn.com"),
        (
            "site dichvucong.gov.vn.evil.com",
            "dichvucong.gov.vn.evil.com",
        ),
        ("link evil.com", "https://dichvucong.gov.vn@evil.com"),
        ("link evil.com", "https://dichvucong.gov.vn:443@evil.com/x"),
        (
            "link evil.com",
            "https://dichvucong.gov.vn/?u=https://evil.com",
        ),
        ("site xn--dchvcng-v3a.vn", "xn--dchvcng-v3a.vn"),
        ("link http://127.0.0.1/a", "http://127.0.0.1/a"),
        ("link http://2130706433", "http://2130706433"),
        ("link http://[::1]/", "http://[::1]/"),
        ("site 103.23.144.9", "vào 103.23.144.9"),
        ("short-link bit.ly/aBc", "bit.ly/aBc"),
        ("short-link bit.ly", "bit chấm ly"),
        ("email abc@gmail.com", "a b c @ g m a i l . c o m"),
        ("email abc@gov.vn", "abc@gov.vn"),
        ("link gov.vn", "https://gov.vn"),
        ("oa công an vinh", "Zalo Công an Vinh"),
        ("oa cán bộ thuế", "kết bạn Zalo tên Cán bộ thuế"),
        ("oa thutuc247", "Telegram: thutuc247"),
        ("oa thutuc247", "Line ID: thutuc247"),
        ("oa thutuc247", "ID Line: thutuc247"),
        ("oa conganvinh", "gmail: conganvinh"),
        ("site congan.com", "www congan com"),
        ("short-link t.me/congan", "vào t me/congan"),
        ("short-code 8088", "Các số 113, 8088"),
        ("turned abc", "\u{202e}cba"),
        ("oa công an việt nam", "Facebook Công an Việt Nam"),
        ("oa thuevinh", "kết bạn Zalo với nick thuevinh"),
        ("oa live:thue.vinh", "Skype live:thue.vinh"),
        ("phone 12025550123", "WhatsApp 12025550123"),
        ("phone 3842999", "ĐT 3.842.999"),
        (
            "phone 02383842999",
            "không hai ba tám ba nghìn tám trăm bốn mươi hai chín trăm chín mươi chín",
        ),
        ("short-link t.me/congan", "Vào t.me/congan."),
        ("short-link zalo.me/0912345678", "zalo.me/0912345678"),
        ("phone 0912345678", "zalo.me/0912345678"),
        ("link evil.com", "[dichvucong.gov.vn](https://evil.com)"),
        ("link /dang-nhap", "[Bấm vào đây](/dang-nhap)"),
        ("link javascript:x", "[Bấm](javascript:x)"),
        ("short-link bit.ly/ABC", "BIT.LY/ABC"),
        ("short-link bit.ly", "Bit.Ly"),
        ("site congan.la", "CONGAN.LA"),
        ("site evil.ly", "evil.ly"),
        ("link zalo://qr", "mở zalo://qr"),
        ("site evil.c0m", "evil.c0m"),
        ("email a.b@congan.gov.vn", "a.b@congan.gov.vn"),
        ("email congan@gmail.com", "congan (at) gmail (dot) com"),
        ("email congan@gmail.com", "congan a còng gmail chấm com"),
        ("email congan@gmail.com", "congan @ gmail . com"),
        ("email congan@gmail", "congan@gmail"),
        ("oa @congan", "theo dõi @congan nhé"),
        ("oa công an thành phố", "OA 'Công an thành phố'"),
        (
            "oa công an thành phố",
            "Zalo OA chính thức của “Công an thành phố”",
        ),
        ("oa công an vinh", "quan tâm fanpage Công an Vinh."),
        ("oa công an vinh", "Zalo: Công an Vinh"),
        ("bank-account 19034567890123", "STK 19034567890123"),
        ("bank-account 1903", "STK 1903"),
        ("bank-account 190345678", "số tài khoản 1903 456 78"),
        ("bank-account 0011004567890", "0011004567890 Vietcombank"),
        (
            "bank-account 1903456",
            "chuyển tiền về ngân hàng Techcombank, số 1903456",
        ),
        ("bank-account 9704366812345678", "thẻ 9704 3668 1234 5678"),
        ("bank-account 123456", "tài khoản một hai ba bốn năm sáu"),
    ] {
        check(wanted, &[text]);
    }
}

#[test]
fn innocent_numbers_and_words_are_left_alone() {
    let noisy: Vec<String> = [
        "QL1A, QL46, ĐT.535, đường ĐT 542 cũ; mục 1 chấm 2 chấm 3 chấm 4",
        "Năm 2024, từ năm 2020 đến năm 2025, giai đoạn 2021-2025, 2021 – 2025",
        "Nộp 1.090.000 đồng, 1.900.123.456 đồng, 84.912.345.678 đồng, 500.000đ, 1,5 tỷ, 10 000 000 đồng",
        "Người gọi đòi 1.090.000 đồng, rồi gọi đòi 500.000 đồng, gọi đòi 200 triệu",
        "Chuyển khoản 1.500.000 đồng, chuyển tiền 5000 đồng vào tài khoản; tài khoản 50 triệu",
        "Thông tư 39/2020/TT-BTTTT, Công văn 1234/UBND-VHTT, Nghị định số 15/2020/NĐ-CP, Luật số 24/2018/QH14",
        "Điều 174, khoản 2 Điều 290 Bộ luật Hình sự năm 2015",
        "Người gọi điện bị phạt theo Điều 174; gọi theo Công văn số 1234",
        "Ngày 05/06/2024 lúc 08:30, 11:00, 17:00; 05:30 – 06:00; 8h30, 17g00; 09/12/2024",
        "từ 05-06-2024 12 người, ngày 09-06-2024 12 giờ, 01/03/2024",
        "Phục vụ 24/7, khối 3, tổ 12, tăng 50%, 3,2 phần trăm, 150 phần trăm",
        "Có 113 người, 1022 hộ. Gọi ba lần, gọi hai ba lần, gọi 113 người",
        "CCCD, số tài khoản, số điện thoại, mật khẩu, OTP",
        "Không cung cấp số tài khoản, mã OTP cho người gọi. Ngân hàng không gọi điện.",
        "không một ai, một hai ba bốn năm sáu bảy tám chín không",
        "Hãy gọi công an. Có 113 người dự.",
        "Không kết bạn Zalo với người lạ, không vào nhóm Telegram lạ. Trang Facebook giả mạo.",
        "Kính thưa bà con TP. Vinh! Ông Nguyễn Văn A. Bà con v.v. chú ý... Kẻ gian... chấm dứt.",
        "PGS.TS Nguyễn Văn A, BS.CK Trần B; TP.Vinh, UBND.TP",
        "Bà con không chuyển tiền.Không nghe theo.Ai gọi thì báo.",
        "1. Dừng lại.\n2. Giữ lại số gọi đến.\n3. Báo tin.",
        "năm hai nghìn không trăm hai mươi tư, gọi điện từ năm hai nghìn không trăm hai mươi tư",
        "Mục 1.2.3.4, phiên bản 1.2.3",
        "gọi phòng 302, tầng 5; số 123 đường Lê Lợi",
        "Làn sóng 5G, iPhone 15, COVID-19, A1, 3G/4G",
        "Trong 24 giờ, 365 ngày, 12 tháng, 1/2 số hộ",
        "Từ 7h00 đến 17h30 hằng ngày, từ thứ 2 đến thứ 6",
        "dân số 339.114 người, diện tích 105 km2",
        "Nhận cuộc gọi lúc 8 giờ 30 phút ngày 12 tháng 3 năm 2024",
        "Tên miền .gov.vn, đuôi gov.vn, trang có đuôi .vn, đuôi “gov” chấm “vn”, chữ cuối là gov chấm vn",
        "Biển số 37A-123.45, 37B1-567.89, tòa B2, mẫu số 01/ĐK-TCT, kiệt 12/5 đường Trần Phú",
        "Gửi 300 giấy mời, báo 24 hộ, gửi 1.000 tờ rơi; báo cáo 2024; điện 220V, báo trước 12 giờ",
        "CẢNH GIÁC ZALO GIẢ MẠO. Facebook, Zalo, TikTok đều có kẻ gian; Zalo có 75 triệu người dùng",
        "18.6733, 105.6922; 38 độ C, 25-32°C; thắng 2 - 1; đạt 9,5/10 điểm; ISO 27001:2013; 30/4 – 1/5",
        "a) Một là\nb) Hai là; a, b, c, d, e, g, h; A B C",
        "một nghìn năm trăm hộ, ba nghìn tám trăm bốn mươi hai người",
        "Giảm 50%20 người, tăng 100%",
        "Báo cáo quý 1/2024, tháng 3/2024, kỳ 2023-2024",
        "số CCCD 040123456789; căn cước công dân số 040123456789, CMND 182345678; mã số thuế 0101234567",
        "Facebook Việt Nam, Zalo Việt Nam và TikTok Việt Nam",
        "Đuôi gov vn, tên miền com vn; khối ba, bốn, năm, sáu, bảy, tám, chín, mười",
        "từ 01 đến 12 hộ, bốn số đầu 2024, sáu số cuối 123456; linh một, lẻ hai",
    ]
    .iter()
    .filter(|text| !find(text).is_empty())
    .map(|text| format!("{text:?} gives {:?}", seen(text)))
    .collect();
    assert!(noisy.is_empty(), "{}", noisy.join("\n"));
}
