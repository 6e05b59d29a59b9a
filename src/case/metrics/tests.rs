//! What can be asked of metrics, and what is said of those that are not there.

use super::*;

fn metrics() -> Metrics {
    let text = "# TYPE orders_total counter\n\
        orders_total{kind=\"tea\",paid=\"yes\"} 3\n\
        orders_total{kind=\"tea\",paid=\"no\"} 1\n\
        orders_total{kind=\"coffee\",paid=\"yes\"} 5\n\
        # TYPE latency_seconds histogram\n\
        latency_seconds_bucket{le=\"1.0\"} 7\n\
        latency_seconds_bucket{le=\"+Inf\"} 9\n\
        latency_seconds_count 9\n\
        latency_seconds_sum 4.5\n\
        # TYPE refunds counter\n\
        # TYPE up gauge\n\
        up 1\n";
    Metrics(exposition::parse(text).unwrap())
}

#[track_caller]
fn is(found: Result<f64, MetricsError>, expected: f64) {
    assert!((found.unwrap() - expected).abs() < f64::EPSILON);
}

fn words(found: Result<f64, MetricsError>) -> String {
    found.unwrap_err().to_string()
}

#[test]
fn a_value_is_found_by_its_name_and_as_many_labels_as_make_it_the_only_one() {
    is(metrics().value("up", &[]), 1.0);
    is(metrics().value("orders_total", &[("kind", "coffee")]), 5.0);
    is(metrics().value("orders_total", &[("paid", "no"), ("kind", "tea")]), 1.0);
}

#[test]
fn the_parts_of_a_histogram_are_found_by_their_endings() {
    is(metrics().value("latency_seconds_count", &[]), 9.0);
    is(metrics().value("latency_seconds_sum", &[]), 4.5);
    is(metrics().value("latency_seconds_bucket", &[("le", "+Inf")]), 9.0);
    is(metrics().value("latency_seconds_bucket", &[("le", "1")]), 7.0);
}

#[test]
fn a_sum_is_that_of_all_that_have_the_labels_and_nothing_where_none_has() {
    is(metrics().sum("orders_total", &[("kind", "tea")]), 4.0);
    is(metrics().sum("orders_total", &[]), 9.0);
    is(metrics().sum("orders_total", &[("kind", "milk")]), 0.0);
    is(metrics().sum("refunds_total", &[]), 0.0);
}

#[test]
fn a_metric_that_is_missing_is_told_with_those_that_are_near() {
    assert_eq!(
        words(metrics().sum("order_total", &[])),
        "there is no metric `order_total`; near to it are `orders_total`"
    );
    let words = words(metrics().value("zzz", &[]));
    assert!(words.starts_with("there is no metric `zzz`; there are `latency_seconds`,"), "{words}");
}

#[test]
fn several_samples_are_listed_and_so_are_those_without_the_labels() {
    assert_eq!(
        words(metrics().value("orders_total", &[("kind", "tea")])),
        "several samples of `orders_total` have {kind=\"tea\"}; name more labels, or take their `sum`:\n    \
         orders_total{kind=\"tea\",paid=\"yes\"} 3\n    orders_total{kind=\"tea\",paid=\"no\"} 1"
    );
    let words = words(metrics().value("up", &[("kind", "milk")]));
    assert_eq!(words, "no sample of `up` has {kind=\"milk\"}; it has:\n    up 1");
}

#[test]
fn a_counter_that_has_counted_nothing_has_no_value_yet() {
    let words = words(metrics().value("refunds_total", &[]));
    assert_eq!(
        words,
        "`refunds_total` has no sample yet; its `sum` is 0 then, or let the case cause one first"
    );
}
