//! The limits of section 20, in the units named here. Limits of one thing alone stand beside it: of a seal, a token, a line.

/// A request's body and an answer, in bytes.
pub const BODY: usize = 1024 * 1024;
/// Values and keys in JSON from outside, all together. In memory, one may take a hundred times its length in a text (`{"":0}`),
/// so their number is limited beside the text's length.
pub const VALUES: usize = 50_000;
/// A manifest, in bytes.
pub const MANIFEST: usize = 256 * 1024;
/// Commands of an app.
pub const COMMANDS: usize = 100;
/// Fields of a form.
pub const FIELDS: usize = 50;
/// Static options of a field.
pub const OPTIONS: usize = 200;
/// Attachments of a message.
pub const ATTACHMENTS: usize = 20;
/// The attachments of an answer's message, in bytes of JSON: with its text the answer stays below what a server reads.
pub const ATTACHMENT_BYTES: usize = 512 * 1024;
/// Actions of a message.
pub const ACTIONS: usize = 25;
/// Blocks of a message as a client draws them, including nested ones.
pub const BLOCKS: usize = 100;
/// How deep the blocks of a message may be nested.
pub const BLOCK_DEPTH: usize = 32;
/// The texts of a message's blocks all together, in the characters that clients count (UTF-16).
pub const BLOCK_TEXT: usize = 16_000;
/// An app's `state`, in bytes of JSON.
pub const STATE: usize = 32 * 1024;
/// An install's settings, in bytes of JSON.
pub const SETTINGS: usize = 16 * 1024;
/// Events of a request.
pub const EVENTS: usize = 100;
/// One event, in bytes.
pub const EVENT: usize = 64 * 1024;
/// The body of a vendor's webhook, in bytes.
pub const WEBHOOK: usize = 512 * 1024;
