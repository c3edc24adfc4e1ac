import collections, json, os, sys
def version(text): return [int(part) for part in text.split(".")[:2]]
def same(want, got, names):
    if isinstance(want, (list, dict)): return got in want if "min" not in want else want["min"] <= got <= want["max"]
    if str(want)[0] not in "&$#": return got == (int(want, 16) if isinstance(want, str) else want)
    others = [value for name, value in names.items() if name[0] == want[0] == "&" and name != want]
    return names.setdefault(want, got) == got and not (want[0] == "&" and got in [0, *others])
def fits(call, got, names):
    for new in call.get("since", []): call = {**call, **new} if version(new["kernel"]) <= kernel else call
    want = [call["nr"], *call["args"], call.get("sys_exit", call["ret"])]
    return len(want) == len(got) and all(same(*pair, names) for pair in zip(want, got))
def check(entries, names):
    for entry in entries:
        rounds = entry.get("repeat", 0)
        for n in range(1, 1 + (rounds["max"] if isinstance(rounds, dict) else rounds)):
            more = not isinstance(rounds, dict) or n <= rounds["min"] or fits(entry["calls"][0], events[0], dict(names))
            if more: check(entry["calls"], {**names, "#n": n})
        if not rounds and not fits(entry, got := events.popleft(), names): sys.exit(f"expected {entry}, saw {got}")
kernel, events = version(os.uname().release), collections.deque([*map(json.loads, sys.stdin), [None, None]])
check([*json.load(open(sys.argv[1]))["calls"], {"nr": None, "args": [], "ret": None}], {})
