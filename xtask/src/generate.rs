//! `cargo xtask gen`: the files that are made from the code.

use std::{collections::BTreeMap, ffi::OsStr, fs, process::Command};

use access::Permission;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    house::House,
    laws::{declared_problems, owners},
    migrated, shell,
    source::Problem,
    web,
};

/// The languages of the pages, by their codes.
pub(crate) const LANGUAGES: &[&str] = &["en", "uk", "ru", "uz", "vi"];

const OPENAPI: &str = "web/packages/api/openapi.json";
const TYPES: &str = "web/packages/api/src/schema.d.ts";
const SCHEMA: &str = "docs/reference/schema.md";
const SETTINGS: &str = "docs/reference/settings.md";
const PERMISSIONS: &str = "docs/reference/permissions.md";
const ERRORS: &str = "docs/reference/errors/";

/// The page of an error in the manual.
pub(crate) fn error_page(code: &str) -> String {
    format!("{ERRORS}{code}.md")
}

/// The words for errors in one language of the pages.
pub(crate) fn catalogue(language: &str) -> String {
    format!("web/packages/i18n/locales/{language}/errors.json")
}

/// What only the built product can tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The description of the API.
    pub(crate) openapi: Option<Value>,
    /// The pages' types for it; `None` also when the pages' packages are not installed.
    types: Option<String>,
    settings: Option<String>,
    schema: Option<Vec<Part>>,
    /// What could not be asked, and why.
    pub(crate) missing: Vec<String>,
}

impl Told {
    fn keep<T>(&mut self, what: &str, answer: Result<T>) -> Option<T> {
        answer.map_err(|error| self.missing.push(format!("{what}: {error:#}"))).ok()
    }
}

/// A part of the migrated schema: its kind, its name, the table that it belongs to, its definition.
type Part = [String; 4];

/// Asks the server, which is built if need be, and a database with all migrations.
pub(crate) fn ask(house: &House) -> Told {
    let mut told = Told::default();
    let openapi = tell("openapi").and_then(|text| Ok(serde_json::from_str(&text)?));
    told.openapi = told.keep("the API", openapi);
    if let Some(document) = told.openapi.as_ref().filter(|_| web::is_installed()) {
        let types = types(document);
        told.types = told.keep("the pages' types", types);
    }
    told.settings = told.keep("the settings", tell("settings"));
    let schema = migrated::ask(house, "schema", &json!([]))
        .and_then(|parts| Ok(serde_json::from_value(parts)?));
    told.schema = told.keep("the schema", schema);
    told
}

