#!/bin/sh
set -eu
: "${CONSTANCIA_URL:?Falta CONSTANCIA_URL · CONSTANCIA_URL is missing}"

answer=$(curl --silent --show-error --fail-with-body --max-time 30 --get "$CONSTANCIA_URL/graphql" \
    --header 'Accept: application/json' \
    --data-urlencode query@- << 'QUERY'
{
  counts(unit: VICTIMISATIONS, groupBy: [YEAR]) {
    rows { key { label } low best high }
    total { low best high asOf { size } citation { text url } }
  }
}
QUERY
) || { printf '%s\n' "$answer" >&2; exit 1; }

case $answer in
    *'"errors"'*) printf '%s\n' "$answer" >&2; exit 1 ;;
esac
printf '%s\n' "$answer"
