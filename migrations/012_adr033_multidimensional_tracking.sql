-- +goose Up
-- Success by incident type, by workflow, and by how the workflow was chosen.
ALTER TABLE resource_action_traces
    ADD COLUMN incident_type             VARCHAR(100),
    ADD COLUMN alert_name                VARCHAR(255),
    ADD COLUMN incident_severity         VARCHAR(20),
    ADD COLUMN workflow_id               VARCHAR(64),
    ADD COLUMN workflow_version          VARCHAR(20),
    ADD COLUMN workflow_step_number      INTEGER,
    ADD COLUMN workflow_execution_id     VARCHAR(64),
    ADD COLUMN ai_selected_workflow      BOOLEAN DEFAULT false,
    ADD COLUMN ai_chained_workflows      BOOLEAN DEFAULT false,
    ADD COLUMN ai_manual_escalation      BOOLEAN DEFAULT false,
    ADD COLUMN ai_workflow_customization JSONB;

CREATE INDEX idx_incident_type_success
    ON resource_action_traces (incident_type, execution_status, action_timestamp DESC)
    WHERE incident_type IS NOT NULL;
CREATE INDEX idx_workflow_success
    ON resource_action_traces (workflow_id, workflow_version, execution_status, action_timestamp DESC)
    WHERE workflow_id IS NOT NULL;
CREATE INDEX idx_multidimensional_success
    ON resource_action_traces (incident_type, workflow_id, action_type, execution_status, action_timestamp DESC)
    WHERE incident_type IS NOT NULL AND workflow_id IS NOT NULL;
CREATE INDEX idx_workflow_execution
    ON resource_action_traces (workflow_execution_id, workflow_step_number, action_timestamp DESC)
    WHERE workflow_execution_id IS NOT NULL;
CREATE INDEX idx_ai_execution_mode
    ON resource_action_traces (incident_type, ai_selected_workflow, ai_chained_workflows, ai_manual_escalation,
                               action_timestamp DESC)
    WHERE incident_type IS NOT NULL;
CREATE INDEX idx_alert_name_lookup
    ON resource_action_traces (alert_name, execution_status, action_timestamp DESC)
    WHERE alert_name IS NOT NULL;

-- +goose Down
-- The indexes go with their columns.
ALTER TABLE resource_action_traces
    DROP COLUMN incident_type,
    DROP COLUMN alert_name,
    DROP COLUMN incident_severity,
    DROP COLUMN workflow_id,
    DROP COLUMN workflow_version,
    DROP COLUMN workflow_step_number,
    DROP COLUMN workflow_execution_id,
    DROP COLUMN ai_selected_workflow,
    DROP COLUMN ai_chained_workflows,
    DROP COLUMN ai_manual_escalation,
    DROP COLUMN ai_workflow_customization;
