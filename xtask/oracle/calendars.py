"""When calls may start, told by Python's zoneinfo alone: the other opinion for `e2e calendars`.

Knows nothing of the product but the question, which it reads as JSON from a file. For `hours` it
writes, for each zone, runs of moments with one byte for each: bit w is set while window w is open.
For `gate` it writes one JSON answer for each case. It never searches: every moment is looked at.
"""

import json
import struct
import sys
from datetime import date, datetime, timezone
from importlib.metadata import version
from zoneinfo import ZoneInfo, available_timezones

import tzdata

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def minutes(text):
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


class Windows:
    """Of each day, made when first asked for: a byte for each minute of the wall clock."""

    def __init__(self, windows):
        self.windows = windows
        self.days = {}

    def of_day(self, ordinal):
        found = self.days.get(ordinal)
        if found is None:
            found = self.days[ordinal] = self.make(date.fromordinal(ordinal))
        return found

    def make(self, day):
        table = bytearray(1440)
        for bit, window in enumerate(self.windows):
            if window["from"] and day < date.fromisoformat(window["from"]):
                continue
            if window["to"] and day > date.fromisoformat(window["to"]):
                continue
            other = window["exceptions"].get(day.isoformat())
            intervals = window["week"][DAYS[day.weekday()]] if other is None else other
            for first, last in intervals:
                for minute in range(minutes(first), minutes(last)):
                    table[minute] |= 1 << bit
        return bytes(table)

    def at(self, moment, zone):
        wall = datetime.fromtimestamp(moment, zone)
        return self.of_day(wall.toordinal())[wall.hour * 60 + wall.minute]


def changes(zone, first, last):
    """Every second at which the offset changes, found by asking every six hours and halving."""

    def offset(moment):
        return datetime.fromtimestamp(moment, zone).utcoffset()

    found = []
    step = 6 * 3600
    before = offset(first)
    for moment in range(first + step, last + step, step):
        after = offset(moment)
        if after != before:
            low, high = moment - step, moment
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle) == before:
                    low = middle
                else:
                    high = middle
            found.append(high)
            before = after
    return found


def hours(question, out):
    windows = Windows(question["windows"])
    shared = sum(1 << bit for bit, window in enumerate(question["windows"]) if window["shared"])
    other = ZoneInfo(question["other_zone"])
    first, last, around = question["first"], question["last"], question["around"]
    for name in question["zones"]:
        zone = ZoneInfo(name)
        turns = changes(zone, first, last)
        out.write(struct.pack("<I", len(turns)))
        for turn in turns:
            begin = turn - around
            run = bytearray()
            for moment in range(begin, turn + around + 60, 60):
                # A shared window must be open on the other zone's clock, too.
                run.append(windows.at(moment, zone) & (windows.at(moment, other) | ~shared & 255))
            out.write(struct.pack("<qqI", turn, begin, len(run)) + bytes(run))
        quarter = range(first + question["skip"] * 900, last, question["step"])
        out.write(bytes(windows.at(moment, zone) & ~shared & 255 for moment in quarter))


def gate(question, out):
    windows = Windows(question["windows"])
    for case in question["cases"]:
        out.write((json.dumps(verdict(case, windows)) + "\n").encode())


DAY = 86_400_000_000


def verdict(case, windows):
    """The rules of the gate, as the manual tells them. Times are microseconds."""
    now, purpose = case["now"], case["purpose"]
    zones = [ZoneInfo(name) for name in case["zones"]]

    def is_open(second):
        return all(windows.at(second, zone) >> case["window"] & 1 for zone in zones)

    if purpose != "own_phone":
        if case["do_not_call"]:
            return {"code": "do_not_call"}
        if case["number"].startswith("+999") and not case["demo_line"]:
            return {"code": "demo_number"}
        if not case["number"].startswith("+999") and case["demo_line"]:
            return {"code": "real_number"}
        if purpose == "campaign":
            if case["state"] != "callable":
                return {"code": "not_waiting"}
            if case["attempts"] >= case["max_attempts"]:
                return {"code": "attempts_spent"}
            if case["next_at"] > now:
                return {"code": "not_waiting"}
        for code, cap, span in (("day_cap", "per_day", DAY), ("week_cap", "per_week", 7 * DAY)):
            within = sorted(call for call in case["calls"] if call + span > now)
            if len(within) >= case[cap]:
                # Enough of the oldest must fall out that one more fits.
                return {"code": code, "until": within[len(within) - case[cap]] + span}
        if purpose != "test_call":
            second = now // 1_000_000
            if not is_open(second):
                moment = second // 60 * 60
                while not is_open(moment):
                    moment += 60
                return {"code": "shut", "until": moment * 1_000_000}
    until = now + 2_000_000
    if purpose not in ("own_phone", "test_call"):
        minute = (now // 60_000_000 + 1) * 60
        if minute * 1_000_000 <= until and not is_open(minute):
            until = minute * 1_000_000 - 1
    return {"code": "permit", "until": until}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        question = json.load(file)
    if tzdata.IANA_VERSION != question["release"]:
        sys.exit(f"tzdata {version('tzdata')} is {tzdata.IANA_VERSION}, not {question['release']}")
    unknown = set(question["zones"]) - available_timezones()
    if unknown:
        sys.exit(f"zones that Python does not know: {sorted(unknown)}")
    assert datetime.fromtimestamp(0, timezone.utc).year == 1970
    {"hours": hours, "gate": gate}[sys.argv[2]](question, sys.stdout.buffer)


main()
