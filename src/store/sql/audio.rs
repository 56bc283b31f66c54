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
    /// The parts of a session.
    PARTS = list!(
        "SELECT d.id, d.state, d.due_us, d.ward, d.topic, d.priority FROM list JOIN delivery AS d ON d.id = list.item"
    );
    /// The parts of these schedules' sessions that are frozen with a sound and not begun, with that. `$2` from, `$3` until.
    FROZEN_PARTS = list!(
        "SELECT d.id, d.schedule, d.scheduled_us, d.channel, d.part, a.length_us, a.spoken_us
        FROM list JOIN delivery AS d ON d.schedule = list.item
            JOIN delivery_audio AS l ON l.delivery = d.id JOIN audio AS a ON a.hash = l.audio
        WHERE d.state = 'ready' AND d.attempt = 0 AND d.due_us >= $2 AND d.due_us < $3"
    );
    /// The sounds of deliveries.
    AUDIO_OF = list!(
        "SELECT d.delivery, a.hash, a.format, a.length_us, a.spoken_us, a.loudness_centi, a.peak_centi, a.bytes
        FROM list JOIN delivery_audio AS d ON d.delivery = list.item JOIN audio AS a ON a.hash = d.audio"
    );
}
