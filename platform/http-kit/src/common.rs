//! The refusals that any route may give.

crate::problems! {
    /// Refusals made by the kit itself.
    pub enum CommonProblem {
        /// Nothing with this id exists in the account. It may have been deleted meanwhile, or it
        /// belongs to another account; the two are not told apart on purpose.
        NotFound = (404, "not_found", "There is nothing here."),
        /// The path exists, but not with this method. See the API reference.
        MethodNotAllowed = (405, "method_not_allowed", "This method is not allowed here."),
        /// The request carried no session, or one that has ended. Sign in again.
        SignInRequired = (401, "sign_in_required", "Sign in first."),
        /// The signed-in person's role lacks the named permission. An administrator can change the
        /// role under Settings, Users.
        Forbidden { permission: String } =
            (403, "forbidden", "This needs the permission {permission}."),
        /// The body is not JSON. The detail says where reading stopped.
        MalformedJson { reason: String } = (400, "malformed_json", "The body is not JSON: {reason}."),
        /// The body was sent with another content type than the route reads.
        UnsupportedMediaType { expected: String } =
            (415, "unsupported_media_type", "Send the body as {expected}."),
        /// The body is larger than the route accepts.
        BodyTooLarge { max_bytes: u64 } =
            (413, "body_too_large", "The body may have at most {max_bytes} bytes."),
        /// The body broke off before its end. Send it again.
        BodyBroken = (400, "body_broken", "The body did not arrive whole."),
        /// One or more fields hold something that cannot be accepted. Each is named in `errors`.
        ValidationFailed = (422, "validation_failed", "Some fields need attention."),
        /// The query string holds something that cannot be read.
        InvalidQuery { reason: String } =
            (400, "invalid_query", "The query cannot be read: {reason}."),
        /// The cursor was not made by this list. Start again from the first page.
        InvalidCursor = (400, "invalid_cursor", "This cursor does not belong to this list."),
        /// The `Host` of the request is not an address of this server, which protects against
        /// attacks by DNS rebinding. Open the address that the server printed, or set
        /// `public_address` or `public_url` to the name in use.
        WrongHost { host: String } =
            (421, "wrong_host", "This server does not answer for {host}."),
        /// The request came from a page of another site.
        WrongOrigin = (403, "wrong_origin", "Requests from other sites are refused."),
        /// The request came unencrypted from another machine, to a server that has a certificate.
        /// What was sent could be read on its way. Open the same address with `https`.
        HttpsRequired = (403, "https_required", "Open this address with https."),
        /// Too many requests in a short time. Try again after the time in `Retry-After`.
        TooManyRequests { retry_after_s: u64 } =
            (429, "too_many_requests", "Too many tries. Wait {retry_after_s} seconds."),
        /// An `Idempotency-Key` has 1 to 200 visible ASCII characters.
        IdempotencyKeyInvalid = (
            400,
            "idempotency_key_invalid",
            "An Idempotency-Key has 1 to 200 visible ASCII characters."
        ),
        /// The key was used within the last 24 hours for another request. Make a new key for each
        /// new wish.
        IdempotencyKeyReused = (
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was used for a different request."
        ),
        /// The same request is being worked on. Ask again a little later with the same key.
        IdempotencyInProgress = (
            409,
            "idempotency_in_progress",
            "A request with this Idempotency-Key is still being worked on."
        ),
        /// The live connection is opened with the WebSocket protocol only.
        WebSocketRequired = (426, "websocket_required", "Open this address as a WebSocket."),
        /// This session has as many live connections as it may. Close some pages.
        TooManyConnections = (429, "too_many_connections", "Too many live connections are open."),
        /// The database or the disk does not take work at the moment; nothing was changed. The
        /// server recovers by itself when they are back.
        Unavailable = (503, "unavailable", "Not possible at the moment. Try again shortly."),
        /// Something unexpected happened. The trace id finds its cause in the server's log.
        Internal = (500, "internal", "Something went wrong on the server."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_every_problem_says_what_to_do() {
        let codes: BTreeSet<_> = CommonProblem::ALL.iter().map(|problem| problem.code).collect();
        assert_eq!(codes.len(), CommonProblem::ALL.len());
        for problem in CommonProblem::ALL {
            assert!((400..600).contains(&problem.status), "{}", problem.code);
            assert!(problem.about.trim().ends_with('.'), "{}", problem.code);
            for param in problem.params {
                assert!(problem.detail.contains(&format!("{{{param}}}")), "{}", problem.code);
            }
        }
    }
}
