//! How the routes of campaigns refuse.

use dialer::{Refusal, TestRefused};
use http_kit::Problem;

use crate::runner::TestEnd;

http_kit::problems! {
    /// Refusals about campaigns.
    pub enum CampaignProblem {
        /// The campaign does not exist in this account, or it was deleted for good. Reload the list.
        NotFound = (404, "campaign_not_found", "There is no such campaign."),
        /// The contact does not belong to this campaign. Reload the page.
        ContactNotFound =
            (404, "campaign_contact_not_found", "There is no such contact in this campaign."),
        /// Somebody else saved the campaign after it was read. Read it again and repeat the change;
        /// `version` is the present one.
        Changed { version: i64 } =
            (409, "campaign_changed", "Somebody else changed the campaign; it has version {version}."),
        /// A campaign that is over keeps its settings, so that its results can be understood. Make
        /// a new one.
        Over = (409, "campaign_over", "The campaign is over and cannot be changed."),
        /// The step does not lead on from the present state: a draft is started, a running campaign
        /// is paused or stopped, a paused one resumed or stopped.
        WrongState { state: String } =
            (409, "campaign_wrong_state", "A campaign that is {state} cannot do that."),
        /// The line stays the same while the campaign runs, since its calls are on it. Pause first.
        LineLocked = (409, "campaign_line_locked", "Pause the campaign before changing its line."),
        /// Something that every call needs is missing. `errors` names each field; the check of the
        /// campaign lists the same.
        NotReady = (422, "campaign_not_ready", "The campaign cannot start yet."),
        /// A campaign that runs or is paused is stopped before it is deleted.
        NotDeletable = (409, "campaign_not_deletable", "Stop the campaign before deleting it."),
        /// Only a campaign that is completed or stopped is run again. Copy one that is not.
        NotOver = (409, "campaign_not_over", "Only a campaign that is over can be run again."),
        /// Nobody is left: every contact was reached with success, or was excluded by hand.
        NobodyLeft = (409, "campaign_nobody_left", "Nobody is left to be called again."),
        /// The contact is finished, so there is nothing to exclude it from.
        ContactFinished =
            (409, "campaign_contact_finished", "This contact is finished already."),
        /// The export does not exist, or its time is over and its file was removed. Export again.
        ExportNotFound = (404, "export_not_found", "There is no such export, or it has expired."),
        /// The export is still being written, failed or was cancelled. Its state says which.
        ExportNotReady = (409, "export_not_ready", "The export is not ready."),
        /// The number cannot be read. Write it with `+` and the country code, or as it is dialled
        /// in the account's country.
        PhoneUnreadable = (422, "phone_unreadable", "This is not a telephone number."),
        /// All channels of the line are in use. Try again when a call has ended.
        LineBusy = (409, "line_busy", "All channels of the line are in use."),
        /// The line is gone or switched off.
        LineGone = (409, "line_gone", "The line is gone or switched off."),
        /// A call to this number is up. Wait until it has ended.
        NumberInUse = (409, "number_in_use", "Another call to this number is up."),
        /// The number is on the account's do-not-call list, which binds test calls too.
        DoNotCall = (409, "number_do_not_call", "This number is on the do-not-call list."),
        /// The number had as many calls as the campaign's caps allow. Caps count test calls too.
        CapReached { limit: u32 } =
            (409, "number_cap_reached", "This number had {limit} calls, which is the cap."),
        /// Numbers under +999 belong to the demo carrier and are never called on a real line.
        DemoNumber = (409, "number_demo", "This number belongs to the demo carrier."),
        /// The demo carrier reaches numbers under +999 only. Choose a real line for a real phone.
        RealNumber =
            (409, "number_real", "The demo carrier reaches numbers under +999 only."),
        /// The calendar was deleted, or belongs to another account. Reload the page.
        CalendarNotFound = (404, "calendar_not_found", "There is no such calendar."),
        /// The attempt rule was deleted, or belongs to another account. Reload the page.
        AttemptRuleNotFound = (404, "attempt_rule_not_found", "There is no such attempt rule."),
        /// Another one of the account has this name. Small and capital letters count as the same.
        PresetNameTaken = (409, "preset_name_taken", "This name is taken."),
        /// A campaign that is not over goes by it. Choose another one there first.
        PresetInUse { campaign: String } =
            (409, "preset_in_use", "The campaign “{campaign}” uses it."),
        /// Somebody else saved it after it was read. Read it again and repeat the change.
        PresetChanged { version: i64 } =
            (409, "preset_changed", "Somebody else changed it; it has version {version}."),
        /// Nothing can be called at the moment: the database is away or the server stops.
        NotNow = (503, "dialling_not_possible", "No call can be made at the moment."),
    }
}

impl From<TestEnd> for Problem {
    fn from(end: TestEnd) -> Self {
        match end {
            TestEnd::Now(TestRefused::NoLine) => CampaignProblem::LineGone.into(),
            TestEnd::Now(TestRefused::LineBusy) => CampaignProblem::LineBusy.into(),
            TestEnd::Now(TestRefused::NumberInUse) => CampaignProblem::NumberInUse.into(),
            TestEnd::Now(TestRefused::NotNow) | TestEnd::Store => {
                Self::from(CampaignProblem::NotNow).retry_after(std::time::Duration::from_secs(5))
            }
            TestEnd::Gate(refusal) => match refusal {
                Refusal::DoNotCall => CampaignProblem::DoNotCall.into(),
                Refusal::DemoNumber => CampaignProblem::DemoNumber.into(),
                Refusal::RealNumber => CampaignProblem::RealNumber.into(),
                Refusal::DayCap { limit, .. } | Refusal::WeekCap { limit, .. } => {
                    CampaignProblem::CapReached { limit }.into()
                }
                Refusal::Shut { .. } | Refusal::NotWaiting | Refusal::AttemptsSpent => {
                    CampaignProblem::NotNow.into()
                }
            },
        }
    }
}

/// Turns "no such row" into the problem that says what was not found.
pub(crate) fn or(problem: CampaignProblem) -> impl FnOnce(db::Error) -> Problem {
    move |error| {
        if error == db::Error::NotFound { problem.into() } else { error.into() }
    }
}
