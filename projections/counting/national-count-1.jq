# national-count/1 as a program for jq 1.6 or later. The text that binds is national-count-1.md; the numbers of
# sections below are its sections. It shares no code with the register and must give the same answer.
#
#   head -n SIZE leaves.ndjson | jq -ncS --argjson query "$QUERY" -f national-count-1.jq
#
# Input: the leaves of the log from the first, one JSON object per line, exactly as many as the size to count at.
# $query: the question in its canonical form. Output: the answer in its canonical form.
# A leaf of an incident that breaks section 2 ends it with an error: a log that holds one has no count. Signatures,
# hashes and openings are checked elsewhere (docs/verify.md).

# --- Section 2: what a disclosure must satisfy ------------------------------------------------------------------

def malformed($field): error("national-count/1: a leaf incident.disclosed is malformed: " + $field);

def require($field; condition): if condition then . else malformed($field) end;

def among($codes): . as $value | any($codes[]; . == $value);

def form($pattern): type == "string" and (. == "UNKNOWN" or test($pattern));

def kinds:
  {
    "THREAT": ["VERBAL", "MESSAGE", "WRITTEN", "SURVEILLANCE", "ARMED_INTIMIDATION", "ORDER_TO_LEAVE",
               "AGAINST_FAMILY", "LYNCHING_THREAT", "UNKNOWN", "NOT_REPORTED"],
    "ATTACK": ["PHYSICAL_ASSAULT", "ARMED_ATTACK", "ABDUCTION", "COERCED_CARE", "SEXUAL_VIOLENCE", "HARASSMENT",
               "EXTORTION", "ROBBERY", "SITE_ATTACK", "OBSTRUCTION", "DISAPPEARANCE", "DEATH_UNDETERMINED",
               "UNKNOWN", "NOT_REPORTED"]
  };

def states: [range(1; 33) | if . < 10 then "0\(.)" else "\(.)" end] + ["UNKNOWN"];

def sexes: ["FEMALE", "MALE", "OTHER", "UNKNOWN", "NOT_REPORTED"];

def is_uuid: type == "string" and test("\\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\z");

def has_exactly($names): type == "object" and keys == $names;

def is_bounds:
  type == "array" and length == 3
  and all(.[]; type == "number" and . == floor and . >= 0 and . < 9007199254740992)
  and .[0] <= .[1] and .[1] <= .[2];

def within($whole): . as $part | all(range(3); $part[.] <= $whole[.]);

def sum_bounds(parts): reduce parts as $part ([0, 0, 0]; [.[0] + $part[0], .[1] + $part[1], .[2] + $part[2]]);

def is_scope:
  has_exactly(["deaths", "victims"]) and (.victims | is_bounds) and (.deaths | is_bounds)
  and (.victims as $victims | .deaths | within($victims));

def is_tally:
  has_exactly(["broad", "strict"]) and all(.[]; is_scope)
  and (.broad as $broad | .strict |
    (.victims | within($broad.victims)) and (.deaths | within($broad.deaths)));

def is_sex:
  . == "NOT_APPLICABLE"
  or (has_exactly(["broad", "strict"])
    and all(.[]; type == "object" and all(keys[]; among(sexes)) and all(.[]; is_bounds)));

def is_facet:
  type == "object"
  and (keys | among([["value"], ["key", "sealed_in", "value"], ["sealed"], ["sealed", "sealed_in"]]))
  and ((has("sealed_in") | not) or (.sealed_in | is_uuid))
  and ((has("key") | not) or (.key | type == "string"))
  and ((has("sealed") | not) or (.sealed | type == "string"));

# Whether a known part lies outside its open parent.
def contradicts($parent; $length): . != null and $parent != null and . != "UNKNOWN" and .[:$length] != $parent;

