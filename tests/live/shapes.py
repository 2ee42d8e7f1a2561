"""What an answer looks like, without what it says: its keys and types, and the few words that belong to the format.

A recording may be shown to anybody: no key, no address, no prompt, no id, no text of a person is in it.
"""

import re

PLAIN = {"status", "code", "type", "object"}  # keys whose values belong to the format
WORD = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
HEADERS = {"content-type", "accept-ranges", "retry-after", "content-range", "transfer-encoding"}


def shape(value, key=""):
    """A JSON value with its values taken out.

    Examples
    --------
    >>> shape({"id": "gen-vid-17", "status": "pending", "urls": ["https://a.example/x?sig=1"], "usage": {"cost": 0.5}})
    {'id': 'text', 'status': "'pending'", 'urls': ['address'], 'usage': {'cost': 'number'}}
    """
    if isinstance(value, dict):
        return {str(k) if WORD.match(str(k)) else "(a key)": shape(v, k) for k, v in sorted(value.items())}
    if isinstance(value, list):
        found = []
        for each in value:
            if (one := shape(each)) not in found:
                found.append(one)
        return found
    if isinstance(value, str):
        if key in PLAIN and WORD.match(value):
            return repr(value)
        if "://" in value:
            return "address"
        return "path" if value.startswith("/") else "text"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return str(value) if key in PLAIN else "number"


def differences(live, double, place="answer"):
    """Where two shapes differ, a line each, from the first one's point of view.

    Examples
    --------
    >>> differences({"id": "text", "price": "number"}, {"id": "number"})
    ['answer.id: live text, simulated number', 'answer.price: only live (number)']
    """
    if isinstance(live, dict) and isinstance(double, dict):
        lines = []
        for key in sorted(live.keys() | double.keys()):
            if key not in double:
                lines.append(f"{place}.{key}: only live ({told(live[key])})")
            elif key not in live:
                lines.append(f"{place}.{key}: only simulated ({told(double[key])})")
            else:
                lines += differences(live[key], double[key], f"{place}.{key}")
        return lines
    if isinstance(live, list) and isinstance(double, list):
        if live and double and len(live) == len(double) == 1:
            return differences(live[0], double[0], f"{place}[]")
        return [] if told(live) == told(double) else [f"{place}: live {told(live)}, simulated {told(double)}"]
    return [] if live == double else [f"{place}: live {told(live)}, simulated {told(double)}"]


def told(found):
    """A shape in a few words."""
    if isinstance(found, dict):
        return "{" + ", ".join(found) + "}"
    if isinstance(found, list):
        return "[" + ", ".join(told(each) for each in found) + "]"
    return found
