//! What is set aside where a suite is real.

use serde_json::json;

use super::*;

#[test]
fn a_plan_marks_what_is_set_aside_and_names_secrets_and_resources() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "reader"}});
    let suite = shop("shop", 30090)
        .secret(Secret::new("login").entry("user", []).entry("token", [password("token")]))
        .resources("role.yaml")
        .image(Image::reference("mock", "mock:1").beyond())
        .tier([Workload::new("mock", "mock.yaml").beyond()])
        .real()
        .cases([
            Case::declared("it_is_fixed", ()).beyond("contract 5.6").label("smoke"),
            Case::declared("it_is_slow", ()).ignored().label("slow").label("load"),
        ]);
    let inventory = inventory().and("role.yaml", vec![role]);
    let text = |suite, typed: &[&str]| plan(&[suite], &inventory, typed).unwrap().to_string();
    let words = text(suite.clone().without_beyond(), &[]);
    let words = words.split_once("suite shop").unwrap().1;
    assert_eq!(
        words,
        "\
: namespace shop in kw-0a1b2c3d, with its real services
  secret login: user, token
  resource ClusterRole reader-shop
  tier 1: shop from shop.yaml
    http: HTTP at shop:http, NodePort 30090, healthy by /health
  requests 0m of cpu, 0 MiB of memory, 1 pod
  set aside: mock, which only cases need that are set aside
  set aside: image mock, which only they need
  3 cases
    shop::it_sells
    shop::it_is_fixed [smoke], set aside: beyond contract 5.6, and the suite is real
    shop::it_is_slow [load, slow], ignored unless `--include-ignored` is given
"
    );
    let all = text(suite, &["--include-ignored"]);
    assert!(!all.contains("set aside") && !all.contains("ignored"), "{all}");
}

#[test]
fn an_image_that_is_set_aside_although_its_workload_is_not_is_told_with_both_ways_out() {
    let run = json!({"apiVersion": "example.io/v1", "kind": "Run", "metadata": {"name": "run"},
        "spec": {"image": "quay.io/acme/shop:1"}});
    let images = vec![Image::reference("shop", "shop:1").beyond()];
    let suite = Suite { images, ..shop("shop", 30090) }.resources("run.yaml").real();
    let inventory = inventory().and("run.yaml", vec![run]);
    let problems = plan(&[suite.without_beyond()], &inventory, &[]).unwrap_err();
    let told = |manifest, image| {
        format!(
            "suite `shop`: {manifest} names the image `{image}`, which is `.beyond()` what the real suite needs; \
             declare its workload so too, or the image without it"
        )
    };
    assert_eq!(
        problems,
        [told("shop.yaml", "localhost/shop"), told("run.yaml", "quay.io/acme/shop:1")]
    );
}
