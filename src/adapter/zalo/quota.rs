//! How much of its quota an account has left: the question (`POST /v3.0/oa/quota/message`, with `quota_owner` and `product_type`),
//! and the answer, a list of `{total, remain, valid_through: "30/04/2024"}`.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{
    ZaloAdapter,
    answer::{self, Answer},
};
use crate::{
    adapter::{Exchange, Failure, Request},
    domain::secret::Secret,
};

/// What an answer says that remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// So many more may be sent.
    pub remain: u64,
    /// Of so many; `None` where it does not say.
    pub total: Option<u64>,
    /// To the end of this day; `None` where it does not say.
    pub until: Option<NaiveDate>,
}

impl ZaloAdapter {
    /// Asks how much remains of `product`.
    pub(super) fn ask_quota(&self, access: &Secret, product: &str) -> Request {
        let body = json!({ "quota_owner": "OA", "product_type": product });
        self.call(access, "POST", "/v3.0/oa/quota/message", Some(&body))
    }
}

/// Reads what remains: of several rows what all of them have together, to the earliest of their days. `None` where the answer does
/// not say it of every row: what is not known is no limit.
///
/// # Errors
/// What it means that this is no success.
pub fn read(exchange: &Exchange) -> Result<Option<Amount>, Failure> {
    Ok(amount(&Answer::read(exchange)?))
}

/// [`read`] of a success.
pub(super) fn amount(answer: &Answer) -> Option<Amount> {
    let rows = answer.list("");
    if rows.is_empty() {
        return None;
    }
    let mut amount = Amount {
        remain: 0,
        total: Some(0),
        until: None,
    };
    for row in rows {
        // Less than nothing is nothing.
        let number = |value: &Value| {
            answer::integer(value).map(|number| u64::try_from(number).unwrap_or_default())
        };
        amount.remain = amount.remain.saturating_add(number(&row["remain"])?);
        amount.total = match (amount.total, number(&row["total"])) {
            (Some(sum), Some(total)) => Some(sum.saturating_add(total)),
            _ => None,
        };
        let until = row["valid_through"].as_str();
        let until = until.and_then(|day| NaiveDate::parse_from_str(day.trim(), "%d/%m/%Y").ok());
        amount.until = match (amount.until, until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::zalo::answer::tests::answered;

    #[test]
    fn what_remains_is_what_all_rows_have_until_the_first_ends() {
        let day = |month, day| NaiveDate::from_ymd_opt(2024, month, day);
        let amount = |remain, total, until| {
            Some(Amount {
                remain,
                total,
                until,
            })
        };
        for (data, expected) in [
            (
                r#"[{"product_type":"cs","valid_through":"30/04/2024","total":4,"remain":3}]"#,
                amount(3, Some(4), day(4, 30)),
            ),
            (
                r#"[{"valid_through":"31/05/2024","total":"9","remain":"2"},{"valid_through":"30/04/2024","total":1,"remain":1}]"#,
                amount(3, Some(10), day(4, 30)),
            ),
            (r#"[{"total":1,"remain":0}]"#, amount(0, Some(1), None)),
            (
                r#"[{"remain":-2,"valid_through":"2024"}]"#,
                amount(0, None, None),
            ),
            (r#"[{"remain":3},{"total":5}]"#, None),
            ("[]", None),
            ("{}", None),
        ] {
            let body = format!(r#"{{"error":0,"message":"Success","data":{data}}}"#);
            assert_eq!(read(&answered(200, &body)).unwrap(), expected, "{data}");
        }
    }
}
