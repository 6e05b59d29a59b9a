-- Questions about the actions on one resource, asked by namespace, kind and name.

CREATE FUNCTION get_resource_id(p_namespace varchar, p_kind varchar, p_name varchar) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found_id integer;
BEGIN
    SELECT id INTO found_id FROM resource_references
    WHERE namespace = p_namespace AND kind = p_kind AND name = p_name;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'no resource % % in namespace %', p_kind, p_name, p_namespace;
    END IF;
    RETURN found_id;
END
$$;

-- The actions of the last minutes, newest first; all of them without a window.
CREATE FUNCTION get_resource_actions_base(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT NULL)
RETURNS TABLE (
    trace_id bigint, action_timestamp timestamptz, action_type varchar, action_parameters jsonb,
    effectiveness_score numeric, model_confidence numeric, execution_status varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT trace.id, trace.action_timestamp, trace.action_type, trace.action_parameters,
           trace.effectiveness_score, trace.model_confidence, trace.execution_status
    FROM resource_action_traces trace
    JOIN action_histories history ON history.id = trace.action_history_id
    JOIN resource_references resource ON resource.id = history.resource_id
    WHERE resource.namespace = p_namespace AND resource.kind = p_kind AND resource.name = p_name
      AND (p_window_minutes IS NULL
           OR trace.action_timestamp > now() - make_interval(mins => p_window_minutes))
    ORDER BY trace.action_timestamp DESC;
END
$$;

-- A workload that is scaled up and down in turn.
CREATE FUNCTION detect_scale_oscillation(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    direction_changes integer, first_change timestamptz, last_change timestamptz,
    avg_effectiveness numeric, duration_minutes numeric, severity varchar, action_sequence jsonb)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH scalings AS (
        SELECT action_timestamp AS at, (action_parameters ->> 'replicas')::integer AS replicas,
               coalesce(effectiveness_score, 0) AS score
        FROM get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes)
        WHERE action_type = 'scale_deployment' AND action_parameters ? 'replicas'
    ), steps AS (
        SELECT *, sign(replicas - lag(replicas) OVER (ORDER BY at)) AS direction FROM scalings
    ), moves AS (
        SELECT *, direction <> lag(direction) OVER (ORDER BY at) AS turned FROM steps WHERE direction <> 0
    ), summary AS (
        SELECT count(*) FILTER (WHERE turned)::integer AS turns, min(at) AS since, max(at) AS until,
               avg(score) AS score, extract(epoch FROM max(at) - min(at)) / 60 AS minutes,
               jsonb_agg(jsonb_build_object('timestamp', at, 'replica_count', replicas,
                                            'direction', CASE WHEN direction > 0 THEN 'up' ELSE 'down' END,
                                            'effectiveness', score) ORDER BY at) AS sequence
        FROM moves
    )
    SELECT turns, since, until, round(score, 3), round(minutes, 2),
           (CASE WHEN turns >= 4 AND minutes <= 60 AND score < 0.5 THEN 'critical'
                 WHEN turns >= 3 AND minutes <= 120 AND score < 0.7 THEN 'high'
                 WHEN minutes <= 180 THEN 'medium'
                 ELSE 'low' END)::varchar,
           sequence
    FROM summary WHERE turns >= 2;
END
$$;

-- Resources and replicas that are changed in turn, instead of one of them well.
CREATE FUNCTION detect_resource_thrashing(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    thrashing_transitions integer, total_actions integer, first_action timestamptz, last_action timestamptz,
    avg_effectiveness numeric, avg_time_gap_minutes numeric, severity varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH actions AS (
        SELECT action_timestamp AS at, coalesce(effectiveness_score, 0) AS score,
               action_type <> lag(action_type) OVER by_time AS changed,
               extract(epoch FROM action_timestamp - lag(action_timestamp) OVER by_time) / 60 AS gap
        FROM get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes)
        WHERE action_type IN ('increase_resources', 'scale_deployment')
        WINDOW by_time AS (ORDER BY action_timestamp)
    ), summary AS (
        SELECT count(*) FILTER (WHERE changed)::integer AS changes, count(*)::integer AS total,
               min(at) AS since, max(at) AS until, avg(score) AS score, avg(gap) AS gap
        FROM actions WHERE gap < 45
    )
    SELECT changes, total, since, until, round(score, 3), round(gap, 2),
           (CASE WHEN changes >= 3 AND score < 0.6 THEN 'critical'
                 WHEN changes >= 2 AND score < 0.7 THEN 'high'
                 WHEN gap < 15 THEN 'medium'
                 ELSE 'low' END)::varchar
    FROM summary WHERE changes >= 1;
END
$$;

-- Actions that are repeated although they do not help.
CREATE FUNCTION detect_ineffective_loops(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    action_type varchar, repetition_count integer, avg_effectiveness numeric, effectiveness_stddev numeric,
    first_occurrence timestamptz, last_occurrence timestamptz, span_minutes numeric, severity varchar,
    effectiveness_trend numeric, effectiveness_scores numeric[], timestamps timestamptz[])
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH actions AS (
        SELECT action_type AS kind, action_timestamp AS at, coalesce(effectiveness_score, 0) AS score
        FROM get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes)
    ), loops AS (
        SELECT kind, count(*)::integer AS times, avg(score) AS mean, coalesce(stddev(score), 0) AS spread,
               min(at) AS since, max(at) AS until, extract(epoch FROM max(at) - min(at)) / 60 AS minutes,
               array_agg(score ORDER BY at) AS scores, array_agg(at ORDER BY at) AS moments
        FROM actions GROUP BY kind HAVING count(*) >= 2
    ), judged AS (
        SELECT *, CASE WHEN times >= 5 AND mean < 0.3 THEN 'critical'
                       WHEN times >= 4 AND mean < 0.5 THEN 'high'
                       WHEN times >= 3 AND mean < 0.6 THEN 'medium'
                       WHEN mean < 0.4 THEN 'low' END AS level
        FROM loops
    )
    SELECT kind, times, round(mean, 3), round(spread, 3), since, until, round(minutes, 2), level::varchar,
           round((scores[times] - scores[1]) / greatest(scores[1], 0.1), 3), scores, moments
    FROM judged WHERE level IS NOT NULL
    ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], level), mean;
