-- What was learned from the outcomes of actions.

CREATE TABLE action_assessments (
    id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    trace_id      VARCHAR(255) NOT NULL,
    action_type   VARCHAR(100) NOT NULL,
    context_hash  VARCHAR(64) NOT NULL,
    alert_name    VARCHAR(255) NOT NULL,
    namespace     VARCHAR(255) NOT NULL,
    resource_name VARCHAR(255) NOT NULL,
    executed_at   TIMESTAMPTZ NOT NULL,
    scheduled_for TIMESTAMPTZ NOT NULL DEFAULT now() + interval '5 minutes',
    status        VARCHAR(50) NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    created_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    completed_at  TIMESTAMPTZ
);
CREATE INDEX idx_action_assessments_status_scheduled ON action_assessments (status, scheduled_for)
    WHERE status = 'pending';
CREATE INDEX idx_action_assessments_trace_id ON action_assessments (trace_id);

CREATE TABLE effectiveness_results (
    id                      UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    trace_id                VARCHAR(255) NOT NULL UNIQUE,
    action_type             VARCHAR(100) NOT NULL,
    overall_score           DOUBLE PRECISION NOT NULL CHECK (overall_score BETWEEN 0 AND 1),
    alert_resolved          BOOLEAN NOT NULL,
    metric_delta            JSONB,
    side_effects            INTEGER DEFAULT 0,
    confidence              DOUBLE PRECISION NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    assessed_at             TIMESTAMPTZ NOT NULL DEFAULT now(),
    recommended_adjustments JSONB,
    learning_contribution   DOUBLE PRECISION NOT NULL DEFAULT 0.5 CHECK (learning_contribution BETWEEN 0 AND 1),
    created_at              TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_effectiveness_results_assessed_at ON effectiveness_results (assessed_at);
CREATE INDEX idx_effectiveness_results_score ON effectiveness_results (overall_score);

CREATE TABLE action_confidence_scores (
    id                    UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    action_type           VARCHAR(100) NOT NULL,
    context_hash          VARCHAR(64) NOT NULL,
    base_confidence       DOUBLE PRECISION NOT NULL CHECK (base_confidence BETWEEN 0 AND 1),
    adjusted_confidence   DOUBLE PRECISION NOT NULL CHECK (adjusted_confidence BETWEEN 0 AND 1),
    adjustment_reason     TEXT,
    effectiveness_samples INTEGER DEFAULT 0,
    last_updated          TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_at            TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (action_type, context_hash)
);
CREATE INDEX idx_action_confidence_updated ON action_confidence_scores (last_updated);

CREATE TABLE action_outcomes (
    id                  UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    trace_id            VARCHAR(255) NOT NULL,
    action_type         VARCHAR(100) NOT NULL,
    context_hash        VARCHAR(64) NOT NULL,
    success             BOOLEAN NOT NULL,
    alert_resolved      BOOLEAN NOT NULL,
    side_effects        INTEGER DEFAULT 0,
    effectiveness_score DOUBLE PRECISION NOT NULL CHECK (effectiveness_score BETWEEN 0 AND 1),
    execution_time      BIGINT,
    metrics_before      JSONB,
    metrics_after       JSONB,
    failure_reason      TEXT,
    executed_at         TIMESTAMPTZ NOT NULL,
    assessed_at         TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_at          TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_action_outcomes_executed_at ON action_outcomes (executed_at);
CREATE INDEX idx_action_outcomes_success ON action_outcomes (success);

CREATE TABLE action_alternatives (
    id                      UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    failed_action_type      VARCHAR(100) NOT NULL,
    context_hash            VARCHAR(64) NOT NULL,
    alternative_action_type VARCHAR(100) NOT NULL,
    success_rate            DOUBLE PRECISION NOT NULL DEFAULT 0.5 CHECK (success_rate BETWEEN 0 AND 1),
    sample_size             INTEGER NOT NULL DEFAULT 0,
    last_success_at         TIMESTAMPTZ,
    created_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (failed_action_type, context_hash, alternative_action_type)
);
CREATE INDEX idx_action_alternatives_success_rate ON action_alternatives (success_rate DESC);

CREATE VIEW effectiveness_trends AS
SELECT action_type,
       date_trunc('day', assessed_at)                   AS assessment_date,
       count(*)                                         AS total_assessments,
       avg(overall_score)                               AS avg_effectiveness,
       avg(confidence)                                  AS avg_confidence,
       count(*) FILTER (WHERE alert_resolved)           AS alerts_resolved,
       avg(alert_resolved::integer)::double precision   AS resolution_rate
FROM effectiveness_results
GROUP BY action_type, date_trunc('day', assessed_at);

CREATE VIEW low_confidence_actions AS
SELECT score.action_type, score.context_hash, score.adjusted_confidence, score.adjustment_reason,
       score.effectiveness_samples, score.last_updated,
       coalesce(recent.success_rate, 0) AS recent_success_rate,
       recent.samples                   AS recent_samples
FROM action_confidence_scores score
CROSS JOIN LATERAL (
    SELECT avg(outcome.success::integer) AS success_rate, count(*) AS samples
    FROM action_outcomes outcome
    WHERE outcome.action_type = score.action_type
      AND outcome.context_hash = score.context_hash
      AND outcome.executed_at > now() - interval '7 days'
) recent
WHERE score.adjusted_confidence < 0.5;

-- An action that is completed is to be assessed five minutes later.
CREATE FUNCTION create_assessment_for_action_trace() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO action_assessments
        (trace_id, action_type, context_hash, alert_name, namespace, resource_name, executed_at)
    SELECT NEW.action_id, NEW.action_type,
           encode(sha256(convert_to(concat_ws(':', NEW.action_type, resource.namespace, NEW.alert_name), 'UTF8')), 'hex'),
           NEW.alert_name, coalesce(resource.namespace, ''), resource.name, NEW.action_timestamp
    FROM action_histories history
    JOIN resource_references resource ON resource.id = history.resource_id
    WHERE history.id = NEW.action_history_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER trigger_create_assessment_for_action_trace
    AFTER UPDATE ON resource_action_traces
    FOR EACH ROW
    WHEN (NEW.execution_status = 'completed' AND OLD.execution_status IS DISTINCT FROM 'completed')
    EXECUTE FUNCTION create_assessment_for_action_trace();

INSERT INTO action_confidence_scores
    (action_type, context_hash, base_confidence, adjusted_confidence, adjustment_reason)
VALUES
    ('restart_pod', 'default', 0.7, 0.7, 'where nothing is known yet'),
    ('scale_deployment', 'default', 0.75, 0.75, 'where nothing is known yet'),
    ('delete_pod', 'default', 0.6, 0.6, 'where nothing is known yet'),
    ('rollback_deployment', 'default', 0.8, 0.8, 'where nothing is known yet');

CREATE INDEX CONCURRENTLY idx_action_outcomes_learning_query
    ON action_outcomes (action_type, context_hash, executed_at DESC);
CREATE INDEX CONCURRENTLY idx_effectiveness_results_learning_query
    ON effectiveness_results (action_type, assessed_at DESC);

COMMIT;
