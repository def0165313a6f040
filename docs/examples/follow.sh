#!/bin/sh
# Follow a register's events: sh follow.sh https://registro.example.org [FILE]. FILE remembers the position.
url=$1 file=${2:-position}

while :; do
    after=$(cat "$file" 2>/dev/null || echo 0)
    curl --silent --show-error --fail --no-buffer \
        --header "Last-Event-ID: $after" "$url/v1/events/stream" |
        while IFS= read -r line; do
            case $line in
                "data: "*) printf '%s\n' "${line#data: }" ;; # your work, before the position moves on
                "id: "*) printf '%s\n' "${line#id: }" > "$file" ;;
            esac
        done
    sleep 2
done
