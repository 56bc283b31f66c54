//! Statements about the pictures of articles.

statements! {
    /// Those of a list that are kept.
    PICTURES_KEPT = list!("SELECT p.hash FROM list JOIN picture AS p ON p.hash = list.item");
    /// Keeps one. `$1` hash, `$2` format, `$3` bytes, `$4` now.
    PICTURE_INSERT = one!(
        "INSERT INTO picture (hash, format, data, at_us) VALUES ($1, $2, $3, $4)
        ON CONFLICT (hash) DO NOTHING"
    );
    /// Those of a list belong to articles that are frozen now. `$2` now.
    PICTURES_FROZEN = list!(
        "UPDATE picture SET frozen_us = CAST($2 AS BIGINT)
        WHERE frozen_us IS NULL AND hash IN (SELECT item FROM list)"
    );
    /// The bytes of one.
    PICTURE = one!("SELECT format, data FROM picture WHERE hash = $1");
    /// The bytes of one that an article was frozen with.
    PICTURE_FROZEN = one!(
        "SELECT format, data FROM picture WHERE hash = $1 AND frozen_us IS NOT NULL"
    );
}
