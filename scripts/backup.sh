#!/bin/sh
# One backup now, for cron and the like: for machines where no sidecar runs all the time, or whose owner trusts cron more. Works while
# servers write, and with the sidecar up or down. Settings are those of the sidecar: config.toml in the home, or ORDERDESK_MCP_… variables.
#
# Says nothing when all went well (cron sends mail when something is said), and everything when it did not; the exit code is that of
# `ops-sidecar backup run`: 0 the backup is good on every target, 1 it is not, 2 the settings are wrong.
#
# Usage: backup.sh [OPTION…]     options go to `ops-sidecar backup run`, for example --home FOLDER
#
#   crontab:   17 * * * *  /usr/local/bin/backup.sh
#   elsewhere: OPS_SIDECAR=/opt/orderdesk/ops-sidecar /usr/local/bin/backup.sh
set -u
case "${1:-}" in
  -h | --help)
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

# cron's PATH is short.
PATH="$PATH:/usr/local/bin:${HOME:-/nonexistent}/.local/bin"
ops_sidecar="${OPS_SIDECAR:-ops-sidecar}"
if ! command -v "$ops_sidecar" >/dev/null 2>&1; then
  echo "backup.sh: there is no \`$ops_sidecar\`; hint: install it, or say where it is with OPS_SIDECAR=/path/to/ops-sidecar" >&2
  exit 1
fi

said=$("$ops_sidecar" backup run --json "$@" 2>&1 </dev/null)
code=$?
if [ "$code" -ne 0 ]; then
  printf '%s\n' "$said" "backup.sh: there is no new backup that every target has (exit $code)" >&2
fi
exit "$code"