# From the public object of a leaf: its open fields, and of each facet the value, or null where it is sealed.
def disclosure:
  require("public"; has_exactly(
    ["certainty", "class", "disputed", "facets", "incident", "merged_into", "reason", "status", "waived"]))
  | require("class"; .class | among(["THREAT", "ATTACK"]))
  | require("status"; .status | among(["ACTIVE", "MERGED", "RETRACTED"]))
  | require("certainty"; .certainty | among(["RUMOUR", "POSSIBLE", "PROBABLE", "CONFIRMED", "REFUTED"]))
  | require("disputed"; .disputed | type == "boolean")
  | require("reason"; .reason | type == "string" or . == null)
  | require("incident"; .incident | is_uuid)
  | require("merged_into"; .merged_into == null or (.merged_into | is_uuid))
  | require("merged_into"; (.status == "MERGED") == (.merged_into != null))
  | require("facets"; .facets | has_exactly(["kind", "month", "municipality", "sex", "state", "tally", "year"]))
  | require("facets"; all(.facets[]; is_facet))
  | require("waived"; .facets as $facets | .waived | type == "array" and . == unique
      and all(.[]; . as $name | type == "string" and ($facets | has($name)) and ($facets[$name] | has("value"))))
  | . + (.facets | map_values(if has("sealed") then null else [.value] end)) | del(.facets, .waived)
  | require("tally"; .tally == null or (.tally[0] | is_tally))
  | require("year"; .year == null or (.year[0] | form("\\A[0-9]{4}\\z")))
  | require("month"; .month == null or (.month[0] | form("\\A[0-9]{4}-(0[1-9]|1[0-2])\\z")))
  | require("state"; .state == null or (.state[0] | among(states)))
  | require("municipality"; .municipality == null or (.municipality[0] | form("\\A[0-9]{5}\\z")))
  | require("kind"; .kind == null or (.class as $class | .kind[0] | among(kinds[$class])))
  | require("sex"; .sex == null or (.sex[0] | is_sex))
  | map_values(if type == "array" then .[0] else . end)
  | if .sex == "NOT_APPLICABLE" then .sex = {"strict": {}, "broad": {}} else . end
  | require("sex"; .sex == null or .tally == null
      or (. as $one | all("strict", "broad"; sum_bounds($one.sex[.][]) == $one.tally[.].deaths)))
  | require("municipality"; .state as $state | .municipality | contradicts($state; 2) | not)
  | require("month"; .year as $year | .month | contradicts($year; 4) | not);

# --- Section 4: which incidents the question is about -----------------------------------------------------------

def OUTSIDE: 0;
def MATCH: 1;
def NOT_REPORTED: 2;
def UNKNOWN: 3;
def UNDISCLOSED: 4;

def listed($wanted):
  if $wanted == null then MATCH
  elif . == null then UNDISCLOSED
  elif among($wanted) then MATCH
  elif . == "UNKNOWN" then UNKNOWN
  elif . == "NOT_REPORTED" then NOT_REPORTED
  else OUTSIDE end;

def by_class($wanted): .class | listed($wanted);

def by_kind($wanted):
  kinds[.class] as $possible
  | if $wanted != null and all($wanted[]; among($possible) | not) then OUTSIDE
    else .kind | listed($wanted) end;

def by_municipality($wanted):
  .state as $state
  | if $wanted != null and ("UNKNOWN" | among($wanted) | not) and $state != null and $state != "UNKNOWN"
      and all($wanted[]; .[:2] != $state)
    then OUTSIDE
    else .municipality | listed($wanted) end;

def by_period($period):
  if $period == null then MATCH
  elif .month != null and .month != "UNKNOWN" then
    if $period.from <= .month and .month <= $period.to then MATCH else OUTSIDE end
  elif .year == null then UNDISCLOSED
  elif .year == "UNKNOWN" then UNKNOWN
  elif $period.from <= .year + "-01" and .year + "-12" <= $period.to then MATCH
  elif .year + "-12" < $period.from or $period.to < .year + "-01" then OUTSIDE
  elif .month == null then UNDISCLOSED
  else UNKNOWN end;

