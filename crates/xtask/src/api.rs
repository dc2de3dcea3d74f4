//! `cargo xtask api [--check]`: the public API of the libraries as text in docs/api, one item a line.
//!
//! The text is made from rustdoc's JSON, which only a nightly toolchain writes. Derived and automatic traits are left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

const CRATES: [&str; 4] = ["flow-wire", "flow-state", "flow-semconv", "otlp-sink"];

/// Writes the snapshots, or compares them with `--check`.
///
/// # Errors
///
/// When rustdoc fails, or a snapshot is not what the code says.
pub(crate) fn run(args: &[String]) -> Result<String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask api [--check]"),
    };
    let root = crate::workspace_root();
    let (mut stale, mut items) = (Vec::new(), 0);
    for name in CRATES {
        let text = snapshot(&root, name).with_context(|| name.to_owned())?;
        items += text.lines().count();
        let path = root.join(format!("docs/api/{name}.txt"));
        if fs::read_to_string(&path).is_ok_and(|committed| committed == text) {
            continue;
        }
        if check {
            stale.push(name);
        } else {
            fs::create_dir_all(root.join("docs/api"))?;
            fs::write(&path, text)?;
            println!("wrote {}", path.display());
        }
    }
    ensure!(stale.is_empty(), "the public API of {} is not what docs/api says: cargo xtask api", stale.join(", "));
    Ok(format!("{items} items"))
}

fn snapshot(root: &Path, name: &str) -> Result<String> {
    let target = root.join("target/api");
    let line =
        format!("+nightly rustdoc --package {name} --lib --all-features -- -Zunstable-options --output-format json");
    let status = Command::new("cargo")
        .args(line.split(' '))
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        // Cargo tells the programs it runs which toolchain is theirs.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .status()
        .context("run cargo +nightly rustdoc")?;
    ensure!(status.success(), "rustdoc ended with {status}");
    let path = target.join("doc").join(name.replace('-', "_")).with_extension("json");
    let crate_json: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let mut api = Api { index: &crate_json["index"], lines: BTreeSet::new() };
    let root_module = api.item(&crate_json["root"]).context("no root")?;
    api.module(root_module, &name.replace('-', "_"));
    Ok(api.lines.into_iter().map(|line| line + "\n").collect())
}

struct Api<'a> {
    index: &'a Value,
    lines: BTreeSet<String>,
}

