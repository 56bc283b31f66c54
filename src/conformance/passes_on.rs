//! What the kit's own adapters leave to the one under examination, in one place, so that what an adapter learns to say is passed on by all
//! of them.

/// The methods of [`crate::adapter::Adapter`] that are those of `self.inner`.
macro_rules! passes_on {
    () => {
        fn can_ask(&self) -> bool {
            self.inner.can_ask()
        }

        fn can_stop(&self) -> bool {
            self.inner.can_stop()
        }

        fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
            self.inner.stopped(message, done)
        }

        fn lasts(&self, message: Option<&Message>, exchange: &Exchange) -> Option<Duration> {
            self.inner.lasts(message, exchange)
        }

        fn has_ended(&self, message: Option<&Message>, done: &[Exchange]) -> bool {
            self.inner.has_ended(message, done)
        }

        fn is_ascii(&self) -> bool {
            self.inner.is_ascii()
        }

        fn gives_notes(&self) -> bool {
            self.inner.gives_notes()
        }

        fn note(&self, message: &Message, done: &[Exchange]) -> Option<Note> {
            self.inner.note(message, done)
        }

        fn name(&self) -> &str {
            self.inner.name()
        }

        fn host(&self) -> &str {
            self.inner.host()
        }

        fn secrets(&self) -> &[Secret] {
            self.inner.secrets()
        }
    };
}

pub(super) use passes_on;