def verdict:
  [ by_class($query.filter.class),
    by_kind($query.filter.kind),
    (.state | listed($query.filter.state)),
    by_municipality($query.filter.municipality),
    by_period($query.filter.period) ]
  | if any(.[]; . == OUTSIDE) then OUTSIDE else max end;

# --- Section 5: which incidents count ---------------------------------------------------------------------------

def nexus: $query.filter.nexus | ascii_downcase;

def reason($verdict):
  if .status != "ACTIVE" then .status
  elif .certainty == "REFUTED" or .certainty == "RUMOUR" then .certainty
  elif .tally == null then "UNDISCLOSED"
  elif .tally[nexus].victims[2] == 0 then "NO_IN_SCOPE_VICTIM"
  else [null, null, "NOT_REPORTED", "UNKNOWN", "UNDISCLOSED"][$verdict] end;

# --- Section 6: how much an incident counts ---------------------------------------------------------------------

def admitted($certainty):
  {"CONFIRMED": [1, 1, 1], "PROBABLE": [0, 1, 1], "POSSIBLE": [0, 0, 1]}[$certainty] as $enters
  | [.[0] * $enters[0], .[1] * $enters[1], .[2] * $enters[2]];

def contribution:
  .certainty as $certainty
  | .tally[nexus]
  | if $query.unit == "INCIDENTS" then .victims | map([., 1] | min)
    elif $query.unit == "VICTIMISATIONS" then .victims
    else .deaths end
  | admitted($certainty);

# --- Section 7: the breakdown -----------------------------------------------------------------------------------

def cell($dimension):
  if . == null then {"dimension": $dimension, "state": "UNDISCLOSED", "value": null}
  elif . == "UNKNOWN" then {"dimension": $dimension, "state": "UNKNOWN", "value": null}
  else {"dimension": $dimension, "state": "KNOWN", "value": .} end;

# What a counted incident adds, by the sex of its dead where the question asks for it: [sex or null, bounds].
def parts:
  contribution as $whole
  | if ($query.group_by | index("SEX")) == null then [null, $whole]
    elif $whole[2] == 0 then empty
    elif .sex == null then [null, $whole]
    else .certainty as $certainty | .sex[nexus] | to_entries[] | [.key, (.value | admitted($certainty))] end;

def rows_of_one:
  . as $one
  | parts
  | . as [$sex, $bounds]
  | {
      "key": [ $query.group_by[] as $dimension
        | if $dimension == "SEX" then $sex else $one[$dimension | ascii_downcase] end
        | cell($dimension) ],
      "bounds": $bounds
    };

def order: .key | map([{"KNOWN": 0, "UNKNOWN": 1, "UNDISCLOSED": 2}[.state], .value // ""]);

def numbers: {"low": .[0], "best": .[1], "high": .[2]};

# --- Sections 1 and 8: the last disclosure of each incident, and the answer -------------------------------------

reduce (inputs | select(.type == "incident.disclosed") | .public | disclosure) as $one
  ({}; .[$one.incident] = $one)
| [ .[] | verdict as $verdict | select($verdict != OUTSIDE) | . + {"excluded": reason($verdict)} ]
| map(select(.excluded == null)) as $counted
| sum_bounds($counted[] | contribution) as $whole
| ($whole | numbers) + {
    "disputed": ($counted | map(select(.disputed)) | length),
    "excluded": ( map(select(.excluded != null).excluded) | group_by(.)
      | map({"incidents": length, "reason": .[0]}) ),
    "rows": ( if $query.group_by == [] then [] else
        [ $counted[] | rows_of_one ] | group_by(.key)
        | map({"key": .[0].key, "bounds": sum_bounds(.[].bounds)})
        | map(select(.bounds[2] > 0)) | sort_by(order)
        | map({"key": .key} + (.bounds | numbers)) end )
  }
