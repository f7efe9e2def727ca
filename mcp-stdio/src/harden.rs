//! Keys live in this process's memory and environment; other programs of the same user should not get at them by the way.
//!
//! Here: no core dump is written, and on Linux the process is "not dumpable": its memory and its environment under `/proc` are for root
//! only, and no debugger of the same user can attach. What everybody may see (`/proc/PID/status`) stays visible. Not here: anything
//! against root, or against somebody who is this user and replaces the binary. Best effort: a system that refuses is served all the same.

/// Closes the process to the curious. Call it first, before a key is read.
pub fn process() {
    #[cfg(unix)]
    without_core_dumps();
    #[cfg(target_os = "linux")]
    not_dumpable();
}

#[cfg(unix)]
fn without_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _refused = setrlimit(Resource::Core, none);
}

#[cfg(target_os = "linux")]
fn not_dumpable() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn afterwards_there_is_no_core_dump_and_no_view_from_outside() {
        super::process();
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
