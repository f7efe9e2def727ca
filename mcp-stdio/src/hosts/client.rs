//! Which clients there are.
//!
//! Here: one table: each client's file on each platform, the key that its servers stand under, the spelling of an entry, and when it
//! notices a change. Each row says where that is known from. Not here: how a file is edited.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry::Shape;
use super::error::HostError;
use super::places::{Places, Platform};

/// A program that can start this server.
#[derive(Debug)]
pub struct Client {
    /// What `--client` takes.
    pub id: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The key of its file under which servers stand.
    pub container: &'static str,
    /// How it spells an entry.
    pub shape: Shape,
    /// How its file is written.
    pub format: Format,
    /// Where the file is.
    pub file: Target,
    /// What to do so that it notices the change; a sentence.
    pub restart: &'static str,
}

/// How a configuration file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON; comments and trailing commas are accepted and kept.
    Jsonc,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

/// Where a client's file is.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Edited by us. The candidates, best first; empty if the environment names no home folder.
    Edited(fn(&Places) -> Vec<Candidate>),
    /// Pasted by the user: where, in words.
    Pasted(&'static str),
}

/// A place where a client's file may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The client's own folder: if it is missing, the client is not installed here (or was never started).
    pub folder: PathBuf,
    /// The file.
    pub file: PathBuf,
}