END
$$;

-- Actions after which other alerts fire, or the same one again.
CREATE FUNCTION detect_cascading_failures(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    action_type varchar, total_actions integer, avg_new_alerts numeric, recurrence_rate numeric,
    avg_effectiveness numeric, actions_causing_cascades integer, max_alerts_triggered integer, severity varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH actions AS (
        SELECT trace.action_type AS kind, trace.action_timestamp AS at, trace.alert_name AS alert,
               coalesce(trace.effectiveness_score, 0) AS score
        FROM resource_action_traces trace
        JOIN get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes) base
          ON base.trace_id = trace.id AND base.action_timestamp = trace.action_timestamp
    ), effects AS (
        SELECT kind, score,
               (SELECT count(DISTINCT alert) FROM actions later
                WHERE later.alert <> action.alert
                  AND later.at BETWEEN action.at AND action.at + interval '30 minutes')::integer AS fired,
               EXISTS (SELECT FROM actions later
                       WHERE later.alert = action.alert AND later.at > action.at) AS recurred
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

CREATE FUNCTION get_action_traces(
    p_namespace varchar, p_kind varchar, p_name varchar,
    p_action_type varchar DEFAULT NULL, p_model_used varchar DEFAULT NULL,
    p_time_start timestamptz DEFAULT NULL, p_time_end timestamptz DEFAULT NULL,
    p_limit integer DEFAULT 50, p_offset integer DEFAULT 0)
RETURNS TABLE (
    action_id varchar, action_timestamp timestamptz, action_type varchar, model_used varchar,
    model_confidence numeric, execution_status varchar, effectiveness_score numeric, model_reasoning text,
    action_parameters jsonb, alert_name varchar, alert_severity varchar)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT trace.action_id, trace.action_timestamp, trace.action_type, trace.model_used,
           trace.model_confidence, trace.execution_status, trace.effectiveness_score, trace.model_reasoning,
           trace.action_parameters, trace.alert_name, trace.alert_severity
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

CREATE FUNCTION get_action_effectiveness(
    p_namespace varchar, p_kind varchar, p_name varchar, p_action_type varchar DEFAULT NULL,
    p_time_start timestamptz DEFAULT now() - interval '7 days', p_time_end timestamptz DEFAULT now())
RETURNS TABLE (
    action_type varchar, sample_size integer, avg_effectiveness numeric, stddev_effectiveness numeric,
    min_effectiveness numeric, max_effectiveness numeric, success_rate numeric)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT action_type, count(*)::integer, round(avg(effectiveness_score), 3),
           round(stddev(effectiveness_score), 3), min(effectiveness_score), max(effectiveness_score),
           round(avg((execution_status = 'completed')::integer), 3)
    FROM get_resource_actions_base(p_namespace, p_kind, p_name)
    WHERE effectiveness_score IS NOT NULL
      AND action_timestamp BETWEEN p_time_start AND p_time_end
      AND (p_action_type IS NULL OR action_type = p_action_type)
    GROUP BY action_type
    ORDER BY avg(effectiveness_score) DESC;
END
$$;

CREATE FUNCTION analyze_action_oscillation(
    p_namespace varchar, p_kind varchar, p_name varchar, p_window_minutes integer DEFAULT 120)
RETURNS TABLE (
    action_timestamp timestamptz, action_type varchar, effectiveness_score numeric, prev_timestamp timestamptz,
    prev_action_type varchar, time_gap_minutes numeric, action_sequence_position integer)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT action_timestamp, action_type, effectiveness_score,
           lag(action_timestamp) OVER by_time, lag(action_type) OVER by_time,
           round(coalesce(extract(epoch FROM action_timestamp - lag(action_timestamp) OVER by_time) / 60, 0), 2),
           (row_number() OVER by_time)::integer
    FROM get_resource_actions_base(p_namespace, p_kind, p_name, p_window_minutes)
    WINDOW by_time AS (ORDER BY action_timestamp)
    ORDER BY action_timestamp;
END
$$;

-- Notes a detection, and the resource if it is new.
CREATE FUNCTION store_oscillation_detection(
    p_pattern_id integer, p_namespace varchar, p_kind varchar, p_name varchar, p_confidence numeric,
    p_action_count integer, p_time_span_minutes integer, p_pattern_evidence jsonb,
    p_prevention_action varchar DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    resource  bigint;
    detection integer;
BEGIN
    INSERT INTO resource_references (resource_uid, api_version, kind, name, namespace)
    VALUES (gen_random_uuid()::text, 'apps/v1', p_kind, p_name, p_namespace)
    ON CONFLICT (namespace, kind, name) DO UPDATE SET last_seen = now()
    RETURNING id INTO resource;

    INSERT INTO oscillation_detections
        (pattern_id, resource_id, confidence, action_count, time_span_minutes, pattern_evidence,
         prevention_applied, prevention_action)
    VALUES
        (p_pattern_id, resource, p_confidence, p_action_count, p_time_span_minutes, p_pattern_evidence,
         p_prevention_action IS NOT NULL, p_prevention_action)
    RETURNING id INTO detection;
    RETURN detection;
END
$$;

CREATE INDEX idx_rat_resource_action_time
    ON resource_action_traces (action_history_id, action_type, action_timestamp DESC);
