//! What a case has made in the cluster, and how it is let go of when the case is over.
//!
//! Everything is noted before it is made: whoever lets go of it may look while the request is on its
//! way. What is outside of the case's namespaces is owned by the first of them, so that Kubernetes
//! deletes it too, whatever becomes of this process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::join_all;
use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, DynamicObject},
};

use super::ObjectsError;
use crate::{
    case::permission::Permission,
    manifest::{CASE, SUITE},
    stack::{Held, Marks, ServerError, Stack, ensure_namespace, namespace_gone},
};

/// What belongs to a case.
pub(super) struct Belongings {
    stack: Arc<Stack>,
    /// The name of the case, for others who wait for it.
    case: String,
    /// The id of the case, and the name of its first namespace.
    pub(super) id: String,
    pub(super) permission: Permission,
    noted: Mutex<Noted>,
    /// One namespace is made at a time, so that no mark of another handle is lost.
    making: tokio::sync::Mutex<()>,
}

/// What is noted of it.
#[derive(Default)]
struct Noted {
    namespaces: BTreeMap<String, Own>,
    /// Objects outside of these namespaces.
    strays: Vec<(Api<DynamicObject>, String)>,
    /// The fixed names that the case holds.
    held: Vec<Held>,
    /// What the case waits for, in words.
    waits: Option<String>,
}

/// A namespace of the case.
#[derive(Default)]
struct Own {
    marks: Marks,
    /// As the server has it, once it is there.
    made: Option<Namespace>,
}

impl Belongings {
    pub(super) fn new(stack: Arc<Stack>, case: &str, id: String, permission: Permission) -> Self {
        let (noted, making) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { stack, case: case.to_owned(), id, permission, noted, making }
    }

    pub(super) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Makes a namespace of the case with these marks, unless it is there and has them.
    pub(super) async fn ensure(
        &self,
        namespace: &str,
        marks: &Marks,
    ) -> Result<Namespace, ObjectsError> {
        let _one = self.making.lock().await;
        let (mut marks, made) = {
            let mut noted = self.noted();
            let own = noted.namespaces.entry(namespace.to_owned()).or_default();
            let before = own.marks.clone();
            own.marks.labels.extend(marks.labels.clone());
            own.marks.annotations.extend(marks.annotations.clone());
            let made = own.made.clone().filter(|_| own.marks == before);
            (own.marks.clone(), made)
        };
        if let Some(made) = made {
            return Ok(made);
        }
        self.permission.check()?;
        marks.labels.extend(self.labels());
        let made = ensure_namespace(&self.stack.client(), namespace, &marks).await;
        let made = made.map_err(|error| unmade(namespace, error))?;
        if let Some(own) = self.noted().namespaces.get_mut(namespace) {
            own.made = Some(made.clone());
        }
        Ok(made)
    }

