#!/usr/bin/env bash
exec "$(dirname "$0")/../build_cached.sh" onednn "$@"