/// All clients, in the order in which they are listed to people.
pub static CLIENTS: &[Client] = &[
    // The user guide "Connect to local MCP servers" (2026-11) for macOS and Windows; Linux is what the packages that people build use.
    Client {
        id: "claude-desktop",
        title: "Claude Desktop",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Edited(claude_desktop),
        restart: "Quit Claude Desktop (closing its window is not enough) and start it again.",
    },
    // The documentation "Connect Claude Code to tools via MCP" (2026-11), and the form that `claude mcp add -s user` was seen to write.
    Client {
        id: "claude-code",
        title: "Claude Code",
        container: "mcpServers",
        shape: Shape::Typed,
        format: Format::Jsonc,
        file: Target::Edited(claude_code),
        restart: "New sessions notice; in a running one type /mcp.",
    },
    // The documentation "Model Context Protocol", section "Configuration locations" (2026-11).
    Client {
        id: "cursor",
        title: "Cursor",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Edited(|places| below_home(places, ".cursor", "mcp.json")),
        restart: "Cursor notices by itself; new servers may wait for a click in Settings, Tools & MCP.",
    },
    // The documentation "MCP configuration reference" (2026-11): the key is `servers`, not `mcpServers`.
    Client {
        id: "vscode",
        title: "Visual Studio Code",
        container: "servers",
        shape: Shape::Typed,
        format: Format::Jsonc,
        file: Target::Edited(vscode),
        restart: "Visual Studio Code notices by itself and asks whether you trust the server.",
    },
    // The documentation "Model Context Protocol", "As Custom Servers" (2026-11); the folders are those of its `paths` source file.
    Client {
        id: "zed",
        title: "Zed",
        container: "context_servers",
        shape: Shape::Custom,
        format: Format::Jsonc,
        file: Target::Edited(zed),
        restart: "Zed notices by itself.",
    },
    // The documentation "Model Context Protocol" of Codex (2026-11): the command line, the editor extension and the app share the file.
    Client {
        id: "codex",
        title: "Codex",
        container: "mcp_servers",
        shape: Shape::Plain,
        format: Format::Toml,
        file: Target::Edited(|places| own_home(places, "CODEX_HOME", ".codex", "config.toml")),
        restart: "New sessions notice.",
    },
    // The documentation "MCP servers with the Gemini CLI" and "Configuration" (2026-11).
    Client {
        id: "gemini-cli",
        title: "Gemini CLI",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Edited(|places| below_home(places, ".gemini", "settings.json")),
        restart: "New sessions notice.",
    },
    // The documentation "Configuration Files" (2026-11): macOS follows XDG like Linux.
    Client {
        id: "goose",
        title: "goose",
        container: "extensions",
        shape: Shape::Extension,
        format: Format::Yaml,
        file: Target::Edited(goose),
        restart: "New sessions notice.",
    },
    // The documentation "Cascade MCP Integration" (2026-11).
    Client {
        id: "windsurf",
        title: "Windsurf",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Pasted("~/.codeium/windsurf/mcp_config.json"),
        restart: "Press the refresh button in Windsurf's MCP settings.",
    },
    // The documentation "Use MCP Servers" (2026-11): the app offers the file as "Edit mcp.json".
    Client {
        id: "lm-studio",
        title: "LM Studio",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Pasted("~/.lmstudio/mcp.json (Program, Install, Edit mcp.json)"),
        restart: "LM Studio notices when the file is saved.",
    },
    // The documentation "MCP configuration" (2026-11).
    Client {
        id: "kiro",
        title: "Kiro",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Pasted("~/.kiro/settings/mcp.json"),
        restart: "Kiro notices when the file is saved.",
    },
    // The documentation "MCP servers" (2026-11); the newer `mcp.servers` nesting still reads this form.
    Client {
        id: "opencode",
        title: "opencode",
        container: "mcp",
        shape: Shape::CommandList,
        format: Format::Jsonc,
        file: Target::Pasted("~/.config/opencode/opencode.json"),
        restart: "New sessions notice.",
    },
    // The documentation "MCPs" (2026-11).
    Client {
        id: "crush",
        title: "Crush",
        container: "mcp",
        shape: Shape::Typed,
        format: Format::Jsonc,
        file: Target::Pasted(
            "~/.config/crush/crush.json (Windows: %LOCALAPPDATA%\\crush\\crush.json)",
        ),
        restart: "New sessions notice.",
    },
    // The documentation "Configuring MCP Servers" (2026-11): the extension keeps the file and opens it.
    Client {
        id: "cline",
        title: "Cline",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Pasted(
            "cline_mcp_settings.json (MCP Servers, Configure, Configure MCP Servers)",
        ),
        restart: "Cline notices when the file is saved.",
    },
    // The documentation "How to set up Model Context Protocol" (2026-11): a list of servers, each with its name inside.
    Client {
        id: "continue",
        title: "Continue",
        container: "mcpServers",
        shape: Shape::NamedItem,
        format: Format::Yaml,
        file: Target::Pasted("~/.continue/config.yaml"),
        restart: "Continue notices when the file is saved.",
    },
    Client {
        id: "other",
        title: "another client",
        container: "mcpServers",
        shape: Shape::Plain,
        format: Format::Jsonc,
        file: Target::Pasted(
            "where the client's documentation says that MCP servers are configured",
        ),
        restart: "Start the client again if it does not notice by itself.",
    },
];

/// The client of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.id == id)
}

impl Client {
    /// Whether we edit its file, or only print what to paste.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        matches!(self.file, Target::Edited(_))
    }

    /// Where the entry goes, for a person: the file that would be edited, or where to paste.
    #[must_use]
    pub fn whereabouts(&self, places: &Places) -> String {
        match self.file {
            Target::Pasted(words) => words.to_owned(),
            Target::Edited(_) => self.candidate(places).map_or_else(
                |error| error.to_string(),
                |chosen| chosen.file.display().to_string(),
            ),
        }
    }

    /// The place to use: the first whose folder exists; if none does, the first.
    ///
    /// # Errors
    /// [`HostError::PrintOnly`] for a client whose file we do not edit; [`HostError::NoHome`] if the environment names no home folder.
    pub fn candidate(&self, places: &Places) -> Result<Candidate, HostError> {
        let Target::Edited(candidates) = self.file else {
            return Err(HostError::PrintOnly {
                client: self.title,
                id: self.id,
            });
        };
        let candidates = candidates(places);
        let there = candidates
            .iter()
            .find(|candidate| candidate.folder.is_dir());
        let chosen = there.or_else(|| candidates.first()).cloned();
        chosen.ok_or_else(|| HostError::NoHome {
            client: self.title,
            variable: places.platform().home_variable(),
        })
    }
}

