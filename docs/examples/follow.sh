#!/bin/sh
# Follow a register's events: sh follow.sh https://registro.example.org [FILE]. FILE's last line is the position.
url=$1 file=${2:-position}

while :; do
    after=$(tail -n 1 "$file" 2>/dev/null)
    printf '%s\n' "${after:-0}" > "$file.new" && mv "$file.new" "$file"
    curl --silent --show-error --fail --no-buffer \
        --header "Last-Event-ID: ${after:-0}" "$url/v1/events/stream" |
        while IFS= read -r line; do
            case $line in
                "data: "*) printf '%s\n' "${line#data: }" ;; # your work, before the position moves on
                "id: "*) printf '%s\n' "${line#id: }" >> "$file" ;;
            esac
        done
    sleep 2
done
