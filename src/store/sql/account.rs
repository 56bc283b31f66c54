//! Statements about accounts and their tokens. Each that changes a row names the pair that it knows of, so that nobody writes over
//! tokens that came later.

/// The columns, in the order in which `account.rs` reads them.
macro_rules! columns {
    () => {
        "id, pair, access, refresh, issued_us, expires_us, person, authorised_us, spent_us, trouble, trouble_us, refused, next_us, spoilt_us"
    };
}

statements! {
    /// An account.
    ACCOUNT_OF = one!("SELECT ", columns!(), " FROM account WHERE id = $1");
    /// Tokens that a person has brought: nothing of what was before counts. `$1` id, `$2` access, `$3` refresh, `$4` now, `$5` when
    /// the access token ends, `$6` person.
    ACCOUNT_AUTHORISE = one!(
        "INSERT INTO account (id, pair, access, refresh, issued_us, expires_us, person, authorised_us)
        VALUES ($1, 1, $2, $3, $4, $5, $6, $4)
        ON CONFLICT (id) DO UPDATE SET pair = account.pair + 1, access = excluded.access, refresh = excluded.refresh,
            issued_us = excluded.issued_us, expires_us = excluded.expires_us, person = excluded.person,
            authorised_us = excluded.authorised_us, leased_by = NULL, leased_until_us = NULL, spent_us = NULL,
            trouble = NULL, trouble_us = NULL, refused = 0, next_us = NULL, spoilt_us = NULL"
    );
    /// Takes it upon a node to ask for the next pair, unless another one is about to. From here on the refresh token may be
    /// spent. `$1` id, `$2` pair, `$3` node, `$4` now in the time of leases, `$5` until, `$6` now.
    ACCOUNT_LEASE = one!(
        "UPDATE account SET leased_by = $3, leased_until_us = $5, spent_us = COALESCE(spent_us, CAST($6 AS BIGINT))
        WHERE id = $1 AND pair = $2 AND (leased_until_us IS NULL OR leased_until_us <= $4)"
    );
    /// The next pair. Whoever has it has spent the one before, so only that is asked for, and no lease. `$1` id, `$2` pair before,
    /// `$3` access, `$4` refresh, `$5` now, `$6` when the access token ends.
    ACCOUNT_RENEW = one!(
        "UPDATE account SET pair = pair + 1, access = $3, refresh = $4, issued_us = $5, expires_us = $6, leased_by = NULL,
            leased_until_us = NULL, spent_us = NULL, trouble = NULL, trouble_us = NULL, refused = 0, next_us = NULL
        WHERE id = $1 AND pair = $2"
    );
    /// There is no next pair. `$1` id, `$2` pair, `$3` node, `$4` why, `$5` now, `$6` whether only a person can change that, `$7`
    /// when it is tried again, `$8` whether the refresh token was not spent this time.
    ACCOUNT_NOT_RENEWED = one!(
        "UPDATE account SET leased_by = NULL, leased_until_us = NULL, trouble = $4,
            trouble_us = COALESCE(trouble_us, CAST($5 AS BIGINT)), refused = $6, next_us = $7,
            spent_us = CASE WHEN CAST($8 AS BIGINT) = 1 THEN NULL ELSE spent_us END
        WHERE id = $1 AND pair = $2 AND leased_by = $3"
    );
    /// Calls with the access token are refused: it is no good any more. `$1` id, `$2` pair, `$3` now.
    ACCOUNT_SPOIL = one!(
        "UPDATE account SET expires_us = $3, spoilt_us = COALESCE(spoilt_us, CAST($3 AS BIGINT))
        WHERE id = $1 AND pair = $2 AND expires_us > $3"
    );
    /// A call with the access token is taken: that pairs before it were refused says nothing any more. `$1` id, `$2` pair.
    ACCOUNT_TAKEN = one!(
        "UPDATE account SET spoilt_us = NULL WHERE id = $1 AND pair = $2 AND spoilt_us IS NOT NULL"
    );
    /// The same as spoiling of a pair that came for a refused one: asking for another would go on for ever. `$4` why.
    ACCOUNT_DISOWN = one!(
        "UPDATE account SET expires_us = $3, trouble = $4, trouble_us = $3, refused = 1, next_us = NULL
        WHERE id = $1 AND pair = $2 AND expires_us > $3"
    );
    /// What remains of a quota. `$1` account, `$2` product, `$3` so many, `$4` of so many, `$5` to which day, `$6` now.
    QUOTA_SET = one!(
        "INSERT INTO quota (account, product, remain, total, until_day, read_us) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account, product) DO UPDATE SET remain = excluded.remain, total = excluded.total,
            until_day = excluded.until_day, read_us = excluded.read_us"
    );
    /// What remained of each.
    QUOTAS = one!(
        "SELECT account, product, remain, total, until_day, read_us FROM quota ORDER BY account, product"
    );
}
