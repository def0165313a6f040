#!/bin/bash
set -eu
: "${CONSTANCIA_URL:?Falta CONSTANCIA_URL · CONSTANCIA_URL is missing}"

while IFS= read -r line; do
    case $line in
        "data: "*)
            printf '%s\n' "${line#data: }"
            kill $!
            exit 0
            ;;
    esac
done < <(curl --silent --show-error --fail --no-buffer --max-time 60 "$CONSTANCIA_URL/v1/events/stream?after=0")

echo "$CONSTANCIA_URL: no llegó ningún evento · no event came" >&2
exit 1
