//! What others read of a suite, and the suite that is left where something replaces or leaves out a part of it.

use std::{
    iter,
    path::{Path, PathBuf},
};

use super::{Endpoint, EndpointName, Migrations, Suite, Tier, Workload};

impl Suite {
    /// The namespace that a manifest means by this name: one that is declared, or else the suite's own.
    pub(crate) fn namespace_of(&self, name: &str) -> String {
        let mut all =
            self.namespaces.iter().map(|suffix| (suffix, format!("{}-{suffix}", self.name)));
        let declared = all.find(|(suffix, whole)| *suffix == name || whole == name);
        declared.map_or_else(|| self.name.clone(), |(_, whole)| whole)
    }

    /// The declared namespace that a name which means the suite's own is nearly called like.
    pub(crate) fn nearly_namespace(&self, name: &str) -> Option<&str> {
        /// `workflow` and `workflows` are as near as 0.94.
        const NEAR: f32 = 0.85;
        if name == self.name || self.namespace_of(name) != self.name {
            return None;
        }
        let own = name.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('-'));
        let is_near = |known: &str| {
            !similar::get_close_matches(own.unwrap_or(name), &[known], 1, NEAR).is_empty()
        };
        let mut suffixes = self.namespaces.iter().map(String::as_str);
        // With the suite's own name before it, all would be near to each other.
        let whole = |suffix: &str| own.is_none() && is_near(&format!("{}-{suffix}", self.name));
        suffixes.find(|suffix| is_near(suffix) || whole(suffix))
    }

    /// All its namespaces, its own first.
    pub(crate) fn all_namespaces(&self) -> impl Iterator<Item = String> {
        let declared = self.namespaces.iter().map(|suffix| format!("{}-{suffix}", self.name));
        iter::once(self.name.clone()).chain(declared)
    }

    /// The suite with the paths of its images below `root`, unless they are absolute.
    pub(crate) fn rooted(mut self, root: &Path) -> Self {
        self.images = self.images.into_iter().map(|image| image.rooted(root)).collect();
        self
    }

    /// The suite with the migrations that `directory` gives for a workload, where it does.
    pub(crate) fn migrated_from(mut self, directory: impl Fn(&str) -> Option<PathBuf>) -> Self {
        for tier in &mut self.tiers {
            if let Tier::Migrations(migrations) = tier
                && let Some(directory) = directory(&migrations.workload)
            {
                migrations.directory = directory;
            }
        }
        self
    }

    /// The suite without the workloads and images that only cases need that are set aside, and without the
    /// migrations and tables of their databases.
    pub(crate) fn without_beyond(mut self) -> Self {
        let beyond = self.images.extract_if(.., |image| image.is_beyond());
        self.left_out_images.extend(beyond.map(|image| image.name().to_owned()));
        for tier in &mut self.tiers {
            if let Tier::Workloads(workloads) = tier {
                let left_out = workloads.extract_if(.., |workload| workload.beyond);
                self.left_out.extend(left_out.map(|workload| workload.name));
            }
        }
        let left_out = &self.left_out;
        let is_left_out = |database: &str| {
            let workload = database.split_once(':').map_or(database, |(workload, _)| workload);
            left_out.iter().any(|name| name == workload)
        };
        self.tiers.retain(|tier| match tier {
            Tier::Migrations(migrations) => !is_left_out(&migrations.workload),
            Tier::Workloads(_) | Tier::Step(_) => true,
        });
        self.tables.retain(|table| !table.database.as_deref().is_some_and(is_left_out));
        self
    }

    pub(crate) fn workloads(&self) -> impl Iterator<Item = &Workload> + Clone {
        self.tiers.iter().flat_map(|tier| match tier {
            Tier::Workloads(workloads) => workloads.as_slice(),
            Tier::Migrations(_) | Tier::Step(_) => &[],
        })
    }

    /// The endpoints of all its workloads, in the order in which they are declared.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (EndpointName, &Endpoint)> {
        self.workloads().flat_map(Workload::endpoints)
    }

    /// Those of them that are databases.
    pub(crate) fn databases(&self) -> impl Iterator<Item = EndpointName> {
        let databases = self.endpoints().filter(|(_, endpoint)| endpoint.database().is_some());
        databases.map(|(name, _)| name)
    }

    pub(crate) fn migrated(&self) -> impl Iterator<Item = &Migrations> {
        self.tiers.iter().filter_map(|tier| match tier {
            Tier::Migrations(migrations) => Some(migrations),
            Tier::Workloads(_) | Tier::Step(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{Image, Table};

    #[test]
    fn a_name_that_is_nearly_that_of_a_declared_namespace_is_told_from_a_foreign_one() {
        let suite = Suite::new("shop", "shop").namespace("workflows");
        for near in ["workflow", "worklfows", "shop-workflow", "Workflows", "shpo-workflows"] {
            assert_eq!(suite.nearly_namespace(near), Some("workflows"), "{near}");
        }
        for far in ["", "shop", "workflows", "shop-workflows", "shop-system", "default", "flows"] {
            assert_eq!(suite.nearly_namespace(far), None, "{far}");
        }
        let suite = Suite::new("notification-controller", "shop").namespace("jobs");
        assert_eq!(suite.nearly_namespace("notification-controller-system"), None);
    }

    #[test]
    fn a_suite_of_real_services_is_without_what_only_stand_ins_need() {
        let tier = [Workload::new("shop", "shop.yaml"), Workload::new("mock", "m.yaml").beyond()];
        let image = |name: &str| Image::dockerfile(name, name).for_cases();
        let suite = Suite::new("shop", "shop").image(image("shop")).image(image("mock").beyond());
        let suite = suite.tier(tier).without_beyond();
        assert_eq!(suite.images, [image("shop")]);
        let left: Vec<_> = suite.workloads().map(|workload| workload.name.as_str()).collect();
        assert_eq!((left, suite.left_out.as_slice()), (vec!["shop"], &["mock".to_owned()][..]));
    }

    #[test]
    fn the_migrations_and_tables_of_a_database_that_is_left_out_are_left_out() {
        let both = [Workload::new("orders", "o.yaml"), Workload::new("mock", "m.yaml").beyond()];
        let suite = ["orders", "mock:second"].iter().fold(
            Suite::new("shop", "shop").tier(both),
            |suite, database| {
                let table = Table::new(format!("of {database}")).database(*database);
                suite.migrations(Migrations::new("sql", *database)).table(table)
            },
        );
        let left = suite.without_beyond();
        let migrated: Vec<_> = left.migrated().map(|it| it.workload.as_str()).collect();
        let tables: Vec<_> = left.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!((migrated, tables), (vec!["orders"], vec!["of orders"]));
    }

    #[test]
    fn paths_of_images_are_relative_to_the_root() {
        let suite = Suite::new("shop", "shop").image(Image::dockerfile("shop", "images/shop"));
        let suite = suite.image(Image::program("till", "/usr/bin/till", ["serve"]));
        let images = suite.rooted(Path::new("/project")).images;
        assert_eq!(images[0], Image::dockerfile("shop", "/project/images/shop"));
        assert_eq!(images[1], Image::program("till", "/usr/bin/till", ["serve"]));
    }
}
