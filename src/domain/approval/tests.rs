//! The rules of approval, one story each.

use super::*;
use crate::domain::version::{Record, ScheduleRecord};

const MAI: &str = "Trần Thị Mai";
const HOA: &str = "Nguyễn Văn Hòa";

fn rules() -> ApprovalRules {
    let approver = |name: &str, role: &str| Approver {
        name: name.to_owned(),
        role: role.to_owned(),
    };
    ApprovalRules {
        approvers: vec![approver(MAI, "Giám đốc"), approver(HOA, "Phó giám đốc")],
        ..ApprovalRules::default()
    }
}

fn version(source: &str, needed: u32, editors: &[&str]) -> Version {
    let id = ScheduleId::parse("sang").unwrap();
    let record = ScheduleRecord {
        id: id.as_str().to_owned(),
        needed,
        editors: editors.iter().map(|name| (*name).to_owned()).collect(),
        source: source.to_owned(),
        when: String::new(),
        from: None,
        until: None,
        bulletins: String::new(),
        lateness: String::new(),
        targets: BTreeMap::new(),
        policy: String::new(),
        exceptions: BTreeMap::new(),
    };
    Version::schedule(id, record)
}

/// A record of decisions that takes only what is allowed.
#[derive(Default)]
struct Book(Vec<Entry>);

impl Book {
    fn standing(&self) -> Standing {
        Standing::of(&self.0)
    }

    fn decide(
        &mut self,
        version: &Version,
        decision: Decision,
        person: &str,
    ) -> Result<(), Refusal> {
        let rules = rules();
        let proposal = Proposal {
            decision,
            person,
            seen: version.hash.short(),
            remark: "lý do",
        };
        let approver = judge(&rules, version, &self.standing(), &[], &proposal)?;
        self.0.push(Entry {
            number: i64::try_from(self.0.len()).unwrap(),
            at: Timestamp::from_micros(0),
            version: version.hash.clone(),
            needed: version.needed(),
            decision,
            person: approver.name.clone(),
            role: approver.role.clone(),
            remark: String::new(),
        });
        Ok(())
    }

    fn approve(&mut self, version: &Version, person: &str) -> Result<(), Refusal> {
        self.decide(version, Decision::Approved, person)
    }

    fn allows(&self, version: &Version) -> bool {
        self.standing().allows(&version.hash)
    }
}

#[test]
fn one_yes_from_somebody_else_is_enough_for_what_is_not_urgent() {
    let (mut book, v) = (Book::default(), version("a", 1, &["Lê Văn Tám"]));
    assert!(!book.allows(&v));
    assert_eq!(book.approve(&v, "Người lạ"), Err(Refusal::NotApprover));
    assert_eq!(book.approve(&v, "trần  thị MAI"), Ok(()));
    assert!(book.allows(&v));
    assert_eq!(book.approve(&v, HOA), Err(Refusal::InForce));
    assert_eq!(book.0[0].person, MAI, "as loa.yaml spells it");
}

#[test]
fn an_editor_cannot_approve_however_the_name_is_typed() {
    for editor in [
        "Nguyễn Văn Hòa",
        "NGUYỄN VĂN HOÀ",
        "nguyễn   văn hòa",
        "Nguye\u{302}\u{303}n Va\u{306}n Ho\u{300}a",
        "Nguyễn\u{a0}Văn\u{200b} Hòa",
        "Nguyen Van Hoa",
    ] {
        let (mut book, v) = (Book::default(), version("a", 1, &["Lê Văn Tám", editor]));
        assert_eq!(book.approve(&v, HOA), Err(Refusal::IsEditor), "{editor:?}");
        assert_eq!(
            book.approve(&v, "nguyễn văn hoà"),
            Err(Refusal::IsEditor),
            "{editor:?}"
        );
        assert_eq!(book.approve(&v, MAI), Ok(()));
    }
    let nobody = version("a", 1, &[]);
    assert_eq!(
        Book::default().approve(&nobody, MAI),
        Err(Refusal::NoEditors)
    );
}

#[test]
fn an_emergency_needs_two_people() {
    let (mut book, v) = (Book::default(), version("a", 2, &["Lê Văn Tám"]));
    assert_eq!(book.approve(&v, HOA), Ok(()));
    assert!(!book.allows(&v));
    for again in [HOA, "nguyễn văn hoà", "Nguye\u{302}\u{303}n  Văn Hòa"] {
        assert_eq!(book.approve(&v, again), Err(Refusal::Twice), "{again:?}");
    }
    // Even on record twice, one person is one person.
    let mut twice = book.0.clone();
    twice.push(Entry {
        person: "NGUYỄN VĂN HOÀ".to_owned(),
        ..twice[0].clone()
    });
    assert_eq!(Standing::of(&twice).in_force, None);
    assert_eq!(book.approve(&v, MAI), Ok(()));
    assert!(book.allows(&v));
}

#[test]
fn another_hash_than_the_one_seen_is_stale() {
    let (seen, now) = (
        version("a", 1, &["Lê Văn Tám"]),
        version("b", 1, &["Lê Văn Tám"]),
    );
    let (rules, standing) = (rules(), Standing::default());
    let judged = |seen: &str| {
        let proposal = Proposal {
            decision: Decision::Approved,
            person: MAI,
            seen,
            remark: "",
        };
        judge(&rules, &now, &standing, &[], &proposal).map(|_| ())
    };
    assert_eq!(judged(seen.hash.as_str()), Err(Refusal::Stale));
    assert_eq!(judged(""), Err(Refusal::ShortHash));
    assert_eq!(judged(&now.hash.as_str()[..11]), Err(Refusal::ShortHash));
    assert_eq!(judged(&now.hash.as_str()[..12]), Ok(()));
    assert_eq!(
        judged(&format!(" {} ", now.hash.as_str().to_uppercase())),
        Ok(())
    );
}

