-- The history of actions: what was done to which resource, how well it worked,
-- and which actions undo each other again and again.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

-- Whoever applies this file, the services' role may use all that it and later files make.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'slm_user') THEN
        GRANT USAGE ON SCHEMA public TO slm_user;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO slm_user;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO slm_user;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO slm_user;
    END IF;
END
$$;

CREATE TABLE resource_references (
    id           BIGSERIAL PRIMARY KEY,
    resource_uid VARCHAR(36) NOT NULL UNIQUE,
    api_version  VARCHAR(100) NOT NULL,
    kind         VARCHAR(100) NOT NULL,
    name         VARCHAR(253) NOT NULL,
    namespace    VARCHAR(63),
    created_at   TIMESTAMPTZ DEFAULT now(),
    deleted_at   TIMESTAMPTZ,
    last_seen    TIMESTAMPTZ DEFAULT now(),
    UNIQUE (namespace, kind, name)
);
CREATE INDEX idx_resource_kind ON resource_references (kind);
CREATE INDEX idx_resource_last_seen ON resource_references (last_seen);

CREATE TABLE action_histories (
    id                         BIGSERIAL PRIMARY KEY,
    resource_id                BIGINT NOT NULL UNIQUE REFERENCES resource_references (id) ON DELETE CASCADE,
    max_actions                INTEGER DEFAULT 1000,
    max_age_days               INTEGER DEFAULT 30,
    compaction_strategy        VARCHAR(20) DEFAULT 'pattern-aware',
    oscillation_window_minutes INTEGER DEFAULT 120,
    effectiveness_threshold    NUMERIC(3, 2) DEFAULT 0.70,
    pattern_min_occurrences    INTEGER DEFAULT 3,
    total_actions              INTEGER DEFAULT 0,
    last_action_at             TIMESTAMPTZ,
    last_analysis_at           TIMESTAMPTZ,
    next_analysis_at           TIMESTAMPTZ,
    created_at                 TIMESTAMPTZ DEFAULT now(),
    updated_at                 TIMESTAMPTZ DEFAULT now()
);
CREATE INDEX idx_ah_last_action ON action_histories (last_action_at);
CREATE INDEX idx_ah_next_analysis ON action_histories (next_analysis_at);

CREATE TABLE resource_action_traces (
    id                              BIGSERIAL,
    action_history_id               BIGINT NOT NULL REFERENCES action_histories (id) ON DELETE CASCADE,
    action_id                       VARCHAR(64) NOT NULL,
    correlation_id                  VARCHAR(64),
    action_timestamp                TIMESTAMPTZ NOT NULL,
    execution_start_time            TIMESTAMPTZ,
    execution_end_time              TIMESTAMPTZ,
    execution_duration_ms           INTEGER,
    alert_name                      VARCHAR(200) NOT NULL,
    alert_severity                  VARCHAR(20) NOT NULL,
    alert_labels                    JSONB,
    alert_annotations               JSONB,
    alert_firing_time               TIMESTAMPTZ,
    model_used                      VARCHAR(100) NOT NULL,
    routing_tier                    VARCHAR(20),
    model_confidence                NUMERIC(4, 3) NOT NULL,
    model_reasoning                 TEXT,
    alternative_actions             JSONB,
    action_type                     VARCHAR(50) NOT NULL,
    action_parameters               JSONB,
    resource_state_before           JSONB,
    resource_state_after            JSONB,
    execution_status                VARCHAR(20) DEFAULT 'pending',
    execution_error                 TEXT,
    kubernetes_operations           JSONB,
    effectiveness_score             NUMERIC(4, 3),
    effectiveness_criteria          JSONB,
    effectiveness_assessed_at       TIMESTAMPTZ,
    effectiveness_assessment_method VARCHAR(20),
    effectiveness_notes             TEXT,
    follow_up_actions               JSONB,
    created_at                      TIMESTAMPTZ DEFAULT now(),
    updated_at                      TIMESTAMPTZ DEFAULT now(),
    PRIMARY KEY (id, action_timestamp)
) PARTITION BY RANGE (action_timestamp);

CREATE INDEX idx_rat_action_history ON resource_action_traces (action_history_id, action_timestamp);
CREATE INDEX idx_rat_action_type ON resource_action_traces (action_type, action_timestamp);
CREATE INDEX idx_rat_model_used ON resource_action_traces (model_used, action_timestamp);
CREATE INDEX idx_rat_alert_name ON resource_action_traces (alert_name, action_timestamp);
CREATE INDEX idx_rat_execution_status ON resource_action_traces (execution_status)
    WHERE execution_status IN ('pending', 'executing');
