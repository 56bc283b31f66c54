//! What things are and how they behave, without any input or output.
//!
//! Nothing here opens a file, a socket or a database, reads a clock or logs. Functions cannot fail on valid values;
//! what can be invalid is refused where it is made (`parse`).

pub mod airtime;
pub mod approval;
pub mod audio;
pub mod breaker;
pub mod bulletin;
pub mod calendar;
pub mod channel;
pub mod contact;
pub mod crontab;
pub mod delivery;
pub mod detail;
pub mod exception;
pub mod hash;
pub mod id;
pub mod lint;
pub mod mail;
pub mod message;
pub mod pause;
pub mod picture;
pub mod plan;
pub mod policy;
pub mod quota;
pub mod recipe;
pub mod retry;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod speech;
pub mod target;
pub mod time;
pub mod version;
pub mod ward;
pub mod workspace;
pub mod zalo;
