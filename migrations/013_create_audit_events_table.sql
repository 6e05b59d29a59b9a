-- +goose Up
-- What the services did, one row an event, a partition a month.
CREATE TABLE audit_events (
    event_id          UUID NOT NULL DEFAULT gen_random_uuid(),
    event_version     VARCHAR(10) NOT NULL DEFAULT '1.0',
    event_timestamp   TIMESTAMPTZ NOT NULL DEFAULT now(),
    event_date        DATE NOT NULL,
    event_type        VARCHAR(100) NOT NULL,
    event_category    VARCHAR(50) NOT NULL,
    event_action      VARCHAR(50) NOT NULL,
    event_outcome     VARCHAR(20) NOT NULL,
    actor_type        VARCHAR(50) NOT NULL,
    actor_id          VARCHAR(255) NOT NULL,
    actor_ip          INET,
    resource_type     VARCHAR(100) NOT NULL,
    resource_id       VARCHAR(255) NOT NULL,
    resource_name     VARCHAR(255),
    correlation_id    VARCHAR(255) NOT NULL,
    parent_event_id   UUID,
    parent_event_date DATE,
    trace_id          VARCHAR(255),
    span_id           VARCHAR(255),
    namespace         VARCHAR(253),
    cluster_name      VARCHAR(255),
    event_data        JSONB NOT NULL,
    event_metadata    JSONB,
    severity          VARCHAR(20),
    duration_ms       INTEGER,
    error_code        VARCHAR(50),
    error_message     TEXT,
    retention_days    INTEGER DEFAULT 2555,
    is_sensitive      BOOLEAN DEFAULT false,
    PRIMARY KEY (event_id, event_date),
    -- An event that others refer to is not deleted before them.
    CONSTRAINT fk_audit_events_parent FOREIGN KEY (parent_event_id, parent_event_date)
        REFERENCES audit_events (event_id, event_date) ON DELETE RESTRICT
) PARTITION BY RANGE (event_date);

-- The date is the timestamp's, in UTC. A row finds its partition before this
-- runs, so who inserts must name the date, or at least a day of its month.
-- +goose StatementBegin
CREATE FUNCTION set_audit_event_date() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.event_date := (NEW.event_timestamp AT TIME ZONE 'UTC')::date;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER trg_set_audit_event_date
    BEFORE INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION set_audit_event_date();

CREATE INDEX idx_audit_events_event_timestamp ON audit_events (event_timestamp DESC);
CREATE INDEX idx_audit_events_correlation_id ON audit_events (correlation_id, event_timestamp DESC);
CREATE INDEX idx_audit_events_event_type ON audit_events (event_type, event_timestamp DESC);
CREATE INDEX idx_audit_events_resource ON audit_events (resource_type, resource_id, event_timestamp DESC);
CREATE INDEX idx_audit_events_actor ON audit_events (actor_type, actor_id, event_timestamp DESC);
CREATE INDEX idx_audit_events_outcome ON audit_events (event_outcome, event_timestamp DESC);
CREATE INDEX idx_audit_events_event_date ON audit_events (event_date);
CREATE INDEX idx_audit_events_event_data_gin ON audit_events USING gin (event_data);

-- +goose Down
DROP TABLE audit_events;
DROP FUNCTION set_audit_event_date();
