#!/usr/bin/env bash
# Three checks of a server's event streams with curl alone, through whatever is in front of it:
#   scripts/test-streaming.sh [http://127.0.0.1:3000]
# TOKEN: a token of any user; without it a guest's is taken. MODEL: default demo. Exit code 1 where a check fails.
set -euo pipefail

url=${1:-http://127.0.0.1:3000}
url=${url%/}
model=${MODEL:-demo}
work=$(mktemp -d)
room= failed=0

finish() {
  local code=$?
  if [ -n "$room" ]; then call -X DELETE "$url/v1/conversations/$room" >/dev/null 2>&1 || true; fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

call() { curl -sS --fail-with-body --max-time 30 -H "Authorization: Bearer ${TOKEN:-}" -H 'Content-Type: application/json' "$@"; }
# Milliseconds; macOS has neither a new bash nor such a date.
now() {
  if [ -n "${EPOCHREALTIME:-}" ]; then
    local us=${EPOCHREALTIME/[.,]/}
    echo "${us%???}"
  else
    perl -MTime::HiRes=time -e 'printf "%d\n", time * 1000'
  fi
}
passed() { printf 'ok      %s\n' "$1"; }
wrong() {
  printf 'WRONG   %s\n        %s\n' "$1" "$2"
  failed=1
}

if [ -z "${TOKEN:-}" ]; then
  TOKEN=$(call -d '{"name":"test-streaming"}' "$url/v1/sessions" | grep -o '"token":"[^"]*"' | cut -d'"' -f4) || {
    echo "No session: does $url answer? With AUTH_MODE=jwt give TOKEN." >&2
    exit 1
  }
fi
room=$(call -d '{"title":"test-streaming"}' "$url/v1/conversations" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d'"' -f4)

# 1. The first event comes at once, and not when a buffer is full. The stream stays open: curl is ended by its time.
curl -sSN --max-time 3 -D "$work/head" -H "Authorization: Bearer $TOKEN" "$url/v1/conversations/$room/events" >"$work/first" 2>/dev/null || true
if grep -q '^event: snapshot' "$work/first"; then
  passed 'the first event comes at once'
else
  wrong 'no event came within 3 s' 'A proxy holds the stream back (proxy_buffering off), or the server does not answer.'
fi

# 2. It is an event stream, and nobody has packed it.
if ! grep -qi '^content-type: text/event-stream' "$work/head"; then
  wrong "the answer is no event stream: $(grep -i '^content-type' "$work/head" | tr -d '\r')" 'A proxy answers in place of the server.'
elif grep -qi '^content-encoding:' "$work/head"; then
  wrong 'the stream is compressed' 'Leave text/event-stream out of what the proxy compresses.'
else
  passed 'it is an event stream, not compressed'
fi

# 3. The pieces of an answer come one after the other, and not in one lump.
curl -sSN --max-time 40 -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \
  -d "{\"content\":\"Is anything in the way?\",\"generate\":{\"model\":\"$model\",\"maxTokens\":120}}" \
  "$url/v1/conversations/$room/messages" |
  while IFS= read -r line; do
    case $line in
      'event: generation.chunk'*) now >>"$work/pieces" ;;
      'event: generation.'*) printf '%s\n' "${line#event: }" >>"$work/events" ;;
    esac
  done || true
pieces=$(wc -l <"$work/pieces" 2>/dev/null || echo 0)
if ! grep -q '^generation.completed' "$work/events" 2>/dev/null; then
  wrong "the answer did not come to its end (${pieces} pieces)" 'No worker runs, a proxy cuts the stream, or it holds it back.'
else
  tookMs=$(($(tail -n 1 "$work/pieces") - $(head -n 1 "$work/pieces")))
  if [ "$pieces" -gt 3 ] && [ "$tookMs" -ge 200 ]; then
    passed "$pieces pieces came over $tookMs ms"
  else
    wrong "$pieces pieces came within $tookMs ms: in one lump" 'A proxy holds the stream back until it ends: proxy_buffering off.'
  fi
fi
exit "$failed"
