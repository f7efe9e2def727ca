//! Writes to shops, as the processes of a home make them; and as they go wrong. Processes that are killed are in `tests/`.

mod intents;
mod kit;
mod turns;
mod unsettled;
