//! Calendars out, read back by two readers that know nothing of each other and nothing of us.

use calcard::icalendar::{ICalendar, ICalendarProperty, ICalendarValue};
use icalendar::Component as _;
use loa::domain::id::DeliveryId;
use reqwest::{Method, header};

use super::city::{City, HOSTILE, Names, TITLE, at, client, delivery};
use crate::support::{cli::loa, workspace::Folder};

/// What both readers have to find in an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    uid: String,
    begin: i64,
    end: i64,
    is_cancelled: bool,
    sequence: i64,
    summary: String,
    location: String,
}

/// As the crate `icalendar` reads it.
fn first_reader(text: &str) -> Vec<Found> {
    let calendar: icalendar::Calendar = text.parse().unwrap();
    assert_eq!(calendar.property_value("VERSION"), Some("2.0"));
    assert!(!calendar.components.is_empty(), "RFC 5545, 3.6: {text}");
    let instant = |when: Option<icalendar::DatePerhapsTime>| match when {
        Some(icalendar::DatePerhapsTime::DateTime(icalendar::CalendarDateTime::Utc(at))) => {
            at.timestamp()
        }
        other => panic!("{other:?} is no instant in UTC"),
    };
    let text =
        |event: &icalendar::Event, name: &str| event.property_value(name).unwrap().to_owned();
    let mut found: Vec<_> = calendar
        .iter()
        .filter_map(icalendar::CalendarComponent::as_event)
        .map(|event| Found {
            uid: event.get_uid().unwrap().to_owned(),
            begin: instant(event.get_start()),
            end: instant(event.get_end()),
            is_cancelled: matches!(event.get_status(), Some(icalendar::EventStatus::Cancelled)),
            sequence: event.get_sequence().unwrap().into(),
            summary: text(event, "SUMMARY"),
            location: text(event, "LOCATION"),
        })
        .collect();
    found.sort();
    found
}

/// As the crate `calcard` reads it.
fn second_reader(text: &str) -> Vec<Found> {
    let calendar = ICalendar::parse(text).unwrap();
    let mut found: Vec<_> = calendar
        .components
        .iter()
        .filter(|component| component.component_type.as_str() == "VEVENT")
        .map(|event| {
            let value = |name: ICalendarProperty| event.property(&name).unwrap().values[0].clone();
            let text = |name| value(name).as_text().unwrap().to_owned();
            let instant = |name| match value(name) {
                ICalendarValue::PartialDateTime(at) => {
                    assert_eq!(
                        (at.tz_hour, at.tz_minute),
                        (Some(0), Some(0)),
                        "it is in UTC"
                    );
                    at.to_timestamp().unwrap()
                }
                other => panic!("{other:?} is no instant"),
            };
            let status = value(ICalendarProperty::Status);
            Found {
                uid: event.uid().unwrap().to_owned(),
                begin: instant(ICalendarProperty::Dtstart),
                end: instant(ICalendarProperty::Dtend),
                is_cancelled: format!("{status:?}").contains("Cancelled"),
                sequence: value(ICalendarProperty::Sequence).as_integer().unwrap(),
                summary: text(ICalendarProperty::Summary),
                location: text(ICalendarProperty::Location),
            }
        })
        .collect();
    found.sort();
    found
}

/// Both readers agree, and the form is that of RFC 5545.
fn read(text: &str) -> Vec<Found> {
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    assert!(
        !text.replace("\r\n", "").contains(['\r', '\n']),
        "lines end with CRLF"
    );
    for line in text.split("\r\n") {
        assert!(line.len() <= 75, "{line}");
    }
    let found = first_reader(text);
    assert_eq!(found, second_reader(text), "{text}");
    found
}

fn of(found: &[Found], id: &DeliveryId) -> Found {
    let uid = format!("{id}@loa");
    let own: Vec<_> = found.iter().filter(|found| found.uid == uid).collect();
    assert_eq!(own.len(), 1, "{uid} is there once: {found:?}");
    own[0].clone()
}

