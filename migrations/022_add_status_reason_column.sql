-- +goose Up
-- Why a workflow has the status that it has.
ALTER TABLE remediation_workflow_catalog ADD COLUMN status_reason TEXT;

-- +goose Down
ALTER TABLE remediation_workflow_catalog DROP COLUMN status_reason;
