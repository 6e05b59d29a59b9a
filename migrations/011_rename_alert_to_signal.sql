-- An alert is one kind of signal; the columns speak of signals from here on.

ALTER TABLE resource_action_traces RENAME COLUMN alert_name TO signal_name;
ALTER TABLE resource_action_traces RENAME COLUMN alert_severity TO signal_severity;
ALTER TABLE resource_action_traces RENAME COLUMN alert_labels TO signal_labels;
ALTER TABLE resource_action_traces RENAME COLUMN alert_annotations TO signal_annotations;
ALTER TABLE resource_action_traces RENAME COLUMN alert_firing_time TO signal_firing_time;
ALTER INDEX idx_rat_alert_name RENAME TO idx_rat_signal_name;
ALTER INDEX idx_rat_alert_labels_gin RENAME TO idx_rat_signal_labels_gin;

ALTER TABLE action_assessments RENAME COLUMN alert_name TO signal_name;
ALTER TABLE effectiveness_results RENAME COLUMN alert_resolved TO signal_resolved;
ALTER TABLE action_outcomes RENAME COLUMN alert_resolved TO signal_resolved;

CREATE VIEW incident_summary_view AS
SELECT signal_severity AS severity, count(*) AS incident_count
FROM resource_action_traces
GROUP BY signal_severity
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low']::varchar[], signal_severity);

-- The body of a function is text, so a renamed column must be renamed in it too.

CREATE OR REPLACE FUNCTION create_assessment_for_action_trace() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO action_assessments
        (trace_id, action_type, context_hash, signal_name, namespace, resource_name, executed_at)
    SELECT NEW.action_id, NEW.action_type,
           encode(sha256(convert_to(concat_ws(':', NEW.action_type, resource.namespace, NEW.signal_name), 'UTF8')), 'hex'),
           NEW.signal_name, coalesce(resource.namespace, ''), resource.name, NEW.action_timestamp
    FROM action_histories history
    JOIN resource_references resource ON resource.id = history.resource_id
    WHERE history.id = NEW.action_history_id;
    RETURN NEW;
END
$$;

DROP FUNCTION detect_cascading_failures(varchar, varchar, varchar, integer);
CREATE FUNCTION detect_cascading_failures(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    action_type varchar, total_actions integer, avg_new_signals numeric, recurrence_rate numeric,
    avg_effectiveness numeric, actions_causing_cascades integer, max_signals_triggered integer, severity varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH actions AS (
        SELECT trace.action_type AS kind, trace.action_timestamp AS at, trace.signal_name AS signal,
               coalesce(trace.effectiveness_score, 0) AS score
        FROM resource_action_traces trace
        JOIN get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes) base
          ON base.trace_id = trace.id AND base.action_timestamp = trace.action_timestamp
    ), effects AS (
        SELECT kind, score,
               (SELECT count(DISTINCT signal) FROM actions later
                WHERE later.signal <> action.signal
                  AND later.at BETWEEN action.at AND action.at + interval '30 minutes')::integer AS fired,
               EXISTS (SELECT FROM actions later
                       WHERE later.signal = action.signal AND later.at > action.at) AS recurred
        FROM actions action
    ), summary AS (
        SELECT kind, count(*)::integer AS total, avg(fired) AS fired, avg(recurred::integer) AS recurrence,
               avg(score) AS score, count(*) FILTER (WHERE fired > 0)::integer AS cascades, max(fired) AS most
        FROM effects GROUP BY kind
    )
    SELECT kind, total, round(fired, 2), round(recurrence, 3), round(score, 3), cascades, most,
           (CASE WHEN fired > 2.0 AND recurrence > 0.5 THEN 'critical'
                 WHEN fired > 1.5 OR recurrence > 0.7 THEN 'high'
                 WHEN fired > 1.0 OR recurrence > 0.4 THEN 'medium'
                 ELSE 'low' END)::varchar
    FROM summary WHERE cascades > 0
    ORDER BY fired DESC, recurrence DESC;
END
$$;

DROP FUNCTION get_action_traces(
    varchar, varchar, varchar, varchar, varchar, timestamptz, timestamptz, integer, integer);
CREATE FUNCTION get_action_traces(
    p_namespace varchar, p_kind varchar, p_name varchar,
    p_action_type varchar DEFAULT NULL, p_model_used varchar DEFAULT NULL,
    p_time_start timestamptz DEFAULT NULL, p_time_end timestamptz DEFAULT NULL,
    p_limit integer DEFAULT 50, p_offset integer DEFAULT 0)
RETURNS TABLE (
    action_id varchar, action_timestamp timestamptz, action_type varchar, model_used varchar,
    model_confidence numeric, execution_status varchar, effectiveness_score numeric, model_reasoning text,
    action_parameters jsonb, signal_name varchar, signal_severity varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT trace.action_id, trace.action_timestamp, trace.action_type, trace.model_used,
           trace.model_confidence, trace.execution_status, trace.effectiveness_score, trace.model_reasoning,
           trace.action_parameters, trace.signal_name, trace.signal_severity
    FROM resource_action_traces trace
    JOIN action_histories history ON history.id = trace.action_history_id
    JOIN resource_references resource ON resource.id = history.resource_id
    WHERE resource.namespace = p_namespace AND resource.kind = p_kind AND resource.name = p_name
      AND (p_action_type IS NULL OR trace.action_type = p_action_type)
      AND (p_model_used IS NULL OR trace.model_used = p_model_used)
      AND (p_time_start IS NULL OR trace.action_timestamp >= p_time_start)
      AND (p_time_end IS NULL OR trace.action_timestamp <= p_time_end)
    ORDER BY trace.action_timestamp DESC
    LIMIT p_limit OFFSET p_offset;
END
$$;