#[test]
fn the_latest_complete_approval_is_in_force_and_nothing_older_comes_back() {
    let editors = ["Lê Văn Tám"];
    let (a, b) = (version("a", 1, &editors), version("b", 1, &editors));
    let mut book = Book::default();
    book.approve(&a, MAI).unwrap();
    assert!(!book.allows(&b));
    assert!(book.allows(&a), "an edit alone takes nothing away");
    book.approve(&b, MAI).unwrap();
    assert!(book.allows(&b) && !book.allows(&a));
    assert_eq!(book.standing().counted(&a.hash), []);
    book.decide(&b, Decision::Returned, HOA).unwrap();
    assert!(
        !book.allows(&b) && !book.allows(&a),
        "what b replaced stays replaced"
    );
    book.approve(&a, HOA).unwrap();
    assert!(book.allows(&a));
    book.approve(&b, MAI).unwrap();
    assert!(book.allows(&b), "what was returned may be approved later");
}

#[test]
fn rejected_and_retracted_words_never_come_back() {
    let editors = ["Lê Văn Tám"];
    let (a, b) = (version("a", 1, &editors), version("b", 2, &editors));
    let mut book = Book::default();
    book.decide(&a, Decision::Rejected, MAI).unwrap();
    assert_eq!(book.approve(&a, HOA), Err(Refusal::Dead));
    book.approve(&b, MAI).unwrap();
    book.approve(&b, HOA).unwrap();
    assert!(book.allows(&b));
    book.decide(&b, Decision::Retracted, MAI).unwrap();
    assert!(!book.allows(&b));
    assert!(book.standing().retracted.is_some());
    assert_eq!(book.approve(&b, HOA), Err(Refusal::Dead));
    let c = version("c", 1, &editors);
    book.approve(&c, HOA).unwrap();
    assert!(book.allows(&c) && book.standing().retracted.is_none());
}

#[test]
fn whoever_takes_the_own_name_out_has_still_written_it() {
    let before = version("a", 1, &[MAI, "Lê Văn Tám"]);
    let mut other = version("b", 1, &[HOA]);
    if let Record::Schedule(record) = &mut other.record {
        record.when = "at 06:00".to_owned();
    }
    let now = version("a", 1, &["Lê Văn Tám"]);
    let (rules, standing) = (rules(), Standing::default());
    let judged = |person: &str, earlier: &[Version]| {
        let proposal = Proposal {
            decision: Decision::Approved,
            person,
            seen: now.hash.as_str(),
            remark: "",
        };
        judge(&rules, &now, &standing, earlier, &proposal).map(|_| ())
    };
    assert_eq!(judged(MAI, &[]), Ok(()));
    let earlier = [other, before];
    assert_eq!(judged(MAI, &earlier), Err(Refusal::IsEditor));
    // Other words are nobody's.
    assert_eq!(judged(HOA, &earlier), Ok(()));
}

#[test]
fn a_return_wants_a_reason_and_takes_half_an_approval_with_it() {
    let v = version("a", 2, &["Lê Văn Tám"]);
    let (rules, standing) = (rules(), Standing::default());
    for decision in [Decision::Returned, Decision::Rejected, Decision::Retracted] {
        let proposal = Proposal {
            decision,
            person: MAI,
            seen: v.hash.as_str(),
            remark: " ",
        };
        assert_eq!(
            judge(&rules, &v, &standing, &[], &proposal),
            Err(Refusal::NoReason)
        );
    }
    let mut book = Book::default();
    book.approve(&v, MAI).unwrap();
    book.decide(&v, Decision::Returned, HOA).unwrap();
    book.approve(&v, HOA).unwrap();
    assert!(!book.allows(&v), "the first yes went with the return");
    book.approve(&v, MAI).unwrap();
    assert!(book.allows(&v));
}

#[test]
fn words_are_read_back() {
    for refusal in Refusal::ALL {
        assert!(!refusal.as_str().is_empty());
    }
    for decision in Decision::ALL {
        assert_eq!(Decision::parse(decision.as_str()), Some(decision));
    }
    let v = version("a", 1, &["Lê Văn Tám"]);
    assert_eq!(Version::from_json(&v.hash, &v.to_json()).as_ref(), Some(&v));
    let forged = v.to_json().replace("\"a\"", "\"b\"");
    assert_eq!(Version::from_json(&v.hash, &forged), None);
}

#[test]
fn another_rule_about_hours_makes_nobody_else_the_author() {
    let mine = version("một", 1, &[MAI]);
    let Record::Schedule(record) = &mine.record else {
        unreachable!("a schedule's");
    };
    // Mai takes the own name out, and has a rule changed with it.
    let edited = ScheduleRecord {
        policy: "giờ loa".to_owned(),
        editors: vec![HOA.to_owned()],
        ..record.clone()
    };
    let edited = Version::schedule(ScheduleId::parse("sang").unwrap(), edited);
    assert_ne!(edited.hash, mine.hash, "the rule is covered");
    let rules = rules();
    let proposal = Proposal {
        decision: Decision::Approved,
        person: MAI,
        seen: edited.hash.short(),
        remark: "",
    };
    let standing = Standing::of(&[]);
    let refused = judge(&rules, &edited, &standing, &[mine], &proposal);
    assert_eq!(refused.map(|_| ()), Err(Refusal::IsEditor));
}
