//! The shop front: an MCP server on stdio that lets an assistant read an Order Desk shop.
//!
//! Data flows one way: `main → run → server → call → tools → desk → shared`.
//!
//! | room | keeps |
//! |---|---|
//! | [`cli`] | the commands and what they print |
//! | [`config`] | the settings in the form that the rooms take |
//! | [`run`] | the life of a serving process, from the first byte to the exit code |
//! | [`stop`] | why and when the process ends |
//! | [`transport`] | stdin and stdout: bounded lines, bad lines answered, operations measured |
//! | [`server`] | the MCP library's handler: who we are, which tools there are |
//! | [`call`] | the corridor around every tool call: panic guard, deadline, counting |
//! | [`args`] [`reply`] [`error`] | what comes in, what goes out, what can go wrong |
//! | [`permit`] | which tools there are for the client |
//! | [`person`] [`elicit`] | who can be asked before a change; how, in both eras of the protocol |
//! | [`mask`] | what is hidden of e-mail addresses and the like |
//! | [`pasted`] [`confirm`] | keys that must not be in a conversation; tokens that prove a preview was seen |
//! | [`harden`] | what other programs of the same user may see of this process |
//! | [`clean`] | text from strangers, made safe to show |
//! | [`cursor`] | where a list goes on |
//! | [`tools`] | words for the model: one file per area |
//! | [`guide`] | prompts, resources and completions: what helps beside the tools |
//! | [`context`] | what a tool may use: the stores, the desk, the server's own state |
//! | [`stores`] | which shop a call is about: the environment's, or the tenant's sealed ones |
//! | [`hosts`] | other programs' MCP configuration: our entry in it |
//! | [`desk`] | what Order Desk means; knows no MCP |
//! | [`vault`] | master keys, tenants and the sealed API keys of their stores; knows no MCP |

pub mod args;
pub mod call;
pub mod clean;
pub mod cli;
pub mod config;
pub mod confirm;
pub mod context;
pub mod cursor;
pub mod desk;
pub mod doctor;
pub mod elicit;
pub mod error;
pub mod guide;
pub mod harden;
pub mod hosts;
pub mod mask;
pub mod pasted;
pub mod permit;
pub mod person;
pub mod reply;
pub mod run;
pub mod server;
pub mod shell;
pub mod stop;
pub mod stores;
pub mod tools;
pub mod transport;
pub mod vault;
