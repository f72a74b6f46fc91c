#!/usr/bin/env bash
# Does what comes before the tests: builds and checks the code, and installs the servers and the browser meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
test/support/services.sh &
services=$!
# A package that is being installed is not left half installed.
trap 'wait "$services" || true' EXIT
npm run --silent build
npm run --silent lint
npm run --silent format:check
npm run --silent typecheck
wait "$services"
