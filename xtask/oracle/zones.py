"""Reads the attempts that a campaign exported, and judges every call by the rules it was given.

Knows nothing of the dialler: hours, caps and do-not-call entries come from a file, clocks from
zoneinfo. Prints one line of figures; ends with 1 and the first breach otherwise.
"""

import csv
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def minutes(text):
    hours, mins = text.split(":")
    return int(hours) * 60 + int(mins)


def is_open(world, zone, moment):
    """The interval has its beginning and not its end; an end of 24:00 is midnight."""
    local = moment.astimezone(zone)
    now = local.hour * 60 + local.minute + local.second / 60
    spans = world["hours"].get(DAYS[local.weekday()], [])
    return any(minutes(begin) <= now < minutes(end) for begin, end in spans)


def judge(world, rows):
    zones = {phone: ZoneInfo(name) for phone, name in world["zones"].items()}
    since = {entry["phone"]: entry["since"] for entry in world["forbidden"]}
    calls = defaultdict(list)
    seen = defaultdict(int)
    for moment, phone in rows:
        if not is_open(world, zones[phone], moment):
            local = moment.astimezone(zones[phone])
            return f"{phone} was called at {local:%a %Y-%m-%d %H:%M:%S %Z}: outside of the hours"
        if phone in since and moment.timestamp() > since[phone]:
            return f"{phone} was called at {moment}: it is on the do-not-call list"
        calls[phone].append(moment)
        seen[world["zones"][phone]] += 1
    for phone, moments in calls.items():
        for span, most in [(1, world["per_day"]), (7, world["per_week"])]:
            for last in moments:
                first = last - timedelta(days=span)
                n = sum(1 for moment in moments if first < moment <= last)
                if n > most:
                    return f"{phone} had {n} calls within {span} d before {last}: {most} are allowed"
    silent = set(world["zones"].values()) - set(seen)
    if silent:
        return f"nobody was called in {', '.join(sorted(silent))}: this proves nothing"
    # Both sides of the change of clocks, in a zone that has one.
    sides = {m.astimezone(zones[p]).utcoffset() for m, p in rows if world["zones"][p] == "Europe/Kyiv"}
    if len(sides) != 2:
        return "the clocks of Kyiv did not turn: this proves nothing"
    return None


def main():
    folder, engine = sys.argv[1], sys.argv[2]
    with open(f"{folder}/{engine}.json", encoding="utf-8") as file:
        world = json.load(file)
    with open(f"{folder}/{engine}.csv", encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    rows = []
    for row in table:
        moment = datetime.fromisoformat(row["time"]).replace(tzinfo=timezone.utc)
        rows.append((moment, row["phone"]))
    if len(rows) != world["called"]:
        sys.exit(f"{world['called']} calls were made, {len(rows)} are in the export")
    breach = judge(world, rows)
    if breach:
        sys.exit(breach)
    people = len({phone for _, phone in rows})
    print(f"{engine}: {len(rows)} calls to {people} of {len(world['zones'])} contacts in "
          f"{len(set(world['zones'].values()))} zones, {len(world['forbidden'])} forbidden; 0 breaches")


main()
