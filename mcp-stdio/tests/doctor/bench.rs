//! A small language for these tests: a [`Bench`] with a shop, what is typed at it, and what doctor says.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::Value;

/// The name of the shop of every bench: with a blank, so that a remedy that does not quote it fails.
pub(crate) const SHOP: &str = "My Shop";

/// A machine of one's own: a user's home, a home of the program in a folder whose name needs quoting, and a shop.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) program: PathBuf,
    /// Variables by their whole names; the last one of a name counts.
    pub(crate) env: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn ok(self) -> Said {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl Bench {
    /// Nothing is set up yet.
    pub(crate) fn bare() -> Bench {
        Bench::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("user")).unwrap();
        let bench = Bench {
            sandbox: Sandbox::start_blocking(options).unwrap(),
            program: PathBuf::from(env!("CARGO_BIN_EXE_mcp-stdio")),
            env: Vec::new(),
            folder,
        };
        let home = bench.home().display().to_string();
        bench.set("HOME", home)
    }

    /// Set up, with one store, as the documentation says.
    pub(crate) fn ready() -> Bench {
        Bench::bare().set_up()
    }

    pub(crate) fn set_up(self) -> Bench {
        self.run("init", "").ok();
        self.add_store("").ok();
        self
    }

    /// Sets `ORDERDESK_MCP_<name>`.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Bench {
        self.env
            .push((format!("ORDERDESK_MCP_{name}"), value.into()));
        self
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("its home")
    }

    pub(crate) fn user_home(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    pub(crate) fn master_key(&self) -> PathBuf {
        self.home().join("master.key")
    }

    pub(crate) fn api_key(&self) -> String {
        self.sandbox.store(0).api_key
    }

    pub(crate) fn add_store(&self, more: &str) -> Said {
        let store = self.sandbox.store(0);
        let words = format!(
            "store add --name '{SHOP}' --id {} --api-base-url {} {more}",
            store.store_id,
            self.sandbox.base_url()
        );
        self.run(&words, &store.api_key)
    }

    /// A command of the program; `words` are typed.
    pub(crate) fn run(&self, words: &str, stdin: &str) -> Said {
        let line = format!("'{}' {words}", self.program.display());
        self.type_line(&line, stdin)
    }

    /// A whole line, at a shell that knows nothing but this bench.
    pub(crate) fn type_line(&self, line: &str, stdin: &str) -> Said {
        let mut child = self.shell(line).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A command that asks for nothing may be gone already.
        let _ = pipe.write_all(format!("{stdin}\n").as_bytes());
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let said = Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.look_for_secrets(&said);
        said
    }

    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user_home())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn look_for_secrets(&self, said: &Said) {
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(!all.contains(&self.api_key()), "an API key: {said:?}");
        assert!(!all.contains("odmk1"), "a master key: {said:?}");
    }

    pub(crate) fn doctor(&self) -> Diagnosis {
        let said = self.run("doctor --json", "");
        let report: Value = serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}): {said:?}"));
        assert_eq!(said.code == Some(0), report["ok"] == true, "{said:?}");
        Diagnosis { report }
    }

    /// What the disk says about a file below the home.
    pub(crate) fn mode(&self, path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// What doctor said.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) report: Value,
}

impl Diagnosis {
    pub(crate) fn check(&self, id: &str) -> &Value {
        let checks = self.report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["id"] == id);
        found.unwrap_or_else(|| panic!("no check `{id}`: {:#}", self.report))
    }

    fn ids(&self, level: &str) -> BTreeSet<&str> {
        let checks = self.report["checks"].as_array().unwrap();
        checks
            .iter()
            .filter(|check| check["ok"] == false && check["level"] == level)
            .map(|check| check["id"].as_str().unwrap())
            .collect()
    }

    /// Exactly this one fails.
    #[track_caller]
    pub(crate) fn fails(&self, id: &str) {
        assert_eq!(self.ids("error"), BTreeSet::from([id]), "{:#}", self.report);
    }

    /// Nothing fails, and this one is fine.
    #[track_caller]
    pub(crate) fn is_content_with(&self, id: &str) {
        assert!(self.ids("error").is_empty(), "{:#}", self.report);
        assert_eq!(self.check(id)["ok"], true, "{:#}", self.report);
    }

    /// Exactly these are warned about.
    #[track_caller]
    pub(crate) fn warns(&self, ids: &[&str]) {
        let expected: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(self.ids("warning"), expected, "{:#}", self.report);
    }

    pub(crate) fn hint(&self, id: &str) -> &str {
        let hint = self.check(id)["hint"].as_str();
        hint.unwrap_or_else(|| panic!("no hint for `{id}`: {:#}", self.report))
    }

    /// The command in the hint.
    pub(crate) fn remedy(&self, id: &str) -> &str {
        let hint = self.hint(id);
        let command = hint
            .split_once(": `")
            .and_then(|(_, rest)| rest.strip_suffix('`'));
        command.unwrap_or_else(|| panic!("no command in `{hint}`"))
    }
}

/// Says on stderr that a test could not do its work here, and why.
pub(crate) fn skip(why: &str) {
    eprintln!("SKIP: {why}");
}

/// Another binary of this workspace, if somebody has built it.
pub(crate) fn sibling(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_BIN_EXE_mcp-stdio")).with_file_name(name);
    file.is_file().then_some(file)
}
