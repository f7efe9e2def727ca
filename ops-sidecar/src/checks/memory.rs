//! Memory of the machine, or of the container we live in, and of this process.

use serde::Serialize;
use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{Draft, mebibytes, percent};

/// Used share from which someone should look this week, in percent: servers start to be killed soon after.
const WARN_PERCENT: f64 = 90.0;
/// Used share from which someone should look now, in percent.
const FAIL_PERCENT: f64 = 97.0;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryFacts {
    /// Memory there is.
    pub size_bytes: u64,
    /// What programs could still get.
    pub available_bytes: u64,
    /// Resident memory of this process.
    pub own_bytes: u64,
}

/// Asks the operating system; keeps its handle between looks.
#[derive(Debug)]
pub struct Memory {
    system: Option<System>,
    own: Pid,
}

impl Memory {
    /// Knows nothing before the first look.
    #[must_use]
    pub fn new() -> Memory {
        Memory {
            system: System::new().ok(),
            own: Pid::from_u32(std::process::id()),
        }
    }

    /// Looks; `None` where the operating system does not tell.
    pub fn look(&mut self) -> Option<MemoryFacts> {
        let system = self.system.as_mut()?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[self.own]),
            true,
            ProcessRefreshKind::nothing().with_memory(),
        );
        let own_bytes = system.process(self.own).map_or(0, sysinfo::Process::memory);
        let limits = system.cgroup_limits().filter(|limits| {
            limits.total_memory > 0 && limits.total_memory < system.total_memory()
        });
        let (size_bytes, available_bytes) = limits.map_or(
            (system.total_memory(), system.available_memory()),
            |limits| (limits.total_memory, limits.free_memory),
        );
        (size_bytes > 0).then_some(MemoryFacts {
            size_bytes,
            available_bytes,
            own_bytes,
        })
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

/// What the memory amounts to. Unknown memory is no finding: some sandboxes hide it, and nothing depends on it.
#[must_use]
pub fn judge(facts: Option<&MemoryFacts>) -> Vec<Draft> {
    let Some(memory) = facts else {
        return Vec::new();
    };
    let used = percent(
        memory.size_bytes.saturating_sub(memory.available_bytes),
        memory.size_bytes,
    );
    let summary = format!(
        "memory is {used:.0} % used, {} are available",
        mebibytes(memory.available_bytes)
    );
    let hint = "close programs, or give this machine or container more memory";
    match used {
        used if used >= FAIL_PERCENT => vec![Draft::fail("memory.exhausted", summary, hint)],
        used if used >= WARN_PERCENT => vec![Draft::warn("memory.low", summary, hint)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(available_bytes: u64) -> Vec<Draft> {
        judge(Some(&MemoryFacts {
            size_bytes: 1000,
            available_bytes,
            own_bytes: 1,
        }))
    }

    #[test]
    fn low_memory_warns_and_hardly_any_fails() {
        assert_eq!(memory(101), []);
        assert_eq!(memory(100)[0].id, "memory.low");
        assert_eq!(memory(30)[0].id, "memory.exhausted");
        assert_eq!(judge(None), []);
    }

    #[test]
    fn this_machine_has_memory_and_this_process_uses_some_of_it() {
        let facts = Memory::new().look().expect("the operating system tells");
        assert!(facts.available_bytes <= facts.size_bytes);
        assert!(facts.own_bytes > 0 && facts.own_bytes < facts.size_bytes);
    }
}
