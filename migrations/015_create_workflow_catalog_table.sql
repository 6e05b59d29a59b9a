-- +goose Up
-- The workflows that remediate incidents; a version is never overwritten.
CREATE TABLE remediation_workflow_catalog (
    workflow_id               VARCHAR(255) NOT NULL,
    version                   VARCHAR(50) NOT NULL,
    name                      VARCHAR(255) NOT NULL,
    description               TEXT NOT NULL,
    owner                     VARCHAR(255),
    maintainer                VARCHAR(255),
    content                   TEXT NOT NULL,
    content_hash              VARCHAR(64) NOT NULL,
    labels                    JSONB NOT NULL DEFAULT '{}',
    status                    VARCHAR(20) NOT NULL DEFAULT 'active'
                              CHECK (status IN ('active', 'disabled', 'deprecated', 'archived')),
    disabled_at               TIMESTAMPTZ,
    disabled_by               VARCHAR(255),
    disabled_reason           TEXT,
    is_latest_version         BOOLEAN NOT NULL DEFAULT false,
    previous_version          VARCHAR(50),
    deprecation_notice        TEXT,
    version_notes             TEXT,
    change_summary            TEXT,
    approved_by               VARCHAR(255),
    approved_at               TIMESTAMPTZ,
    expected_success_rate     NUMERIC(4, 3) CHECK (expected_success_rate BETWEEN 0 AND 1),
    expected_duration_seconds INTEGER,
    actual_success_rate       NUMERIC(4, 3) CHECK (actual_success_rate BETWEEN 0 AND 1),
    total_executions          INTEGER DEFAULT 0 CHECK (total_executions >= 0),
    successful_executions     INTEGER DEFAULT 0,
    created_at                TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at                TIMESTAMPTZ NOT NULL DEFAULT now(),
    created_by                VARCHAR(255),
    updated_by                VARCHAR(255),
    PRIMARY KEY (workflow_id, version),
    CHECK (successful_executions BETWEEN 0 AND total_executions)
);

CREATE INDEX idx_workflow_catalog_status ON remediation_workflow_catalog (status);
CREATE INDEX idx_workflow_catalog_latest ON remediation_workflow_catalog (workflow_id)
    WHERE is_latest_version;
CREATE INDEX idx_workflow_catalog_labels ON remediation_workflow_catalog USING gin (labels);
CREATE INDEX idx_workflow_catalog_created_at ON remediation_workflow_catalog (created_at DESC);
CREATE INDEX idx_workflow_catalog_success_rate ON remediation_workflow_catalog (actual_success_rate DESC)
    WHERE status = 'active';

-- +goose StatementBegin
CREATE FUNCTION update_workflow_catalog_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER trigger_workflow_catalog_updated_at
    BEFORE UPDATE ON remediation_workflow_catalog
    FOR EACH ROW EXECUTE FUNCTION update_workflow_catalog_updated_at();

-- +goose Down
DROP TABLE remediation_workflow_catalog;
DROP FUNCTION update_workflow_catalog_updated_at();
