//! The house as the laws see it: its crates, its files, and what the server says about itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::{generate, shell};

/// Everything that a law may look at. Laws read nothing else, so that a breach can be planted.
#[derive(Debug, Clone, Default)]
pub(crate) struct House {
    /// The workspace's crates, by name.
    pub(crate) crates: BTreeMap<String, Crate>,
    /// The crates of others that are compiled.
    pub(crate) outside: Vec<Outside>,
    /// Every file under version control or about to be, by path.
    pub(crate) files: BTreeMap<String, File>,
    /// The server's OpenAPI document, once the server can tell it.
    pub(crate) openapi: Option<serde_json::Value>,
    /// What the product could not be asked, and why.
    pub(crate) untold: Vec<String>,
    /// What the generated files should hold, by path.
    pub(crate) generated: BTreeMap<String, String>,
}

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    /// Its folder, such as `core/base`.
    pub(crate) folder: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest: String,
    /// The crates that it names.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A crate that another one names in its manifest.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// Its name on the registry or in the workspace.
    pub(crate) name: String,
    /// Only tests use it.
    pub(crate) is_dev: bool,
}

/// A crate from a registry.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    /// Its name.
    pub(crate) name: String,
    /// Its licence as the manifest says it, in SPDX's words.
    pub(crate) licence: Option<String>,
}

/// A file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// Its text; `None` when it is not UTF-8.
    pub(crate) text: Option<String>,
}

/// The crate that `path` belongs to. A crate is called as its folder.
pub(crate) fn owner(path: &str) -> Option<&str> {
    let (first, rest) = path.split_once('/')?;
    let floors = ["core", "protocol", "platform", "features"];
    if floors.contains(&first) { rest.split('/').next() } else { Some(first) }
}

impl House {
    /// Looks at the working tree, and asks the server for its description of the API.
    pub(crate) fn load() -> Result<Self> {
        let mut house = Self::default();
        house.read_files()?;
        house.read_crates()?;
        let told = generate::ask(&house);
        house.untold.clone_from(&told.missing);
        house.generated = generate::render(&house, &told);
        house.openapi = told.openapi;
        Ok(house)
    }

    /// Only the files of the working tree.
    pub(crate) fn of_sources() -> Result<Self> {
        let mut house = Self::default();
        house.read_files()?;
        Ok(house)
    }

    /// The floor of a crate: the first part of its folder.
    pub(crate) fn floor(&self, name: &str) -> Option<&str> {
        self.crates.get(name)?.folder.split('/').next()
    }

    /// The files whose path begins with `folder` and ends with `ending`, with their texts.
    pub(crate) fn texts(&self, folder: &str, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending))
            .filter_map(|(path, file)| Some((path.as_str(), file.text.as_deref()?)))
    }

    /// The product's Rust sources by path, tests of whole crates left out.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts("", ".rs").filter(|(path, _)| path.contains("/src/"))
    }

    fn read_files(&mut self) -> Result<()> {
        let root = shell::root();
        let out = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output()
            .context("git is missing")?;
        if !out.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&out.stderr));
        }
        for path in String::from_utf8(out.stdout)?.split_terminator('\0') {
            // A file that was deleted but not yet committed is still listed.
            let Ok(bytes) = fs::read(root.join(path)) else { continue };
            let length = bytes.len() as u64;
            let text = String::from_utf8(bytes).ok();
            self.files.insert(path.to_owned(), File { bytes: length, text });
        }
        Ok(())
    }

    fn read_crates(&mut self) -> Result<()> {
        let root = shell::root().canonicalize()?;
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options(["--locked".to_owned()])
            .exec()
            .context("cargo metadata")?;
        for package in metadata.workspace_packages() {
            let krate = read_crate(&root, package)?;
            self.crates.insert(package.name.to_string(), krate);
        }
        let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
        let resolved = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
        let used: BTreeSet<_> = resolved.nodes.iter().map(|node| &node.id).collect();
        self.outside = metadata
            .packages
            .iter()
            .filter(|package| used.contains(&package.id) && !members.contains(&package.id))
            .map(|package| Outside {
                name: package.name.to_string(),
                licence: package.license.clone(),
            })
            .collect();
        Ok(())
    }
}

