//! Statements about the sounds that deliveries are sent with.

statements! {
    /// What is known of sounds, once each. `$2` now.
    AUDIO_INSERT = batch!(
        [hash TEXT, format TEXT, length_us BIGINT, spoken_us BIGINT, loudness_centi BIGINT, peak_centi BIGINT, bytes BIGINT]
        "INSERT INTO audio (hash, format, length_us, spoken_us, loudness_centi, peak_centi, bytes, at_us)
        SELECT hash, format, length_us, spoken_us, loudness_centi, peak_centi, bytes, CAST($2 AS BIGINT)
        FROM batch WHERE TRUE
        ON CONFLICT (hash) DO NOTHING"
    );
    /// The sounds of deliveries that are not frozen yet.
    AUDIO_LINK = batch!(
        [delivery_id TEXT, audio TEXT]
        concat!("INSERT INTO delivery_audio (delivery, audio)
        SELECT batch.delivery_id, batch.audio FROM batch JOIN delivery ON delivery.id = batch.delivery_id
        WHERE delivery.attempt = 0 AND ", is_in_state!("planned"), "
        ON CONFLICT (delivery) DO UPDATE SET audio = excluded.audio")
    );
    /// The sounds of deliveries.
    AUDIO_OF = list!(
        "SELECT d.delivery, a.hash, a.format, a.length_us, a.spoken_us, a.loudness_centi, a.peak_centi, a.bytes
        FROM list JOIN delivery_audio AS d ON d.delivery = list.item JOIN audio AS a ON a.hash = d.audio"
    );
}
