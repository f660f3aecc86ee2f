//! What can be wrong with a request about background work.

use http_kit::Problem;

http_kit::problems! {
    /// Refusals of the system's routes.
    pub enum SystemProblem {
        /// The job is not one of the account, or it ended more than 30 days ago.
        JobNotFound = (404, "job_not_found", "There is no such job."),
        /// Only a job that waits for another attempt can be tried at once, and a failed one where
        /// doing it again goes on from where it stood. Start the work anew on its own page.
        JobNotRetriable = (409, "job_not_retriable", "This job cannot be tried again."),
        /// The job has ended, or it is of a kind that has to come to its end.
        JobNotStoppable = (409, "job_not_stoppable", "This job cannot be stopped."),
        /// The schedule was changed or removed meanwhile. Load the page again.
        ScheduleNotFound = (404, "schedule_not_found", "There is no such schedule."),
    }
}

/// What is not there becomes `problem`.
pub(crate) fn or(problem: SystemProblem) -> impl FnOnce(db::Error) -> Problem {
    move |error| if matches!(error, db::Error::NotFound) { problem.into() } else { error.into() }
}