fn read_crate(root: &Path, package: &Package) -> Result<Crate> {
    let path = package.manifest_path.as_std_path();
    let folder = path.parent().context("a manifest lies in a folder")?;
    let folder = folder.strip_prefix(root)?.to_str().context("a folder's name is not UTF-8")?;
    let dependencies = package
        .dependencies
        .iter()
        .map(|dependency| Dependency {
            name: dependency.name.clone(),
            is_dev: dependency.kind == DependencyKind::Development,
        })
        .collect();
    Ok(Crate { folder: folder.to_owned(), manifest: fs::read_to_string(path)?, dependencies })
}

impl House {
    /// Puts a text file in, or another text into a file.
    pub(crate) fn add_text(&mut self, path: &str, text: &str) {
        let file = File { bytes: text.len() as u64, text: Some(text.to_owned()) };
        self.files.insert(path.to_owned(), file);
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A small house in which every law holds.

    use serde_json::json;

    use super::*;

    /// A small house in which every law holds.
    pub(crate) fn house() -> House {
        let mut house = House::default();
        for (folder, dependencies) in [
            ("core/base", &["serde"][..]),
            ("protocol/sip", &["base"]),
            ("platform/db", &["base"]),
            ("platform/jobs", &["base", "db"]),
            ("features/people", &["base", "db"]),
            ("features/contacts", &["base", "db", "jobs"]),
            ("server", &["people", "contacts", "db"]),
            ("sim", &["base"]),
            ("xtask", &["server"]),
        ] {
            add_crate(&mut house, folder, dependencies);
        }
        house.add_text(
            "server/src/features.rs",
            "//! The features.\nfn all() { people::Feature; contacts::Feature; }\n",
        );
        house.add_text(
            "server/src/main.rs",
            "#![doc = include_str!(\"../README.md\")]\nmod features;\n",
        );
        house.add_text(
            "features/people/migrations/1_people.sql",
            "-- People.\nCREATE TABLE person (account BIGINT NOT NULL);\n",
        );
        house.add_text(
            "features/contacts/migrations/1_lists.sql",
            "-- Lists.\nCREATE TABLE contact_list (account BIGINT NOT NULL);\n",
        );
        house.add_text(
            "features/people/src/lib.rs",
            "#![doc = include_str!(\"../README.md\")]\nconst M: &str = include_str!(\"../migrations/1_people.sql\");\n",
        );
        house.add_text(
            "features/contacts/src/lib.rs",
            "#![doc = include_str!(\"../README.md\")]\nmod routes;\nconst M: &str = include_str!(\"../migrations/1_lists.sql\");\n\
             problems! { pub enum P { /// Gone.\n NotFound = (404, \"list_not_found\", \"No such list.\") } }\n",
        );
        house.add_text(
            "features/contacts/src/routes/mod.rs",
            "//! Routes.\nfn f() { sql!(\"SELECT account FROM contact_list\"); }\n",
        );
        house.generated = generate::render(&house, &generate::Told::default());
        for (path, text) in house.generated.clone() {
            house.add_text(&path, &text);
        }
        for language in generate::LANGUAGES {
            house.add_text(&generate::catalogue(language), r#"{ "list_not_found": "…" }"#);
        }
        house.openapi = Some(json!({
            "paths": {
                "/lists": { "get": { "x-permission": "list.view" } },
                "/setup": { "get": { "x-public": "asked before there is a user" } }
            },
            "x-topics": [{ "pattern": "list:{id}", "permission": "list.view" }]
        }));
        house
    }

    fn add_crate(house: &mut House, folder: &str, dependencies: &[&str]) {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let dependencies = dependencies
            .iter()
            .map(|name| Dependency { name: (*name).to_owned(), is_dev: false })
            .collect();
        let manifest = "[lints]\nworkspace = true\n".to_owned();
        house
            .crates
            .insert(name.to_owned(), Crate { folder: folder.to_owned(), manifest, dependencies });
        house.add_text(&format!("{folder}/README.md"), &format!("# {name}\n\nWhat it is.\n"));
        house.add_text(
            &format!("{folder}/src/lib.rs"),
            "#![doc = include_str!(\"../README.md\")]\n",
        );
        house.add_text(&format!("{folder}/Cargo.toml"), "[lints]\nworkspace = true\n");
    }
}
