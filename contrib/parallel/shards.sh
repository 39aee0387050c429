#!/bin/sh
# A very large scope on one machine: as many shards as the first argument says, at most four at once, and one report.
# What follows are the options of catchup: shards.sh 16 --source wss://… --target wss://… --rate 15/m
#
# GNU parallel counts from 1, as --shard does. Its exit code is the number of shards that did not end with 0: only that
# of merge-reports counts, which says what became of the whole. All shards share one state file, with rows of their own.
set -eu
case ${1:-} in
'' | 0* | *[!0-9]*)
  echo "usage: $0 SHARDS [options of ngit-sync catchup]" >&2
  exit 2
  ;;
esac
shards=$1
shift
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
seq "$shards" | parallel --quote --jobs 4 \
  sh -c 'report=$1; shift; exec ngit-sync catchup --json "$@" > "$report"' shard \
  "$reports/{}.json" --shard "{}/$shards" "$@" || :
ngit-sync merge-reports "$reports"/*.json