#[tokio::test]
async fn a_calendar_without_a_broadcast_has_a_component_all_the_same() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    for path in ["/lich/phuong/hung-binh.ics", "/lich/kenh/loa-hung-binh.ics"] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(read(&answer.text), []);
        let calendar = ICalendar::parse(&answer.text).unwrap();
        let kinds: Vec<_> = calendar
            .components
            .iter()
            .map(|component| component.component_type.as_str())
            .collect();
        assert_eq!(kinds, ["VCALENDAR", "VTIMEZONE", "STANDARD"]);
    }
    city.plan("2024-03-25T06:00", |id| id == "loa-hung-binh")
        .await;
    let answer = served.get("/lich/phuong/hung-binh.ics").await;
    assert_eq!(read(&answer.text).len(), 1);
    assert!(!answer.text.contains("VTIMEZONE"), "{}", answer.text);
}

#[tokio::test]
async fn a_ward_and_a_channel_have_a_calendar_that_two_readers_read() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.plan("2024-03-25T06:00", |id| id.ends_with("-hung-binh"))
        .await;
    city.plan("2024-03-26T06:00", |id| id == "loa-hung-binh")
        .await;
    city.plan("2024-03-26T06:00", |id| id == "loa-cua-nam")
        .await;
    // Longer ago than a feed goes back.
    city.plan("2024-03-17T23:59", |id| id == "loa-hung-binh")
        .await;
    city.plan("2024-03-18T00:00", |id| id == "loa-hung-binh")
        .await;
    let served = city.serve().await;
    let answer = served.get("/lich/phuong/hung-binh.ics").await;
    assert_eq!(answer.status, 200);
    let ward = read(&answer.text);
    assert_eq!(ward.len(), 5, "{ward:?}");
    let one = of(&ward, &delivery("2024-03-26T06:00", "loa-hung-binh"));
    assert_eq!(one.begin, at("2024-03-26T06:00").as_micros() / 1_000_000);
    assert_eq!(
        one.end - one.begin,
        300,
        "five minutes where nothing is known"
    );
    assert_eq!(one.summary, TITLE);
    assert!(one.location.ends_with(", phường Hưng Bình"), "{one:?}");
    assert!(!one.is_cancelled);
    assert!(
        answer
            .text
            .contains("\r\nREFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n")
    );

    let channel = served.get("/lich/kenh/loa-hung-binh.ics").await;
    let channel = read(&channel.text);
    assert_eq!(channel.len(), 3, "{channel:?}");
    assert!(
        channel.iter().all(|one| ward.contains(one)),
        "the same events"
    );
    for nowhere in [
        "/lich/phuong/khong-co.ics",
        "/lich/phuong/hung-binh",
        "/lich/phuong/HUNG.ics",
        "/lich/kenh/hung-binh.ics",
        "/lich/kenh/.ics",
    ] {
        assert_eq!(served.get(nowhere).await.status, 404, "{nowhere}");
    }
    // The city itself is an area, too; nothing of it is planned.
    let empty = served.get("/lich/phuong/vinh.ics").await;
    assert_eq!((empty.status, read(&empty.text).len()), (200, 0));
    // The pages lead there.
    let page = served
        .get("/?phuong=hung-binh")
        .await
        .text
        .replace("&#x2F;", "/");
    assert!(
        page.contains("href=\"/lich/phuong/hung-binh.ics\""),
        "{page}"
    );
    let id = delivery("2024-03-25T06:00", "loa-hung-binh");
    let page = served
        .get(&format!("/luot/{id}"))
        .await
        .text
        .replace("&#x2F;", "/");
    assert!(
        page.contains("href=\"/lich/kenh/loa-hung-binh.ics\""),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_called_off_stays_as_cancelled_with_a_higher_sequence() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.plan("2024-03-25T06:00", |id| id == "loa-quan-bau")
        .await;
    city.plan("2024-03-25T17:00", |id| id == "loa-quan-bau")
        .await;
    let served = city.serve().await;
    let path = "/lich/kenh/loa-quan-bau.ics";
    let before = read(&served.get(path).await.text);
    city.clock.advance(std::time::Duration::from_mins(5));
    city.pause("sửa dây").await;
    city.clock.advance(std::time::Duration::from_mins(25));
    city.store
        .end_paused(&Default::default(), city.clock.now())
        .await
        .unwrap();
    let after = read(&served.get(path).await.text);
    let id = delivery("2024-03-25T06:00", "loa-quan-bau");
    let (was, is) = (of(&before, &id), of(&after, &id));
    assert!(!was.is_cancelled && is.is_cancelled, "{is:?}");
    assert!(is.sequence > was.sequence, "{was:?} {is:?}");
    let other = delivery("2024-03-25T17:00", "loa-quan-bau");
    assert_eq!(
        of(&before, &other),
        of(&after, &other),
        "nobody touched that one"
    );
}

