-- +goose Up
-- Last of all, and sorted by number: the three months to come.
SELECT create_audit_events_partitions(3);

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN
        SELECT child.oid::regclass
        FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'audit_events'::regclass
          AND child.relname > 'audit_events_' || to_char(CURRENT_DATE, 'YYYY_MM')
          AND child.relname <> 'audit_events_default'
    LOOP
        -- The table's reference to itself makes every partition one that is referred to.
        EXECUTE format('ALTER TABLE audit_events DETACH PARTITION %s', partition);
        EXECUTE format('DROP TABLE %s', partition);
    END LOOP;
END
$$;
-- +goose StatementEnd