fn text_of(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The types that the pages' own tool makes of the description.
fn types(document: &Value) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("openapi.json"), folder.path().join("schema.d.ts"));
    fs::write(&from, text_of(document))?;
    let made = Command::new("npm")
        .args(["exec", "--prefix", "web", "--workspace", "packages/api/tools", "--"])
        .args([
            OsStr::new("openapi-typescript"),
            from.as_os_str(),
            OsStr::new("-o"),
            to.as_os_str(),
        ])
        .current_dir(shell::root())
        .output()
        .context("npm is missing")?;
    if !made.status.success() {
        bail!("openapi-typescript: {}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(fs::read_to_string(to)?)
}

/// What the server prints for a command.
fn tell(command: &str) -> Result<String> {
    let binary = shell::server_binary()?;
    let out = Command::new(binary).arg(command).output().context("the server cannot be started")?;
    if !out.status.success() {
        bail!("switchbell {command}: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// Writes every generated file that is not as it should be, and removes pages of errors that are
/// gone. With `check`, only names them and fails.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut house = House::of_sources()?;
    let told = ask(&house);
    if !told.missing.is_empty() {
        bail!("not to be had: {}", told.missing.join("; "));
    }
    house.generated = render(&house, &told);
    let stale = stale(&house);
    for (path, why) in &stale {
        println!("  {path} {why}");
    }
    if check && !stale.is_empty() {
        bail!("{} generated files are not fresh: run cargo xtask gen", stale.len());
    }
    for path in stale.keys() {
        let place = shell::root().join(path);
        match house.generated.get(path) {
            Some(text) => {
                fs::create_dir_all(place.parent().context("a file lies in a folder")?)?;
                fs::write(place, text)?;
            }
            None => fs::remove_file(place)?,
        }
    }
    let done = if check { "fresh" } else { "written or fresh" };
    println!("gen: {} files {done}", house.generated.len());
    Ok(())
}

/// The generated files that are not as they should be, with what is wrong.
pub(crate) fn stale(house: &House) -> BTreeMap<String, &'static str> {
    let mut stale = BTreeMap::new();
    for (path, wanted) in &house.generated {
        match house.files.get(path).and_then(|file| file.text.as_ref()) {
            Some(found) if found == wanted => {}
            Some(_) => drop(stale.insert(path.clone(), "is out of date")),
            None => drop(stale.insert(path.clone(), "is missing")),
        }
    }
    for (path, _) in house.texts(ERRORS, ".md") {
        if !house.generated.contains_key(path) {
            stale.insert(path.to_owned(), "belongs to no error any more");
        }
    }
    stale
}

/// The text of every generated file, by path.
pub(crate) fn render(house: &House, told: &Told) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let problems: Vec<Problem> =
        declared_problems(house).into_iter().map(|(_, problem)| problem).collect();
    files.insert(format!("{ERRORS}index.md"), error_index(&problems));
    for problem in &problems {
        files.insert(error_page(&problem.code), error_text(problem));
    }
    files.insert(PERMISSIONS.to_owned(), permissions());
    if let Some(parts) = &told.schema {
        files.insert(SCHEMA.to_owned(), schema(house, parts));
    }
    if let Some(document) = &told.openapi {
        files.insert(OPENAPI.to_owned(), text_of(document));
    }
    if let Some(types) = &told.types {
        files.insert(TYPES.to_owned(), types.clone());
    }
    if let Some(manual) = &told.settings {
        files.insert(SETTINGS.to_owned(), manual.replacen("\n\n", &format!("\n\n{NOTE}\n"), 1));
    }
    files
}

const NOTE: &str = "<!-- Made by `cargo xtask gen`. -->\n";

fn error_text(problem: &Problem) -> String {
    let Problem { status, code, detail, params, about, .. } = problem;
    let mut text =
        format!("# {code}\n\n{NOTE}\nHTTP status {status}: {detail}\n\n{}\n", about.trim());
    if !params.is_empty() {
        let names: Vec<String> = params.iter().map(|name| format!("`{name}`")).collect();
        text.push_str(&format!("\nValues in `params`: {}.\n", names.join(", ")));
    }
    text
}

fn error_index(problems: &[Problem]) -> String {
    let mut rows: Vec<String> = problems
        .iter()
        .map(|problem| {
            let Problem { status, code, detail, .. } = problem;
            format!("| [{code}]({code}.md) | {status} | {} |\n", detail.replace('|', "\\|"))
        })
        .collect();
    rows.sort();
    format!(
        "# Errors\n\n{NOTE}\nEvery answer with a status of 400 or more is a problem (RFC 9457) with \
         one of these codes.\n\n| code | status | says |\n| --- | --- | --- |\n{}",
        rows.concat()
    )
}

fn permissions() -> String {
    let mut text = format!(
        "# Permissions\n\n{NOTE}\nEvery route and every live topic names one. A role is a preset of \
         them.\n\n| permission | allows to | roles |\n| --- | --- | --- |\n"
    );
    for permission in Permission::ALL {
        let roles: Vec<&str> =
            permission.default_roles().iter().map(|role| role.as_str()).collect();
        let (name, about, roles) =
            (permission.as_str(), permission.description(), roles.join(", "));
        text.push_str(&format!("| `{name}` | {about} | {roles} |\n"));
    }
    text
}

fn schema(house: &House, parts: &[Part]) -> String {
    let mut text = format!(
        "# Schema\n\n{NOTE}\nThe tables of every crate with their indexes, and the views that it \
         publishes, as SQLite has them after all migrations. A crate writes its own tables only, and \
         reads those of others through `v_` views. PostgreSQL has `JSONB`, `BYTEA` and `BIGINT` where \
         SQLite has `TEXT`, `BLOB` and the `INTEGER` of a key.\n"
    );
    let owners = owners(house);
    let mut by_owner = BTreeMap::<&str, Vec<&Part>>::new();
    for part in parts {
        let [_, _, table, _] = part;
        // The ledger of migrations is made by the program, before there are any.
        let owner = owners.get(table).map_or("db", String::as_str);
        by_owner.entry(owner).or_default().push(part);
    }
    for (owner, parts) in by_owner {
        text.push_str(&format!("\n## {owner}\n"));
        for [kind, name, _, definition] in parts {
            if kind == "index" {
                // Belongs to the table above.
                text.truncate(text.len() - "```\n".len());
            } else {
                text.push_str(&format!("\n### {name}\n\n```sql\n"));
            }
            text.push_str(&format!("{definition};\n```\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::testing::house;

    #[test]
    fn files_are_stale_until_written_and_pages_of_gone_errors_too() {
        let mut house = house();
        house.files.retain(|path, _| !path.starts_with("docs/"));
        let missing: Vec<String> = stale(&house).into_keys().collect();
        let index = format!("{ERRORS}index.md");
        let page = error_page("list_not_found");
        assert_eq!(missing, [index.as_str(), &page, PERMISSIONS]);
        for (path, text) in house.generated.clone() {
            house.add_text(&path, &text);
        }
        assert_eq!(stale(&house), BTreeMap::new());
        house.add_text(&error_page("gone"), "# gone\n");
        house.add_text(PERMISSIONS, "# Old\n");
        let stale: Vec<_> = stale(&house).into_iter().collect();
        let gone = (error_page("gone"), "belongs to no error any more");
        assert_eq!(stale, [gone, (PERMISSIONS.to_owned(), "is out of date")]);
    }

    #[test]
    fn a_page_tells_the_status_the_sentence_what_to_do_and_the_values() {
        let problem = Problem {
            line: 1,
            status: "409".to_owned(),
            code: "too_hot".to_owned(),
            detail: "It has {degrees} degrees.".to_owned(),
            params: vec!["degrees".to_owned()],
            about: "Wait until it has cooled down.\n".to_owned(),
        };
        assert_eq!(
            error_text(&problem),
            format!(
                "# too_hot\n\n{NOTE}\nHTTP status 409: It has {{degrees}} degrees.\n\n\
                 Wait until it has cooled down.\n\nValues in `params`: `degrees`.\n"
            )
        );
    }

    #[test]
    fn indexes_stand_with_their_table_and_tables_with_their_crate() {
        let part = |words: [&str; 4]| words.map(str::to_owned);
        let parts = [
            part(["table", "contact_list", "contact_list", "CREATE TABLE contact_list (…)"]),
            part(["index", "by_name", "contact_list", "CREATE INDEX by_name"]),
            part(["view", "v_list", "v_list", "CREATE VIEW v_list"]),
        ];
        let mut house = house();
        house.add_text("features/contacts/migrations/views.sql", "CREATE VIEW v_list AS SELECT 1;");
        let text = schema(&house, &parts);
        let expected = "\n## contacts\n\n### contact_list\n\n```sql\nCREATE TABLE contact_list (…);\n\
                        CREATE INDEX by_name;\n```\n\n### v_list\n\n```sql\nCREATE VIEW v_list;\n```\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
