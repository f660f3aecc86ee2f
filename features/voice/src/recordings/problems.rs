//! What can be wrong with a request about a recording.

http_kit::problems! {
    /// Refusals of the recordings' routes.
    pub(crate) enum RecordingProblem {
        /// The call was not recorded, or its recording was removed after the days for
        /// which the account keeps recordings.
        NotFound = (404, "recording_not_found", "There is no recording of this call."),
    }
}
