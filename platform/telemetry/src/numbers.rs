//! Counters, gauges and histograms, as Prometheus reads them.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Seconds: from a statement on a warm cache to a call that rings out.
const BUCKETS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// How often samples are folded into histograms.
const FOLD: Duration = Duration::from_secs(5);

/// The numbers of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// All numbers in the Prometheus text format, version 0.0.4.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

/// The numbers of this process; the first call begins to count.
pub fn metrics() -> Metrics {
    static HANDLE: OnceLock<Metrics> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            // Setting buckets fails for an empty list only.
            let builder = PrometheusBuilder::new();
            let recorder = builder
                .set_buckets(&BUCKETS_S)
                .unwrap_or_else(|_| PrometheusBuilder::new())
                .build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics is installed: /metrics stays empty");
            }
            keep_up(handle.clone());
            Metrics(handle)
        })
        .clone()
}

/// Histograms gather single samples until someone folds them. Where nobody asks for the numbers,
/// this does, so that they do not fill the memory.
fn keep_up(handle: PrometheusHandle) {
    let fold = move || {
        loop {
            std::thread::sleep(FOLD);
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(fold) {
        tracing::error!(%error, "the numbers are not folded: memory will grow until they are read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered() {
        let numbers = metrics();
        metrics::counter!("bells_total", "kind" => "test").increment(3);
        metrics::histogram!("wait_seconds").record(0.02);
        let text = numbers.render();
        assert!(text.contains("bells_total{kind=\"test\"} 3"), "{text}");
        assert!(text.contains("wait_seconds_bucket{le=\"0.025\"} 1"), "{text}");
    }
}
