//! A feature's problem as the reason of a job.

use http_kit::Problem;
use jobs::Why;

/// The reason that is told in the words of the problem.
pub fn why(problem: &Problem) -> Why {
    Why::coded(problem.code(), problem.params().clone(), problem.to_string())
}
