//! How the routes about people refuse.

http_kit::problems! {
    /// Refusals about people, sessions and accounts.
    pub enum PeopleProblem {
        /// The e-mail address or the password is wrong; which of the two is not told. After too
        /// many tries the address has to wait.
        WrongCredentials { tries_left: u32 } =
            (401, "wrong_credentials", "The e-mail address or the password is wrong."),
        /// The password given as the present one is not.
        WrongPassword = (403, "wrong_password", "This is not your present password."),
        /// The set-up link was used, has expired after 24 hours, or was replaced when the server
        /// started again. Start the server again for a new one.
        SetupTokenInvalid =
            (403, "setup_token_invalid", "This set-up link is not valid any more."),
        /// The invitation was used, has expired, or was replaced by a newer one. Ask an
        /// administrator for a new link.
        InviteInvalid = (403, "invite_invalid", "This invitation is not valid any more."),
        /// There is no such person in the account.
        UserNotFound = (404, "user_not_found", "There is no such person."),
        /// Somebody in this installation has this e-mail address. Addresses are unique in an
        /// installation, across its accounts.
        EmailTaken = (409, "email_taken", "Somebody has this e-mail address already."),
        /// The owner keeps the role of an administrator and cannot be disabled; nobody else can
        /// make a link that sets the owner's password.
        OwnerProtected = (409, "owner_protected", "The owner cannot be changed by others."),
        /// One's own role and state are changed by somebody else, so that nobody locks themselves
        /// out by mistake.
        OwnAccess = (409, "own_access", "Ask another administrator to change your own access."),
        /// One can give only what one has: the role holds permissions that one's own role lacks.
        RoleBeyondOwn = (403, "role_beyond_own", "This role may do more than yours."),
        /// A disabled person cannot be given a link. Enable them first.
        UserDisabled = (409, "user_disabled", "This person is disabled."),
        /// The session has ended already, or belongs to somebody else.
        SessionNotFound = (404, "session_not_found", "There is no such session."),
    }
}
