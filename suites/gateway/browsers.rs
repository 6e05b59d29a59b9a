//! Headers that browsers go by (scenarios 18 and 20).

use kindwright::{Answer, Case, CaseResult, Ctx, Method, cases, ensure, ensure_eq};

use super::{ALERTS, GATEWAY, alert, make_namespace, send};

const ORIGINS: [&str; 2] = ["https://app.kubernaut.io", "https://admin.kubernaut.io"];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        any_origin_may_ask,
        a_browser_that_asks_whether_it_may_is_told,
        every_answer_keeps_browsers_safe,
        every_answer_has_an_id_of_its_own,
    ]
}

/// The value of a header; empty where there is none.
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_default()
}

async fn any_origin_may_ask(ctx: Ctx) -> CaseResult {
    for origin in ORIGINS {
        for path in ["/health", "/ready"] {
            let answer =
                ctx.get(GATEWAY, path).header("origin", origin).send().await?.expect(200)?;
            let allowed = header(&answer, "access-control-allow-origin");
            ensure!(["*", origin].contains(&allowed), "{origin} is told `{allowed}` by {path}");
            let exposed = header(&answer, "access-control-expose-headers").to_lowercase();
            for name in ["link", "x-request-id", "x-total-count"] {
                ensure!(exposed.contains(name), "{name} is not exposed, but `{exposed}`");
            }
        }
    }
    Ok(())
}

async fn a_browser_that_asks_whether_it_may_is_told(ctx: Ctx) -> CaseResult {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let names = ["accept", "authorization", "content-type", "x-request-id"];
    for (origin, method) in ORIGINS.into_iter().flat_map(|origin| methods.map(|it| (origin, it))) {
        let answer = ctx
            .request(Method::OPTIONS, GATEWAY, ALERTS)
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", &names.join(","))
            .send()
            .await?;
        ensure!(matches!(answer.status(), 200 | 204), "told {}", answer.exchange());
        let allowed = header(&answer, "access-control-allow-origin");
        ensure!(["*", origin].contains(&allowed), "{origin} is told `{allowed}`");
        let methods = header(&answer, "access-control-allow-methods");
        ensure!(methods.contains(method), "asked for {method}, it may `{methods}`");
        let headers = header(&answer, "access-control-allow-headers").to_lowercase();
        let all = names.iter().all(|name| headers.contains(name));
        ensure!(all, "it may send `{headers}`");
        ensure_eq!(header(&answer, "access-control-max-age"), "300");
    }
    Ok(())
}

async fn every_answer_keeps_browsers_safe(ctx: Ctx) -> CaseResult {
    make_namespace(&ctx).await?;
    for answer in [
        ctx.get(GATEWAY, "/health").send().await?.expect(200)?,
        send(&ctx, &alert(&ctx, "Safe", "cart-0")).await?.expect(201)?,
    ] {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-security-policy", "default-src 'none'"),
            ("referrer-policy", "no-referrer"),
        ] {
            ensure_eq!(header(&answer, name), value, "the header {name}");
        }
        for name in ["strict-transport-security", "x-xss-protection"] {
            ensure!(!header(&answer, name).is_empty(), "no {name}: {}", answer.exchange());
        }
    }
    Ok(())
}

async fn every_answer_has_an_id_of_its_own(ctx: Ctx) -> CaseResult {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let request = ctx.get(GATEWAY, "/health").header("x-request-id", "mine");
        let answer = request.send().await?.expect(200)?;
        ids.push(header(&answer, "x-request-id").to_owned());
    }
    ensure!(ids.iter().all(|id| id.len() > 10), "too short: {ids:?}");
    let all = ids.len();
    ids.sort();
    ids.dedup();
    ensure!(ids.len() == all, "not all are others: {ids:?}");
    Ok(())
}