fn candidate(folder: PathBuf, file: impl AsRef<Path>) -> Candidate {
    let file = folder.join(file);
    Candidate { folder, file }
}

fn below_home(places: &Places, folder: &str, file: &str) -> Vec<Candidate> {
    let home = places.home().map(|home| candidate(home.join(folder), file));
    home.into_iter().collect()
}

/// A folder that the client's own variable can move.
fn own_home(places: &Places, variable: &str, folder: &str, file: &str) -> Vec<Candidate> {
    match places.named(variable) {
        Some(named) => vec![candidate(named, file)],
        None => below_home(places, folder, file),
    }
}

/// `~/.claude.json` stands in the home folder itself, which is always there.
fn claude_code(places: &Places) -> Vec<Candidate> {
    own_home(places, "CLAUDE_CONFIG_DIR", "", ".claude.json")
}

/// On Windows the app has been an MSIX package since February 2026: Windows shows it a private copy of `%APPDATA%`, so what we write
/// into the ordinary one is never read. If such a package is there, only its folders count. On Linux, builds differ in the case of `Claude`.
fn claude_desktop(places: &Places) -> Vec<Candidate> {
    const FILE: &str = "claude_desktop_config.json";
    let packaged = packaged_claude(places);
    if !packaged.is_empty() {
        return packaged
            .into_iter()
            .map(|folder| candidate(folder, FILE))
            .collect();
    }
    let names: &[&str] = match places.platform() {
        Platform::Linux => &["Claude", "claude"],
        Platform::MacOs | Platform::Windows => &["Claude"],
    };
    let Some(config) = places.app_config() else {
        return Vec::new();
    };
    names
        .iter()
        .map(|name| candidate(config.join(name), FILE))
        .collect()
}

/// The private settings folders of packaged Claude Desktops, those that already hold a file first. A package folder ends in the
/// publisher's id, which is not ours to know.
fn packaged_claude(places: &Places) -> Vec<PathBuf> {
    let Some(local) = places.local_app_data() else {
        return Vec::new();
    };
    let Ok(packages) = fs::read_dir(local.join("Packages")) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = packages
        .filter_map(Result::ok)
        .filter(|package| package.file_name().to_string_lossy().starts_with("Claude_"))
        .map(|package| {
            package
                .path()
                .join("LocalCache")
                .join("Roaming")
                .join("Claude")
        })
        .collect();
    folders.sort();
    folders.sort_by_key(|folder| !folder.join("claude_desktop_config.json").is_file());
    folders
}

fn vscode(places: &Places) -> Vec<Candidate> {
    let Some(config) = places.app_config() else {
        return Vec::new();
    };
    let editions = ["Code", "Code - Insiders"];
    let file = Path::new("User").join("mcp.json");
    editions
        .iter()
        .map(|edition| candidate(config.join(edition), &file))
        .collect()
}

/// Zed keeps `~/.config/zed` on macOS, too, and does not look at `XDG_CONFIG_HOME` there.
fn zed(places: &Places) -> Vec<Candidate> {
    let folder = match places.platform() {
        Platform::Linux => places.xdg_config().map(|config| config.join("zed")),
        Platform::MacOs => places.home().map(|home| home.join(".config").join("zed")),
        Platform::Windows => places.app_config().map(|config| config.join("Zed")),
    };
    folder
        .map(|folder| candidate(folder, "settings.json"))
        .into_iter()
        .collect()
}

fn goose(places: &Places) -> Vec<Candidate> {
    let folder = match (places.named("GOOSE_PATH_ROOT"), places.platform()) {
        (Some(root), _) => Some(root.join("config")),
        (None, Platform::Windows) => places
            .app_config()
            .map(|config| config.join("Block").join("goose").join("config")),
        (None, _) => places.xdg_config().map(|config| config.join("goose")),
    };
    folder
        .map(|folder| candidate(folder, "config.yaml"))
        .into_iter()
        .collect()
}