CREATE INDEX idx_rat_effectiveness_score ON resource_action_traces (effectiveness_score)
    WHERE effectiveness_score IS NOT NULL;
CREATE INDEX idx_rat_correlation_id ON resource_action_traces (correlation_id)
    WHERE correlation_id IS NOT NULL;
CREATE INDEX idx_rat_alert_labels_gin ON resource_action_traces USING gin (alert_labels);
CREATE INDEX idx_rat_action_parameters_gin ON resource_action_traces USING gin (action_parameters);
CREATE INDEX idx_rat_resource_state_gin ON resource_action_traces USING gin (resource_state_before);

CREATE TABLE oscillation_patterns (
    id                      BIGSERIAL PRIMARY KEY,
    pattern_type            VARCHAR(50) NOT NULL,
    pattern_name            VARCHAR(200) NOT NULL,
    description             TEXT,
    min_occurrences         INTEGER NOT NULL DEFAULT 3,
    time_window_minutes     INTEGER NOT NULL DEFAULT 120,
    action_sequence         JSONB,
    threshold_config        JSONB,
    resource_types          TEXT[],
    namespaces              TEXT[],
    label_selectors         JSONB,
    prevention_strategy     VARCHAR(50) NOT NULL,
    prevention_parameters   JSONB,
    alerting_enabled        BOOLEAN DEFAULT true,
    alert_severity          VARCHAR(20) DEFAULT 'warning',
    alert_channels          TEXT[],
    total_detections        INTEGER DEFAULT 0,
    prevention_success_rate NUMERIC(4, 3),
    false_positive_rate     NUMERIC(4, 3),
    last_detection_at       TIMESTAMPTZ,
    active                  BOOLEAN DEFAULT true,
    created_at              TIMESTAMPTZ DEFAULT now(),
    updated_at              TIMESTAMPTZ DEFAULT now()
);
CREATE INDEX idx_op_pattern_type ON oscillation_patterns (pattern_type);
CREATE INDEX idx_op_active_patterns ON oscillation_patterns (active);
CREATE INDEX idx_op_last_detection ON oscillation_patterns (last_detection_at);

CREATE TABLE oscillation_detections (
    id                    BIGSERIAL PRIMARY KEY,
    pattern_id            BIGINT NOT NULL REFERENCES oscillation_patterns (id) ON DELETE CASCADE,
    resource_id           BIGINT NOT NULL REFERENCES resource_references (id) ON DELETE CASCADE,
    detected_at           TIMESTAMPTZ NOT NULL DEFAULT now(),
    confidence            NUMERIC(4, 3) NOT NULL,
    action_count          INTEGER NOT NULL,
    time_span_minutes     INTEGER NOT NULL,
    matching_actions      BIGINT[],
    pattern_evidence      JSONB,
    prevention_applied    BOOLEAN DEFAULT false,
    prevention_action     VARCHAR(50),
    prevention_details    JSONB,
    prevention_successful BOOLEAN,
    resolved              BOOLEAN DEFAULT false,
    resolved_at           TIMESTAMPTZ,
    resolution_method     VARCHAR(50),
    resolution_notes      TEXT,
    created_at            TIMESTAMPTZ DEFAULT now()
);
CREATE INDEX idx_od_pattern_resource ON oscillation_detections (pattern_id, resource_id);
CREATE INDEX idx_od_detected_at ON oscillation_detections (detected_at);
CREATE INDEX idx_od_unresolved ON oscillation_detections (resolved) WHERE NOT resolved;

CREATE TABLE action_effectiveness_metrics (
    id                        BIGSERIAL PRIMARY KEY,
    scope_type                VARCHAR(50) NOT NULL,
    scope_value               VARCHAR(200),
    metric_period             VARCHAR(20) NOT NULL,
    period_start              TIMESTAMPTZ NOT NULL,
    period_end                TIMESTAMPTZ NOT NULL,
    action_type               VARCHAR(50) NOT NULL,
    sample_size               INTEGER NOT NULL,
    average_score             NUMERIC(4, 3) NOT NULL,
    median_score              NUMERIC(4, 3),
    std_deviation             NUMERIC(4, 3),
    confidence_interval_lower NUMERIC(4, 3),
    confidence_interval_upper NUMERIC(4, 3),
    trend_direction           VARCHAR(20),
    trend_confidence          NUMERIC(4, 3),
    min_sample_size_met       BOOLEAN,
    statistical_significance  NUMERIC(4, 3),
    created_at                TIMESTAMPTZ DEFAULT now(),
    UNIQUE (scope_type, scope_value, metric_period, period_start, action_type)
);
CREATE INDEX idx_aem_period_range ON action_effectiveness_metrics (period_start, period_end);
CREATE INDEX idx_aem_action_effectiveness ON action_effectiveness_metrics (action_type, average_score);

