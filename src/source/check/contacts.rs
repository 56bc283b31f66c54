//! Contacts in the words that go out.
