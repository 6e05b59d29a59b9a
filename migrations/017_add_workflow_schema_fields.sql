-- +goose Up
-- What a workflow takes, and what runs it.
ALTER TABLE remediation_workflow_catalog
    ADD COLUMN parameters       JSONB,
    ADD COLUMN execution_engine VARCHAR(50) NOT NULL DEFAULT 'tekton',
    ADD COLUMN execution_bundle TEXT;

-- +goose Down
ALTER TABLE remediation_workflow_catalog
    DROP COLUMN parameters,
    DROP COLUMN execution_engine,
    DROP COLUMN execution_bundle;