impl<'a> Api<'a> {
    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(id.to_string())
    }

    fn items(&self, ids: &'a Value) -> impl Iterator<Item = &'a Value> {
        ids.as_array().into_iter().flatten().filter_map(|id| self.item(id))
    }

    fn module(&mut self, module: &'a Value, path: &str) {
        let items: Vec<_> = self.items(&module["inner"]["module"]["items"]).collect();
        for item in items {
            if let Some(import) = item["inner"].get("use") {
                let name = import["name"].as_str().unwrap_or_default();
                match self.item(&import["id"]) {
                    Some(target) if import["is_glob"] == true => self.module(target, path),
                    Some(target) => self.named(target, &format!("{path}::{name}")),
                    None => drop(self.lines.insert(format!("use {path}::{name} = {}", text(&import["source"])))),
                }
            } else {
                self.named(item, &format!("{path}::{}", text(&item["name"])));
            }
        }
    }

    fn named(&mut self, item: &'a Value, path: &str) {
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else { return };
        let generics = generics(&inner["generics"]);
        match kind.as_str() {
            "module" => {
                self.lines.insert(format!("mod {path}"));
                return self.module(item, path);
            }
            "function" => self.lines.insert(function(inner, path)),
            "constant" => self.lines.insert(format!("const {path}: {}", ty(&inner["type"]))),
            "static" => self.lines.insert(format!("static {path}: {}", ty(&inner["type"]))),
            "type_alias" => self.lines.insert(format!("type {path}{generics} = {}", ty(&inner["type"]))),
            "assoc_const" => self.lines.insert(format!("const {path}: {}", ty(&inner["type"]))),
            "assoc_type" => self.lines.insert(format!("type {path}")),
            "struct_field" => self.lines.insert(format!("field {path}: {}", ty(inner))),
            other => self.lines.insert(format!("{other} {path}{generics}")),
        };
        let members = ["items", "variants"].into_iter().map(|key| &inner[key]);
        let kinds = [
            &inner["kind"],
            &inner["kind"]["plain"]["fields"],
            &inner["kind"]["tuple"],
            &inner["kind"]["struct"]["fields"],
        ];
        let members: Vec<_> = members.chain(kinds).flat_map(|ids| self.items(ids).collect::<Vec<_>>()).collect();
        for member in members {
            self.named(member, &format!("{path}::{}", text(&member["name"])));
        }
        let blocks: Vec<_> = self.items(&inner["impls"]).collect();
        for block in blocks {
            self.implementation(&block["inner"]["impl"], path);
        }
    }

    fn implementation(&mut self, block: &'a Value, path: &str) {
        if block["is_synthetic"] == true || !block["blanket_impl"].is_null() {
            return;
        }
        if block["trait"].is_null() {
            let methods: Vec<_> = self.items(&block["items"]).filter(|item| item["visibility"] == "public").collect();
            for method in methods {
                self.named(method, &format!("{path}::{}", text(&method["name"])));
            }
        } else {
            self.lines.insert(format!("impl {} for {path}", resolved(&block["trait"])));
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(values: &Value, each: impl Fn(&Value) -> String, separator: &str) -> String {
    let all: Vec<_> = values.as_array().into_iter().flatten().map(each).collect();
    all.join(separator)
}

fn function(inner: &Value, path: &str) -> String {
    let flag = |key: &str, word: &'static str| if inner["header"][key] == true { word } else { "" };
    let sig = &inner["sig"];
    let inputs = list(&sig["inputs"], |input| format!("{}: {}", text(&input[0]), ty(&input[1])), ", ");
    let output = if sig["output"].is_null() { String::new() } else { format!(" -> {}", ty(&sig["output"])) };
    let (constant, asynchronous) = (flag("is_const", "const "), flag("is_async", "async "));
    format!("{constant}{asynchronous}fn {path}{}({inputs}){output}", generics(&inner["generics"]))
}

fn generics(generics: &Value) -> String {
    let parameter = |param: &Value| {
        let bounds = list(&param["kind"]["type"]["bounds"], bound, " + ");
        if bounds.is_empty() { text(&param["name"]).to_owned() } else { format!("{}: {bounds}", text(&param["name"])) }
    };
    let is_synthetic = |param: &&Value| param["kind"]["type"]["is_synthetic"] == true;
    let shown: Vec<_> = generics["params"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|param| !is_synthetic(param))
        .map(parameter)
        .collect();
    if shown.is_empty() { String::new() } else { format!("<{}>", shown.join(", ")) }
}

fn bound(bound: &Value) -> String {
    if let Some(of_trait) = bound.get("trait_bound") {
        let modifier = if bound["trait_bound"]["modifier"] == "maybe" { "?" } else { "" };
        return modifier.to_owned() + &resolved(&of_trait["trait"]);
    }
    bound.get("outlives").map_or_else(|| "use<..>".to_owned(), |lifetime| text(lifetime).to_owned())
}

/// A path with its arguments; where an item lies is said once, where it is defined.
fn resolved(path: &Value) -> String {
    let name = text(&path["path"]).rsplit("::").next().unwrap_or_default().to_owned();
    let args = &path["args"];
    if let Some(angle) = args.get("angle_bracketed") {
        let shown = list(&angle["args"], argument, ", ");
        let constraints = list(
            &angle["constraints"],
            |of| {
                format!(
                    "{} = {}",
                    text(&of["name"]),
                    of["binding"]["equality"].get("type").map_or_else(String::new, ty)
                )
            },
            ", ",
        );
        let shown: Vec<_> = [shown, constraints].into_iter().filter(|part| !part.is_empty()).collect();
        return if shown.is_empty() { name } else { format!("{name}<{}>", shown.join(", ")) };
    }
    if let Some(of) = args.get("parenthesized") {
        let output = if of["output"].is_null() { String::new() } else { format!(" -> {}", ty(&of["output"])) };
        return format!("{name}({}){output}", list(&of["inputs"], ty, ", "));
    }
    name
}

fn argument(argument: &Value) -> String {
    if let Some(of) = argument.get("type") {
        return ty(of);
    }
    if let Some(of) = argument.get("const") {
        return text(&of["expr"]).to_owned();
    }
    argument.get("lifetime").map_or_else(|| "_".to_owned(), |lifetime| text(lifetime).to_owned())
}

fn ty(of: &Value) -> String {
    let Some((kind, inner)) = of.as_object().and_then(|of| of.iter().next()) else { return "_".to_owned() };
    match kind.as_str() {
        "resolved_path" => resolved(inner),
        "primitive" | "generic" => text(inner).to_owned(),
        "tuple" => format!("({})", list(inner, ty, ", ")),
        "slice" => format!("[{}]", ty(inner)),
        "array" => format!("[{}; {}]", ty(&inner["type"]), text(&inner["len"])),
        "impl_trait" => format!("impl {}", list(inner, bound, " + ")),
        "dyn_trait" => format!("dyn {}", list(&inner["traits"], |of| resolved(&of["trait"]), " + ")),
        "borrowed_ref" => {
            let lifetime = inner["lifetime"].as_str().map_or_else(String::new, |lifetime| format!("{lifetime} "));
            let mutable = if inner["is_mutable"] == true { "mut " } else { "" };
            format!("&{lifetime}{mutable}{}", ty(&inner["type"]))
        }
        "qualified_path" => {
            format!("<{} as {}>::{}", ty(&inner["self_type"]), resolved(&inner["trait"]), text(&inner["name"]))
        }
        // What this API does not use yet is shown as rustdoc has it, so that nothing changes unseen.
        _ => of.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signature_is_shown_with_its_types() {
        let bytes =
            json!({"borrowed_ref": {"lifetime": "'a", "is_mutable": false, "type": {"slice": {"primitive": "u8"}}}});
        let set = json!({"resolved_path": {"path": "crate::Option", "args": {"angle_bracketed": {
            "args": [{"type": {"generic": "Self"}}], "constraints": []}}}});
        let inner = json!({
            "sig": {"inputs": [["bytes", bytes]], "output": set},
            "generics": {"params": [{"name": "'a", "kind": {"lifetime": {"outlives": []}}}]},
            "header": {"is_const": true, "is_async": false},
        });
        assert_eq!(function(&inner, "x::f"), "const fn x::f<'a>(bytes: &'a [u8]) -> Option<Self>");
    }
}
