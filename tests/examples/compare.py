import collections, json, os, sys
version = lambda text: [int(part) for part in text.split(".")[:2]]
def same(want, got, names):
    if isinstance(want, (list, dict)): return want["min"] <= got <= want["max"] if "min" in want else got in want
    if str(want)[0] not in "&$#": return got == (int(want, 16) if isinstance(want, str) else want)
    others = [0, *(names[name] for name in names if name[0] == "&" and name != want)]
    return names.setdefault(want, got) == got and (want[0] != "&" or got not in others)
def fits(call, got, names):
    for new in call.get("since", []): call = {**call, **new} if version(new["kernel"]) <= kernel else call
    want = [call["nr"], *call["args"], call.get("sys_exit", call["ret"])]
    return len(got) in (len(want), 8) and all(same(*pair, names) for pair in zip(want, [*got[:len(want) - 1], got[-1]]))
def check(entries, names):
    for entry in entries:
        rounds = entry.get("repeat", 0)
        for n in range(1, 1 + (rounds["max"] if isinstance(rounds, dict) else rounds)):
            least = rounds["min"] if isinstance(rounds, dict) else n
            if n <= least or fits(entry["calls"][0], events[0], dict(names)): check(entry["calls"], {**names, "#n": n})
        if not rounds and not fits(entry, got := events.popleft(), names): sys.exit(f"expected {entry}, saw {got}")
kernel, events = version(os.uname().release), collections.deque([*map(json.loads, filter(str.strip, sys.stdin)), [None, None]])
check([*json.load(open(sys.argv[1]))["calls"], {"nr": None, "args": [], "ret": None}], {})