#[tokio::test]
async fn a_reader_that_has_it_is_not_sent_it_again() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.plan("2024-03-25T06:00", |id| id == "loa-hung-binh")
        .await;
    let served = city.serve().await;
    let path = "/lich/phuong/hung-binh.ics";
    let first = served.get(path).await;
    let head = |name: header::HeaderName| first.headers[name].to_str().unwrap().to_owned();
    assert_eq!(head(header::CONTENT_TYPE), "text/calendar; charset=utf-8");
    let (tag, modified) = (head(header::ETAG), head(header::LAST_MODIFIED));
    let ask = async |name: header::HeaderName, value: &str| {
        let answer = client()
            .request(Method::GET, served.url(path))
            .header(name, value)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".into(),
    ] {
        assert_eq!(
            ask(header::IF_NONE_MATCH, &known).await,
            (304, String::new()),
            "{known}"
        );
    }
    assert_eq!(ask(header::IF_MODIFIED_SINCE, &modified).await.0, 304);
    assert_eq!(ask(header::IF_NONE_MATCH, "\"x\"").await.0, 200);
    assert_eq!(ask(header::IF_MODIFIED_SINCE, "gần đây").await.0, 200);
    city.clock.advance(std::time::Duration::from_secs(2));
    city.plan("2024-03-25T07:00", |id| id == "loa-hung-binh")
        .await;
    assert_eq!(ask(header::IF_NONE_MATCH, &tag).await.0, 200);
    assert_eq!(ask(header::IF_MODIFIED_SINCE, &modified).await.0, 200);
}

#[tokio::test]
async fn names_that_mean_something_to_calendars_do_no_harm() {
    let city = City::new(Names::Hostile, "2024-03-25T05:30").await;
    let planned = city
        .plan("2024-03-25T06:00", |id| id.ends_with("-hung-binh"))
        .await;
    city.freeze(&planned).await;
    let served = city.serve().await;
    let found = read(&served.get("/lich/phuong/hung-binh.ics").await.text);
    assert_eq!(found.len(), planned.len());
    for one in found {
        assert!(one.summary.contains(HOSTILE.trim()), "{one:?}");
    }
}

#[test]
fn the_plan_is_a_calendar_too() {
    let folder = Folder::small();
    let range = ["--from", "2024-03-25", "--to", "2024-03-26"];
    let said = loa(
        &folder.path(),
        &[&["plan", "--format", "ics"][..], &range].concat(),
    );
    assert_eq!(said.code, 0, "{said:?}");
    let found = read(&said.out);
    let plan = loa(
        &folder.path(),
        &[&["plan", "--format", "json"][..], &range].concat(),
    )
    .json();
    let plan = plan.as_array().unwrap();
    assert_eq!(found.len(), plan.len());
    for row in plan {
        let id = DeliveryId::from_text(row["delivery"].as_str().unwrap());
        let one = of(&found, &id);
        let due = chrono::DateTime::parse_from_rfc3339(row["due"].as_str().unwrap()).unwrap();
        assert_eq!(one.begin, due.timestamp());
        let seconds = std::time::Duration::from_secs_f64(row["seconds"].as_f64().unwrap_or(300.0));
        let seconds = i64::try_from(seconds.as_secs()).unwrap();
        assert!((one.end - one.begin - seconds).abs() <= 1, "{one:?} {row}");
    }
    assert_eq!(loa(&folder.path(), &["log", "--format", "ics"]).code, 2);
    assert_eq!(
        loa(&folder.path(), &["plan", "--format", "ics", "--diff", "x"]).code,
        2
    );
}
