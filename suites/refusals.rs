//! What the definitions of the platform's objects do not allow: each row of a table is a case (contract 6.1).

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, ensure};
use serde_json::Value;

/// What is wrong with an object, of which nothing else is.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// How the name of the case says it.
    what: String,
    /// The field of the specification that has it, and is to be named.
    field: String,
    /// The value of the field; null if it is not there.
    value: Value,
}

pub(crate) fn row(what: impl Into<String>, field: impl Into<String>, value: Value) -> Row {
    Row { what: what.into(), field: field.into(), value }
}

/// A case for each row, which says that an object called so is refused.
#[track_caller]
pub(crate) fn cases<Fut>(
    object: &str,
    rows: impl IntoIterator<Item = Row>,
    is_refused: fn(Ctx, Row) -> Fut,
) -> Vec<Case>
where
    Fut: Future<Output = CaseResult> + 'static,
{
    let mut cases = Vec::new();
    // From within a closure they would be declared here, and not in their suite.
    for row in rows {
        let name = format!("{object}_{}_is_refused", row.what);
        cases.push(Case::named(name, move |ctx| is_refused(ctx, row.clone())));
    }
    cases
}

impl Row {
    /// Fails unless the server refuses an object that is right but for this, and has none of its kind.
    pub(crate) async fn is_refused(&self, ctx: &Ctx, mut object: Value) -> CaseResult {
        put(&mut object["spec"], &self.field, self.value.clone());
        match ctx.objects().create(&object).await {
            Ok(made) => return Err(Failure::new(format_args!("it is taken: {made}"))),
            Err(error) => names(error, &self.field)?,
        }
        let kind = ["apiVersion", "kind"].map(|field| object[field].as_str().unwrap_or_default());
        let left = ctx.objects().list(kind).await?;
        ensure!(left.is_empty(), "it is there: {left:?}");
        Ok(())
    }
}

/// Fails unless the server has found an object not valid because of this field of its specification.
pub(crate) fn names(error: ObjectsError, field: &str) -> CaseResult {
    let (words, field) = (Failure::from(error).to_string(), format!("spec.{field}"));
    // The name of another field may begin with it.
    let mut follows = words.split(&field).skip(1);
    let is_named = follows.any(|rest| !rest.starts_with(char::is_alphanumeric));
    ensure!(words.contains("is invalid") && is_named, "{field} is not named: {words}");
    Ok(())
}

/// Puts a value at a path of a specification; null takes away what is there.
fn put(specification: &mut Value, path: &str, value: Value) {
    let mut parts = path.split('.');
    let field = parts.next_back().unwrap_or_default();
    let parent = parts.fold(specification, |parent, part| &mut parent[part]);
    if value.is_null() {
        parent.as_object_mut().and_then(|fields| fields.remove(field));
    } else {
        parent[field] = value;
    }
}
