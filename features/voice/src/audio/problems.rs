//! What can be wrong with a request about audio.

http_kit::problems! {
    /// Refusals of the audio library's routes.
    pub(crate) enum AudioProblem {
        /// A campaign that is running or paused plays this audio. Stop the campaign, or give it
        /// another audio, and try again.
        InUse { campaign: String } =
            (409, "audio_in_use", "The campaign {campaign} plays this audio."),
        /// The content of the file is neither WAV, MP3, FLAC nor OGG Vorbis; its name does not
        /// matter. Save the sound in one of these and upload that.
        Unknown = (422, "audio_unknown", "This is no WAV, MP3, FLAC or OGG Vorbis file."),
        /// OGG files with Opus in them, such as voice messages, are not understood yet. Save the
        /// sound as WAV, MP3, FLAC or OGG Vorbis.
        Opus = (
            422,
            "audio_opus",
            "OGG with Opus is not understood yet. Save it as WAV, MP3, FLAC or OGG Vorbis."
        ),
        /// The file is of a known kind, but its samples are written in a way that is not
        /// understood. Save it with ordinary settings, such as PCM of 16 bits.
        Codec { format: String, what: String } =
            (422, "audio_codec", "This kind of {format} is not understood: {what}."),
        /// The file is cut off or damaged. Upload it again, or save it anew.
        Damaged { what: String } = (422, "audio_damaged", "The file is damaged: {what}."),
        /// The file has no bytes, or no sound in it.
        Empty = (422, "audio_empty", "The file holds no sound."),
        /// A prompt lasts 30 minutes at the most. Cut it.
        TooLong = (422, "audio_too_long", "The sound is longer than 30 minutes."),
    }
}
