//! Whether the tables of a suite can be where it says, and their names can be names.

use std::collections::BTreeSet;

use crate::{
    problem::Problem,
    suite::{Suite, Table},
};

/// The longest name that PostgreSQL keeps whole, in bytes.
const LONGEST: usize = 63;

/// What a name may have beside letters and digits.
const MARKS: [char; 3] = ['_', '$', '-'];

/// Tables without a database, or with names that are none.
pub(super) fn check(suite: &Suite, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for table in &suite.tables {
        place(suite, table, problems);
        names(suite, table, problems);
        if !seen.insert(table.called()) {
            problems.push(Problem::Twice {
                what: "table",
                name: table.called().to_owned(),
                of: format!(" in suite `{}`", suite.name),
                step: "give one an alias",
            });
        }
    }
    let mut audit = suite.tables.iter().filter(|table| table.audit);
    if let (Some(first), Some(second)) = (audit.next(), audit.next()) {
        problems.push(Problem::AuditTwice {
            suite: suite.name.clone(),
            first: first.called().to_owned(),
            second: second.called().to_owned(),
        });
    }
}

fn place(suite: &Suite, table: &Table, problems: &mut Vec<Problem>) {
    let known: Vec<_> = suite.databases().collect();
    let wanted = table.database.as_deref();
    if known.iter().any(|database| wanted.is_none_or(|name| database.is(name))) {
        return;
    }
    let (suite, table_name) = (suite.name.clone(), table.called().to_owned());
    let known: Vec<_> = known.iter().map(ToString::to_string).collect();
    problems.push(match &table.database {
        Some(database) if !known.is_empty() => Problem::TableDatabase {
            suite,
            table: table_name,
            database: database.clone(),
            known: known.join(", "),
        },
        Some(_) | None => Problem::TableNowhere { suite, table: table_name },
    });
}

fn names(suite: &Suite, table: &Table, problems: &mut Vec<Problem>) {
    let (schema, name) = table.path();
    let own = schema.map(|schema| ("the schema", schema)).into_iter().chain([("the name", name)]);
    let columns = table.columns().map(|column| ("a column", column));
    let bad = own.chain(columns).filter(|(_, name)| !is_identifier(name));
    problems.extend(bad.map(|(what, name)| Problem::Identifier {
        suite: suite.name.clone(),
        table: table.called().to_owned(),
        what,
        name: name.to_owned(),
        hint: if what == "a column" && name.contains('.') {
            "; what is inside of JSON is reached by `.matching(..)` and the like"
        } else {
            ""
        },
    }));
}

fn is_identifier(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name.chars().all(|c| c.is_alphanumeric() || MARKS.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Database, Endpoint, Workload};

    fn problems(tables: impl IntoIterator<Item = Table>) -> Vec<String> {
        let login = Database::new("a", "b", "c");
        let store = Workload::new("store", "store.yaml").endpoint(Endpoint::postgres("sql", login));
        let mut suite = Suite::new("shop", "shop").tier([store]);
        suite.tables.extend(tables);
        told(&suite)
    }

    fn told(suite: &Suite) -> Vec<String> {
        let mut problems = Vec::new();
        check(suite, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_table_is_in_a_database_of_the_suite() {
        for database in ["store", "store:sql"] {
            assert!(problems([Table::new("orders").database(database)]).is_empty(), "{database}");
        }
        assert_eq!(
            problems([Table::new("orders").database("stor")]),
            [
                "suite `shop`: the table `orders` is in the database of `stor`, and the suite has no such database \
                 (it has store:sql); name the workload of an `Endpoint::postgres`, or `workload:endpoint`"
            ]
        );
        let suite = Suite::new("shop", "shop").table(Table::new("orders"));
        assert_eq!(
            told(&suite),
            ["suite `shop`: the table `orders` needs a database, and the suite has none; \
                 give a workload an `Endpoint::postgres`"]
        );
    }

    #[test]
    fn names_are_names() {
        let good = ["billing.Orders_2", "größe", "order-items"];
        assert!(problems(good.map(Table::new)).is_empty());
        let bad = problems([Table::new("a.b.c"), Table::new("").alias("x"), Table::new("a\"b")]);
        assert_eq!(bad.len(), 3, "{bad:#?}");
        assert_eq!(
            problems([Table::new("orders").kind("data.kind")]),
            [
                "suite `shop`: \"data.kind\" is not a name for a column of the table `orders`: use 1 to 63 bytes of \
                 letters, digits, `_`, `$` and `-`; what is inside of JSON is reached by `.matching(..)` and the like"
            ]
        );
    }

    #[test]
    fn each_table_is_declared_once_and_one_is_the_audit_table() {
        assert_eq!(
            problems([Table::new("orders"), Table::new("orders").database("store")]),
            ["table `orders` is declared twice in suite `shop`; give one an alias"]
        );
        let audit = |name| Table { audit: true, ..Table::new(name) };
        let twice = problems([audit("events"), audit("more")]);
        assert!(twice[0].starts_with("suite `shop`: `events` and `more` are both "), "{twice:?}");
    }
}
