//! What can be wrong with a request about a line.

http_kit::problems! {
    /// Refusals of the lines' routes.
    pub(crate) enum LineProblem {
        /// Another line of the account has this name. Choose another name.
        NameTaken = (409, "line_name_taken", "Another line has this name."),
        /// A campaign that is running or paused calls over this line. Stop it, or give it another
        /// line, and try again.
        InUse { campaign: String } =
            (409, "line_in_use", "The campaign {campaign} uses this line."),
        /// Somebody else changed the line meanwhile. Load it again and repeat the change.
        Changed = (409, "line_changed", "The line was changed by somebody else meanwhile."),
    }
}
