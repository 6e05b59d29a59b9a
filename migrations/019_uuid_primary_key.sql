-- +goose Up
-- A workflow's version has an id of its own; the name that was the id stays unique with the version.
DROP INDEX idx_workflow_catalog_latest;
ALTER TABLE remediation_workflow_catalog DROP CONSTRAINT remediation_workflow_catalog_pkey;
ALTER TABLE remediation_workflow_catalog RENAME COLUMN workflow_id TO workflow_name;
ALTER TABLE remediation_workflow_catalog
    ADD COLUMN workflow_id UUID NOT NULL DEFAULT uuid_generate_v4(),
    ADD PRIMARY KEY (workflow_id),
    ADD CONSTRAINT uq_workflow_name_version UNIQUE (workflow_name, version);
CREATE INDEX idx_workflow_catalog_latest ON remediation_workflow_catalog (workflow_name)
    WHERE is_latest_version;

-- +goose Down
DROP INDEX idx_workflow_catalog_latest;
ALTER TABLE remediation_workflow_catalog DROP CONSTRAINT uq_workflow_name_version;
ALTER TABLE remediation_workflow_catalog DROP COLUMN workflow_id;
ALTER TABLE remediation_workflow_catalog RENAME COLUMN workflow_name TO workflow_id;
ALTER TABLE remediation_workflow_catalog ADD PRIMARY KEY (workflow_id, version);
CREATE INDEX idx_workflow_catalog_latest ON remediation_workflow_catalog (workflow_id)
    WHERE is_latest_version;