    /// Makes an object the case's own that will be in none of its namespaces, and notes it.
    pub(super) async fn adopt(
        &self,
        api: &Api<DynamicObject>,
        object: &mut DynamicObject,
    ) -> Result<(), ObjectsError> {
        let namespace = self.ensure(&self.id, &Marks::default()).await?;
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            name: namespace.name_any(),
            uid: namespace.uid().unwrap_or_default(),
            ..OwnerReference::default()
        };
        object.owner_references_mut().push(owner);
        object.labels_mut().extend(self.labels());
        self.noted().strays.push((api.clone(), object.name_any()));
        Ok(self.permission.check()?)
    }

    /// Waits until no other case holds a namespace of this name, and makes it with what is written on it.
    pub(super) async fn hold(&self, name: &str, marks: &Marks) -> Result<(), ObjectsError> {
        if self.noted().held.iter().any(|held| held.name() == name) {
            return self.ensure(name, marks).await.map(drop);
        }
        let later =
            self.noted().held.iter().map(Held::name).find(|held| *held > name).map(str::to_owned);
        if let Some(held) = later {
            return Err(ObjectsError::Order { name: name.to_owned(), held });
        }
        let fixed = self.stack.fixed();
        self.noted().waits = fixed
            .holder(name)
            .map(|holder| format!("it waited for the namespace `{name}`, which `{holder}` held"));
        let held = fixed.hold(name, &self.case).await;
        {
            let mut noted = self.noted();
            noted.waits = None;
            noted.held.push(held);
        }
        if let Err(over) = self.permission.check() {
            // Whoever let go of all may have looked before this was noted.
            self.noted().held.retain(|held| held.name() != name);
            return Err(over.into());
        }
        if let Err(another) = self.vacate(name).await {
            self.noted().held.retain(|held| held.name() != name);
            return Err(another);
        }
        self.ensure(name, marks).await.map(drop)
    }

    /// Deletes what a case of a killed run left under a name, and refuses one that is another's.
    async fn vacate(&self, name: &str) -> Result<(), ObjectsError> {
        let namespaces = Api::<Namespace>::all(self.stack.client());
        let fail = |error| unmade(name, ServerError::from(error));
        let Some(live) = namespaces.get_opt(name).await.map_err(fail)? else {
            return Ok(());
        };
        if !live.labels().contains_key(CASE) {
            return Err(ObjectsError::Taken { name: name.to_owned() });
        }
        if live.metadata.deletion_timestamp.is_none() {
            namespaces.delete(name, &DeleteParams::background()).await.map_err(fail)?;
        }
        Ok(())
    }

    /// What the case waits for, in words.
    pub(super) fn waits(&self) -> Option<String> {
        self.noted().waits.clone()
    }

    /// The namespaces that the case has made, or begun to make.
    pub(super) fn namespaces(&self) -> Vec<String> {
        self.noted().namespaces.keys().cloned().collect()
    }

    /// Begins to delete all that belongs to the case. What fails here goes with the cluster.
    ///
    /// A fixed name is free for others when its namespace is really gone.
    pub(super) async fn release(&self) {
        let (names, strays, held, owner) = {
            let mut noted = self.noted();
            let own = noted.namespaces.get(&self.id).and_then(|own| own.made.as_ref());
            let owner = own.and_then(kube::ResourceExt::uid);
            let (strays, held) = (noted.strays.split_off(0), noted.held.split_off(0));
            let names: Vec<_> = noted.namespaces.keys().cloned().collect();
            (names, strays, held, owner)
        };
        join_all(strays.iter().map(|(api, name)| delete(api, name, owner.as_deref()))).await;
        let namespaces = Api::<Namespace>::all(self.stack.client());
        for name in &names {
            let _ = namespaces.delete(name, &DeleteParams::background()).await;
        }
        for held in held {
            let client = self.stack.client();
            tokio::spawn(async move {
                namespace_gone(client, held.name()).await;
                drop(held);
            });
        }
    }

    /// The labels of all that the case makes, but for what is in its namespaces.
    fn labels(&self) -> BTreeMap<String, String> {
        let suite = self.stack.plan().name.clone();
        BTreeMap::from([(SUITE.to_owned(), suite), (CASE.to_owned(), self.id.clone())])
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deletes an object if it has this owner: one of the same name may be another's.
async fn delete(api: &Api<DynamicObject>, name: &str, owner: Option<&str>) {
    let live = api.get_opt(name).await.ok().flatten();
    let owners = live.as_ref().map(kube::ResourceExt::owner_references).into_iter().flatten();
    if owners.map(|owner| owner.uid.as_str()).any(|uid| Some(uid) == owner) {
        let _ = api.delete(name, &DeleteParams::background()).await;
    }
}

fn unmade(namespace: &str, error: impl std::error::Error + Send + Sync + 'static) -> ObjectsError {
    ObjectsError::Namespace { namespace: namespace.to_owned(), source: Box::new(error) }
}

impl fmt::Debug for Belongings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Belongings").field("id", &self.id).finish_non_exhaustive()
    }
}