CREATE TABLE retention_operations (
    id                    BIGSERIAL PRIMARY KEY,
    action_history_id     BIGINT NOT NULL REFERENCES action_histories (id) ON DELETE CASCADE,
    operation_type        VARCHAR(30) NOT NULL,
    strategy_used         VARCHAR(30) NOT NULL,
    records_before        INTEGER NOT NULL,
    records_after         INTEGER NOT NULL,
    records_deleted       INTEGER NOT NULL,
    records_archived      INTEGER,
    retention_criteria    JSONB,
    preserved_criteria    JSONB,
    operation_start       TIMESTAMPTZ NOT NULL,
    operation_end         TIMESTAMPTZ,
    operation_duration_ms INTEGER,
    operation_status      VARCHAR(20) DEFAULT 'running',
    error_message         TEXT,
    created_at            TIMESTAMPTZ DEFAULT now()
);
CREATE INDEX idx_ro_action_history_ops ON retention_operations (action_history_id);
CREATE INDEX idx_ro_operation_time ON retention_operations (operation_start);

INSERT INTO oscillation_patterns
    (pattern_type, pattern_name, description, min_occurrences, time_window_minutes,
     threshold_config, prevention_strategy, prevention_parameters)
VALUES
    ('scale-oscillation', 'Scale oscillation', 'A workload is scaled up and down in turn',
     3, 120, '{"min_direction_changes": 2, "effectiveness_threshold": 0.5}',
     'cooling-period', '{"cooling_period_minutes": 30}'),
    ('resource-thrashing', 'Resource thrashing', 'Resources and replicas are changed in turn',
     2, 90, '{"effectiveness_threshold": 0.6}',
     'alternative-action', '{"suggest_alternatives": true}'),
    ('ineffective-loop', 'Ineffective loop', 'An action is repeated although it does not help',
     4, 180, '{"effectiveness_threshold": 0.3, "min_repetitions": 3}',
     'escalate-human', '{"require_approval": true}'),
    ('cascading-failure', 'Cascading failure', 'An action raises more alerts than it resolves',
     2, 60, '{"new_alerts_threshold": 1.5}',
     'block-action', '{"block_duration_minutes": 60}');

CREATE FUNCTION create_monthly_partitions() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', CURRENT_DATE + interval '1 month');
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF resource_action_traces FOR VALUES FROM (%L) TO (%L)',
        'resource_action_traces_' || to_char(month, 'YYYY_MM'), month, (month + interval '1 month')::date);
END
$$;

CREATE FUNCTION update_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER update_action_histories_updated_at
    BEFORE UPDATE ON action_histories
    FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER update_resource_action_traces_updated_at
    BEFORE UPDATE ON resource_action_traces
    FOR EACH ROW EXECUTE FUNCTION update_updated_at();
CREATE TRIGGER update_oscillation_patterns_updated_at
    BEFORE UPDATE ON oscillation_patterns
    FOR EACH ROW EXECUTE FUNCTION update_updated_at();

CREATE VIEW action_history_summary AS
SELECT resource.namespace,
       resource.kind,
       resource.name,
       history.total_actions,
       history.last_action_at,
       count(trace.id)                   AS recent_actions_24h,
       avg(trace.effectiveness_score)    AS avg_effectiveness_24h,
       count(DISTINCT trace.action_type) AS action_types_used
FROM resource_references resource
JOIN action_histories history ON history.resource_id = resource.id
LEFT JOIN resource_action_traces trace
       ON trace.action_history_id = history.id
      AND trace.action_timestamp > now() - interval '24 hours'
GROUP BY resource.id, history.id;

CREATE VIEW oscillation_detection_summary AS
SELECT pattern.pattern_type,
       count(*)                                            AS total_detections,
       count(*) FILTER (WHERE detection.prevention_applied)    AS preventions_applied,
       count(*) FILTER (WHERE detection.prevention_successful) AS successful_preventions,
       avg(detection.confidence)                           AS avg_confidence
FROM oscillation_detections detection
JOIN oscillation_patterns pattern ON pattern.id = detection.pattern_id
WHERE detection.detected_at > now() - interval '7 days'
GROUP BY pattern.pattern_type;
